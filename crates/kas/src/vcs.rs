//! The command lines of git and hg that the steps need, equal to those of
//! kas.

use bitzel_project::{RepoSpec, Vcs, looks_like_commit};
use std::path::Path;

/// The words of a command.
pub type Argv = Vec<String>;

fn words(list: &[&str]) -> Argv {
    list.iter().map(|word| (*word).to_owned()).collect()
}

/// `refs/heads/x` as `heads/x`: how such a ref is called below `origin/`.
pub fn without_refs(name: &str) -> &str {
    name.strip_prefix("refs/").unwrap_or(name)
}

fn branch_or_refspec(repo: &RepoSpec) -> Option<&str> {
    [&repo.branch, &repo.refspec].into_iter().flatten().map(String::as_str).find(|name| !name.is_empty())
}

/// Clones into the folder of the repository, or bare as a reference.
pub struct Clone<'a> {
    /// Where from.
    pub url: &'a str,
    /// Where to.
    pub path: &'a Path,
    /// A reference repository to borrow from.
    pub reference: Option<&'a Path>,
    /// Make a bare reference repository.
    pub bare: bool,
    /// History to get; 0: all.
    pub depth: u32,
    /// Report progress on stderr.
    pub progress: bool,
}

/// The clone command; `None` where there is nothing to do (hg has no
/// reference repositories).
pub fn clone(repo: &RepoSpec, how: &Clone<'_>) -> Option<Argv> {
    let path = how.path.display().to_string();
    if repo.vcs == Vcs::Hg {
        return (!how.bare).then(|| words(&["hg", "clone", "--", how.url, &path]));
    }
    let mut argv = words(&["git", "clone", if how.progress { "--progress" } else { "-q" }]);
    if how.depth > 0 && repo.refspec.is_none() {
        if !how.bare {
            argv.extend(words(&["--depth", &how.depth.to_string()]));
        }
        if let Some(branch) = &repo.branch {
            argv.extend(words(&["--branch", without_refs(branch)]));
        }
    }
    match how.reference {
        Some(reference) => {
            let reference = reference.display().to_string();
            argv.extend(words(&["--reference", &reference, "--", &reference, &path]));
        }
        None if how.bare => argv.extend(words(&["--bare", "--", how.url, &path])),
        None => argv.extend(words(&["--", how.url, &path])),
    }
    Some(argv)
}

/// Points the repository at `url`.
pub fn set_url(url: &str) -> Argv {
    words(&["git", "remote", "set-url", "origin", url])
}

/// The url of a local repository.
pub fn get_url(vcs: Vcs) -> Argv {
    match vcs {
        Vcs::Git => words(&["git", "remote", "get-url", "origin"]),
        Vcs::Hg => words(&["hg", "paths", "default"]),
    }
}

/// Succeeds where the wanted revision is there.
pub fn contains_wanted(repo: &RepoSpec) -> Argv {
    let own = [&repo.commit, &repo.tag].into_iter().flatten().next().cloned();
    let branch = || branch_or_refspec(repo).unwrap_or_default().to_owned();
    match repo.vcs {
        Vcs::Hg => words(&["hg", "log", "-r", &own.unwrap_or_else(branch)]),
        Vcs::Git => {
            let wanted = own.unwrap_or_else(|| match branch().strip_prefix("refs/") {
                Some(rest) => format!("remotes/origin/{rest}"),
                None => branch(),
            });
            words(&["git", "cat-file", "-t", &wanted])
        }
    }
}

/// Writes something where the branch contains the commit.
pub fn branch_contains(repo: &RepoSpec) -> Argv {
    let (branch, commit) =
        (repo.branch.as_deref().unwrap_or_default(), repo.commit.as_deref().unwrap_or_default());
    match repo.vcs {
        Vcs::Git => words(&["git", "branch", &format!("origin/{branch}"), "-r", "--contains", commit]),
        Vcs::Hg => words(&["hg", "log", "-r", commit, "-b", branch]),
    }
}

/// Fetches what is wanted.
pub fn fetch(repo: &RepoSpec, depth: u32) -> Argv {
    if repo.vcs == Vcs::Hg {
        return words(&["hg", "pull"]);
    }
    let mut argv = words(&["git", "fetch", "-q"]);
    let depth = if repo.refspec.is_some() { 0 } else { depth };
    if depth > 0 {
        argv.extend(words(&["--depth", &depth.to_string()]));
    }
    if let Some(tag) = &repo.tag {
        argv.extend(words(&["origin", &format!("+{tag}:refs/tags/{tag}")]));
    } else if let Some(commit) = repo.commit.as_ref().filter(|_| depth > 0) {
        argv.extend(words(&["origin", commit]));
    } else if let Some(branch) = branch_or_refspec(repo).filter(|b| b.starts_with("refs/") || depth > 0) {
        let branch = without_refs(branch);
        argv.extend(words(&["origin", &format!("+{branch}:refs/remotes/origin/{branch}")]));
    }
    argv
}

