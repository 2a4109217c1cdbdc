//! Patches applied and committed so that the commit ids can be reproduced.

use crate::context::Context;
use crate::error::{IoContext, KasError};
use crate::guard::inside_repo;
use crate::process::{Output, Runner};
use crate::repository::Repository;
use crate::vcs;
use bitzel_project::{RepoSpec, Vcs};
use indexmap::IndexMap;
use std::path::{Path, PathBuf};

/// The author of the commits, and their committer.
const AUTHOR: &str = "kas <kas@example.com>";
const COMMITTER: (&str, &str) = ("kas User", "kas@example.com");

/// Applies the patches of all repositories.
pub fn apply_all(ctx: &Context, repos: &IndexMap<String, RepoSpec>) -> Result<(), KasError> {
    if ctx.home.is_none() {
        let text = "Invalid combination of arguments: Apply patches requires setup_home";
        return Err(KasError::User(text.to_owned()));
    }
    for spec in repos.values().filter(|spec| spec.is_managed() && !spec.patches.is_empty()) {
        apply(Repository::new(ctx, spec), repos)?;
    }
    Ok(())
}

fn apply(repo: Repository<'_>, repos: &IndexMap<String, RepoSpec>) -> Result<(), KasError> {
    let (ctx, spec) = (repo.ctx, repo.spec);
    if repo.is_dirty()? {
        ctx.log.warning(&format!("Repo {} is dirty - no patching", spec.name));
        return Ok(());
    }
    crate::guard::managed_path(ctx, spec)?;
    repo.tell(&vcs::patch_branch(spec)).map_err(|error| match error {
        KasError::Command { code, .. } => KasError::User(format!("apply patches failed: error code {code}")),
        other => other,
    })?;
    for (patch, id) in patch_files(spec, repos)? {
        apply_one(repo, &patch, &id)?;
    }
    Ok(())
}

/// The files of all entries, series taken apart, in order.
fn patch_files(
    spec: &RepoSpec,
    repos: &IndexMap<String, RepoSpec>,
) -> Result<Vec<(PathBuf, String)>, KasError> {
    let mut files = Vec::new();
    for entry in &spec.patches {
        let (id, name) = (&entry.id, &spec.name);
        let holder = repos.get(&entry.repo).ok_or_else(|| {
            let repo = &entry.repo;
            KasError::User(format!(
                "Could not find referenced repo. (missing repo: {repo}, repo: {name}, patch entry: {id})"
            ))
        })?;
        let path = inside_repo(holder, Path::new(&entry.path), "patch")?;
        let series = path.join("series");
        if path.is_file() {
            files.push((path, id.clone()));
        } else if path.is_dir() && series.is_file() {
            let series = inside_repo(holder, &series, "series")?;
            let text = std::fs::read_to_string(&series).doing("read", &series)?;
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                let patch = line.split(" #").next().unwrap_or_default().trim_end();
                let patch = inside_repo(holder, &path.join(patch), "patch")?;
                if !patch.is_file() {
                    return Err(KasError::User(
                        patch.display().to_string() + " is named by a series but is no file",
                    ));
                }
                files.push((patch, id.clone()));
            }
        } else {
            let path = path.display();
            return Err(KasError::User(format!(
                "Could not find patch. (patch path: {path}, repo: {name}, patch entry: {id})"
            )));
        }
    }
    Ok(files)
}

fn apply_one(repo: Repository<'_>, patch: &Path, id: &str) -> Result<(), KasError> {
    let (ctx, spec) = (repo.ctx, repo.spec);
    let (shown, name) = (patch.display(), &spec.name);
    let check = |what: String, argv: &[String], output: Output| {
        if output.ok() {
            return Ok(());
        }
        let mut text = format!("{what}\nvcs command: {}", argv.join(" "));
        for (kind, stream) in [("output", output.stdout), ("error", output.stderr)] {
            if !stream.trim().is_empty() {
                text += &format!("\nvcs {kind}:\n{}", stream.trim());
            }
        }
        Err(KasError::User(text))
    };
    let argv = vcs::apply_patch(spec.vcs, patch);
    let what = format!(
        "Could not apply patch. Please fix repos and patches:\npatch path: {shown}, repo: {name}, patch entry: {id}"
    );
    check(what, &argv, repo.ask(&argv)?)?;
    ctx.log.info(&format!("Patch applied. (patch path: {shown}, repo: {name}, patch entry: {id})"));
    let argv = vcs::add_all(spec.vcs);
    check(format!("Could not add patched files: repo: {name}"), &argv, repo.ask(&argv)?)?;
    let date = patch_date(spec.vcs, patch)?;
    let message = format!("kas: {id}\n\npatch {shown} applied by kas");
    let argv = vcs::commit(spec.vcs, AUTHOR, &message, &date);
    let mut environ = ctx.git_environ();
    for (name, value) in [
        ("GIT_COMMITTER_DATE", date.as_str()),
        ("GIT_COMMITTER_NAME", COMMITTER.0),
        ("GIT_COMMITTER_EMAIL", COMMITTER.1),
    ] {
        environ.insert(name.to_owned(), value.to_owned());
    }
    let output = Runner { environ: &environ, ..ctx.runner() }.capture(&argv, &spec.path)?;
    check(format!("Could not commit patch changes. repo: {name}"), &argv, output)
}

/// The date the patch names in its third line, else when the file was changed.
fn patch_date(vcs: Vcs, patch: &Path) -> Result<String, KasError> {
    let bytes = std::fs::read(patch).doing("read", patch)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines().skip(2);
    let third = lines.next().unwrap_or_default();
    let named = match vcs {
        Vcs::Git => third.strip_prefix("Date: "),
        Vcs::Hg if third.starts_with("# Date ") => lines.next().and_then(|line| line.strip_prefix("# ")),
        Vcs::Hg => None,
    };
    if let Some(date) = named.map(str::trim).filter(|date| !date.is_empty()) {
        return Ok(date.to_owned());
    }
    let modified = std::fs::metadata(patch).and_then(|data| data.modified()).doing("read", patch)?;
    let time = jiff::Timestamp::try_from(modified)
        .map_err(|e| KasError::Environment(format!("`{}` has an impossible time: {e}", patch.display())))?;
    let zone = jiff::tz::TimeZone::system();
    Ok(time.to_zoned(zone).strftime("%a, %d %b %Y %H:%M:%S %z").to_string())
}

/// Gives later commits in the build environment a committer, as far as the
/// caller's gitconfig names none.
pub fn ensure_user(ctx: &Context) -> Result<(), KasError> {
    let Some(home) = &ctx.home else { return Ok(()) };
    let file = home.path().join(".gitconfig").display().to_string();
    let config = |words: &[&str]| {
        let mut argv = crate::process::argv(&["git", "config", "--file", &file]);
        argv.extend(crate::process::argv(words));
        ctx.runner().capture(&argv, home.path())
    };
    let known = config(&["--get-regexp", "^user[.](name|email)$"])?.stdout;
    for (key, value) in [("user.name", COMMITTER.0), ("user.email", COMMITTER.1)] {
        if !known.lines().any(|line| line.split(' ').next() == Some(key)) {
            config(&[key, value])?;
        }
    }
    Ok(())
}
