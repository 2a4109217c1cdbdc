//! Repositories cloned and fetched, several at a time.

use crate::context::Context;
use crate::error::{IoContext, KasError};
use crate::guard;
use crate::process::Runner;
use crate::progress::Progress;
use crate::repository::Repository;
use crate::vcs;
use bitzel_project::{RepoSpec, Vcs};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Fetches this many repositories at a time.
const PARALLEL: usize = 8;

/// Makes the wanted revision of every managed repository available locally.
pub fn fetch_all(ctx: &Context, repos: &[RepoSpec]) -> Result<(), KasError> {
    let managed: Vec<&RepoSpec> = repos.iter().filter(|repo| repo.is_managed()).collect();
    for repo in &managed {
        guard::managed_path(ctx, repo)?;
    }
    let progress = Progress::new(&ctx.log, managed.len());
    let next = AtomicUsize::new(0);
    let errors: Mutex<Vec<(usize, KasError)>> = Mutex::default();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::SeqCst);
            let Some(repo) = managed.get(at) else { return };
            let result = ctx.cancel.check().and_then(|()| fetch(Repository::new(ctx, repo), &progress));
            progress.done(&repo.name);
            if let Err(error) = result {
                errors.lock().unwrap_or_else(PoisonError::into_inner).push((at, error));
                next.store(managed.len(), Ordering::SeqCst);
            }
        }
    };
    std::thread::scope(|scope| {
        // the calling thread works, too: one repository needs no thread
        for _ in 1..managed.len().min(PARALLEL) {
            scope.spawn(work);
        }
        work();
    });
    progress.finish();
    let mut errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
    errors.sort_by_key(|(at, _)| *at);
    match errors.into_iter().next() {
        None => Ok(()),
        Some((_, KasError::Command { code, .. })) => {
            Err(KasError::User(format!("fetch repos failed: error code {code}")))
        }
        Some((_, error)) => Err(error),
    }
}

fn fetch(repo: Repository<'_>, progress: &Progress<'_>) -> Result<(), KasError> {
    let (ctx, spec) = (repo.ctx, repo.spec);
    let url = effective_url(ctx, spec.url.as_deref().unwrap_or_default())?;
    let reference = make_reference(repo, &url, progress)?;
    if !spec.path.exists() {
        clone(repo, &url, reference.as_deref(), progress)?;
    }
    match spec.vcs {
        Vcs::Git if repo.has_origin(&url) => {}
        Vcs::Git => {
            repo.tell(&vcs::set_url(&url))?;
        }
        Vcs::Hg => ctx.log.warning("Repo implementation does not support changing the remote url."),
    }
    if spec.is_floating() || (!(ctx.options.update && spec.commit.is_none()) && has_wanted(repo)?) {
        return Ok(());
    }
    let output = repo.ask(&vcs::fetch(spec, ctx.clone_depth))?;
    if !output.ok() {
        let text = format!("Fetching of repo: \"{}\" failed: {}", spec.name, output.stderr);
        return Err(KasError::User(text));
    }
    ctx.log.info(&format!("Repository {} updated", spec.name));
    Ok(())
}

/// Whether the wanted revision is there, and on the wanted branch.
fn has_wanted(repo: Repository<'_>) -> Result<bool, KasError> {
    let (ctx, spec) = (repo.ctx, repo.spec);
    let checked_out = spec.commit.is_some() && repo.detached_head() == spec.commit;
    let there = checked_out || repo.ask(&vcs::contains_wanted(spec))?.ok();
    if !there {
        return Ok(false);
    }
    ctx.log.info(&format!("Repository {} already contains {}", spec.name, spec.wanted().unwrap_or_default()));
    if spec.branch.is_some() && spec.commit.is_some() && ctx.clone_depth == 0 {
        return Ok(!repo.ask(&vcs::branch_contains(spec))?.stdout.trim().is_empty());
    }
    Ok(true)
}

/// Makes the reference repository in KAS_REPO_REF_DIR; answers where it is.
fn make_reference(
    repo: Repository<'_>,
    url: &str,
    progress: &Progress<'_>,
) -> Result<Option<PathBuf>, KasError> {
    let Some(dir) = repo.ctx.ref_dir.clone() else { return Ok(None) };
    let name = reference_name(repo.spec.url.as_deref().unwrap_or_default());
    if matches!(name.as_str(), "" | "." | "..") {
        return Err(KasError::User(format!(
            "repository `{}`: its url names no reference repository",
            repo.spec.name
        )));
    }
    let target = dir.join(&name);
    if !target.exists() {
        std::fs::create_dir_all(&dir).doing("create", &dir)?;
        let temporary =
            tempfile::Builder::new().prefix(&format!("{name}.")).tempdir_in(&dir).doing("create", &dir)?;
        let how = vcs::Clone {
            url,
            path: temporary.path(),
            reference: None,
            bare: true,
            depth: repo.ctx.clone_depth,
            progress: progress.wanted(),
        };
        if let Some(argv) = vcs::clone(repo.spec, &how) {
            run_clone(repo, &argv, progress)?;
        }
        // another process may have been faster: then its reference stays
        if std::fs::rename(temporary.path(), &target).is_err() {
            repo.ctx.log.debug(&format!("repo {name} already cloned by other instance"));
        }
    }
    Ok(Some(target))
}

