//! Keeps what a project makes bitzel write inside the work directory.

use crate::context::Context;
use crate::error::KasError;
use bitzel_project::{RepoSpec, normalise, resolve};
use std::path::{Path, PathBuf};

/// Refuses a repository whose folder is not below the work directory: by its
/// path, or through a link on the way.
///
/// DIFFERS: kas clones to any place a project names.
pub fn managed_path(ctx: &Context, repo: &RepoSpec) -> Result<(), KasError> {
    let (path, name) = (normalise(&repo.path), &repo.name);
    let outside = |why: &str| {
        let (path, work) = (path.display(), ctx.work_dir.display());
        Err(KasError::User(format!(
            "repository `{name}`: `{path}` {why} the work directory `{work}`; choose a `path` below it or set \
             KAS_WORK_DIR"
        )))
    };
    if !path.starts_with(&ctx.work_dir) {
        return outside("is outside of");
    }
    if !resolve(&path).starts_with(resolve(&ctx.work_dir)) {
        return outside("leads through a link out of");
    }
    if path.components().any(|part| part.as_os_str() == ".git" || part.as_os_str() == ".hg") {
        return outside("is version control data in");
    }
    if path.is_dir() && path != ctx.work_dir && !path.join(".git").exists() && !path.join(".hg").exists() {
        let path = path.display();
        return Err(KasError::User(format!(
            "repository `{name}`: `{path}` exists but is no repository; move it away"
        )));
    }
    Ok(())
}

/// Refuses a build directory that is a link out of the work directory, unless
/// the caller chose it.
pub fn build_dir(ctx: &Context) -> Result<(), KasError> {
    if !ctx.own_build_dir && !resolve(&ctx.build_dir).starts_with(resolve(&ctx.work_dir)) {
        let dir = ctx.build_dir.display();
        return Err(KasError::User(format!(
            "`{dir}` is a link out of the work directory; set KAS_BUILD_DIR to build there"
        )));
    }
    below(&ctx.build_dir, "conf").map(drop)
}

/// `dir/name`, which is written to; refused where a link leads out of `dir`.
pub fn below(dir: &Path, name: &str) -> Result<PathBuf, KasError> {
    let path = dir.join(name);
    if resolve(&path).starts_with(resolve(dir)) {
        return Ok(path);
    }
    let (path, dir) = (path.display(), dir.display());
    Err(KasError::User(format!("`{path}` is a link out of `{dir}`; remove it")))
}

/// `base/name` with links followed; refused where that is not below `base`.
pub fn inside_repo(repo: &RepoSpec, name: &Path, what: &str) -> Result<PathBuf, KasError> {
    let path = repo.path.join(name);
    if resolve(&path).starts_with(resolve(&repo.path)) {
        return Ok(path);
    }
    let (path, repo) = (path.display(), &repo.name);
    Err(KasError::User(format!("{what} `{path}` leads out of the repository `{repo}`; refused")))
}