/// Writes something where tracked files differ from the index.
pub fn changes(vcs: Vcs) -> Argv {
    match vcs {
        Vcs::Git => words(&["git", "diff", "--stat"]),
        Vcs::Hg => words(&["hg", "status", "--modified", "--added", "--removed", "--deleted"]),
    }
}

/// The commit a tag points at.
pub fn tag_commit(repo: &RepoSpec) -> Argv {
    let tag = repo.tag.as_deref().unwrap_or_default();
    match repo.vcs {
        Vcs::Git => words(&["git", "rev-list", "-n", "1", without_refs(tag)]),
        Vcs::Hg => words(&["hg", "identify", "--id", "-r", &format!("tag({tag})")]),
    }
}

/// The object of an annotated tag.
pub fn tag_object(tag: &str) -> Argv {
    words(&["git", "show-ref", "--tags", "--hash", "--", tag])
}

/// The commit a branch or refspec stands for.
pub fn branch_commit(repo: &RepoSpec) -> Argv {
    let name = branch_or_refspec(repo).unwrap_or_default();
    match (repo.vcs, &repo.branch) {
        (Vcs::Git, _) => {
            words(&["git", "rev-parse", "--verify", "-q", &format!("origin/{}", without_refs(name))])
        }
        (Vcs::Hg, Some(branch)) => {
            words(&["hg", "identify", "--id", "-r", &format!("limit(heads(branch({branch})))")])
        }
        (Vcs::Hg, None) => words(&["hg", "identify", "--id", "-r", name]),
    }
}

/// The full id of a commit, of the checked out one without `commit`.
pub fn commit_id(vcs: Vcs, commit: Option<&str>) -> Argv {
    match vcs {
        Vcs::Git => words(&["git", "rev-parse", "--verify", commit.unwrap_or("HEAD")]),
        Vcs::Hg => words(&["hg", "log", "-r", commit.unwrap_or("."), "--template", "{node}\n"]),
    }
}

/// Checks out `wanted`; with `is_branch` on the local branch of that name.
pub fn checkout(repo: &RepoSpec, wanted: &str, is_branch: bool, force: bool) -> Argv {
    if repo.vcs == Vcs::Hg {
        let mut argv = words(&["hg", "checkout", wanted]);
        argv.extend(force.then(|| "--clean".to_owned()));
        return argv;
    }
    // a branch may be called like a commit: the suffix asks for the commit
    let wanted = without_refs(wanted);
    let suffix = if looks_like_commit(wanted) { "^{commit}" } else { "" };
    let mut argv = words(&["git", "checkout", "-q", &format!("{wanted}{suffix}")]);
    if is_branch {
        let branch = without_refs(branch_or_refspec(repo).unwrap_or_default());
        argv.extend(words(&["-B", branch.strip_prefix("heads/").unwrap_or(branch)]));
    }
    argv.extend(force.then(|| "--force".to_owned()));
    argv
}

/// Starts the local branch that takes the patches.
pub fn patch_branch(repo: &RepoSpec) -> Argv {
    let wanted = repo.commit.as_deref().unwrap_or_else(|| without_refs(repo.wanted().unwrap_or_default()));
    match repo.vcs {
        Vcs::Git => words(&["git", "checkout", "-q", "-B", &format!("patched-{wanted}")]),
        Vcs::Hg => {
            let wanted = wanted.rsplit(':').next().unwrap_or_default();
            words(&["hg", "branch", "-f", &format!("patched-{wanted}")])
        }
    }
}

/// Applies a patch to the working tree.
pub fn apply_patch(vcs: Vcs, patch: &Path) -> Argv {
    let patch = patch.display().to_string();
    match vcs {
        Vcs::Git => words(&["git", "apply", "--whitespace=nowarn", &patch]),
        Vcs::Hg => words(&["hg", "import", "--no-commit", &patch]),
    }
}

/// Notes new files.
pub fn add_all(vcs: Vcs) -> Argv {
    match vcs {
        Vcs::Git => words(&["git", "add", "-A"]),
        Vcs::Hg => words(&["hg", "add"]),
    }
}

/// Commits a patch.
pub fn commit(vcs: Vcs, author: &str, message: &str, date: &str) -> Argv {
    match vcs {
        Vcs::Git => words(&["git", "commit", "-a", "--author", author, "-m", message, "--date", date]),
        Vcs::Hg => words(&["hg", "commit", "--user", author, "-m", message, "--date", date]),
    }
}

/// Succeeds where `path` is tracked.
pub fn tracks(vcs: Vcs, path: &str) -> Argv {
    match vcs {
        Vcs::Git => words(&["git", "ls-files", "--error-unmatch", "--", path]),
        Vcs::Hg => words(&["hg", "files", "--", path]),
    }
}