/// The folder name of a reference repository: host and path of the url.
pub fn reference_name(url: &str) -> String {
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) => {
            rest
        }
        _ => url,
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    rest.replace(['@', ':', '/', '*'], ".")
}

fn clone(
    repo: Repository<'_>,
    url: &str,
    reference: Option<&Path>,
    progress: &Progress<'_>,
) -> Result<(), KasError> {
    let (ctx, spec) = (repo.ctx, repo.spec);
    ctx.log.info(&format!("Cloning repository {}", spec.name));
    if ctx.clone_depth > 0 && spec.refspec.is_some() {
        ctx.log.warning(&format!(
            "Shallow cloning is not supported for legacy refspec on repository \"{}\". Performing full clone.",
            spec.name
        ));
    }
    if let Some(parent) = spec.path.parent() {
        std::fs::create_dir_all(parent).doing("create", parent)?;
    }
    let reference = reference.filter(|_| spec.vcs == Vcs::Git);
    let how = vcs::Clone {
        url,
        path: &spec.path,
        reference,
        bare: false,
        depth: ctx.clone_depth,
        progress: progress.wanted(),
    };
    match vcs::clone(spec, &how) {
        Some(argv) => run_clone(repo, &argv, progress),
        None => Ok(()),
    }
}

fn run_clone(repo: Repository<'_>, argv: &[String], progress: &Progress<'_>) -> Result<(), KasError> {
    let environ = repo.ctx.git_environ();
    let runner = Runner { environ: &environ, ..repo.ctx.runner() };
    runner.watch(argv, &repo.ctx.work_dir, &|line| progress.line(&repo.spec.name, line))?;
    Ok(())
}

/// The url after KAS_PREMIRRORS: the first `REGEX REPLACEMENT` whose regular
/// expression matches at the start replaces all its matches.
pub fn effective_url(ctx: &Context, url: &str) -> Result<String, KasError> {
    for line in ctx.env.get("KAS_PREMIRRORS").map_or("", String::as_str).lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [pattern, replacement] = words[..] else { continue };
        let invalid = |e: fancy_regex::Error| {
            KasError::User(format!("KAS_PREMIRRORS: `{pattern}` is no regular expression: {e}"))
        };
        let anchored = fancy_regex::Regex::new(&format!("^(?:{pattern})")).map_err(invalid)?;
        if anchored.is_match(url).map_err(invalid)? {
            let regex = fancy_regex::Regex::new(pattern).map_err(invalid)?;
            let replacement = rust_replacement(replacement);
            let replaced = regex.try_replacen(url, 0, replacement.as_str()).map_err(invalid)?.into_owned();
            if replaced.starts_with('-') || replaced.starts_with("ext::") {
                return Err(KasError::User(format!("KAS_PREMIRRORS makes `{replaced}` of `{url}`; refused")));
            }
            return Ok(replaced);
        }
    }
    Ok(url.to_owned())
}

/// Python's `\1` and `\g<name>` as `${1}` and `${name}`.
fn rust_replacement(python: &str) -> String {
    let mut out = String::new();
    let mut chars = python.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().copied()) {
            ('$', _) => out.push_str("$$"),
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                let mut digits = String::new();
                while digits.len() < 2
                    && let Some(digit) = chars.next_if(char::is_ascii_digit)
                {
                    digits.push(digit);
                }
                out += &format!("${{{digits}}}");
            }
            ('\\', Some('g')) => {
                chars.next();
                let name: String =
                    chars.by_ref().skip_while(|c| *c == '<').take_while(|c| *c != '>').collect();
                out += &format!("${{{name}}}");
            }
            ('\\', Some(other)) => {
                chars.next();
                out.push(other);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_folders_are_named_as_kas_names_them() {
        assert_eq!(reference_name("https://github.com/siemens/kas.git"), "github.com.siemens.kas.git");
        assert_eq!(reference_name("ssh://git@host:22/x/*y"), "git.host.22.x..y");
        assert_eq!(reference_name("git@host:x/y.git"), "git.host.x.y.git");
    }

    #[test]
    fn replacements_are_translated_from_python() {
        assert_eq!(rust_replacement(r"http://m/\1/\g<n>$\.git"), "http://m/${1}/${n}$$.git");
    }
}
