//! The right revision of a repository checked out, changed files left alone.

use crate::context::Context;
use crate::error::KasError;
use crate::guard;
use crate::repository::Repository;
use crate::vcs;
use bitzel_project::{RepoSpec, Vcs};

/// Checks out what is wanted of a managed repository.
pub fn checkout(ctx: &Context, spec: &RepoSpec) -> Result<(), KasError> {
    if !spec.is_managed() || spec.is_floating() {
        return Ok(());
    }
    guard::managed_path(ctx, spec)?;
    let repo = Repository::new(ctx, spec);
    let force = ctx.options.force_checkout;
    if !force && repo.is_dirty()? {
        ctx.log.warning(&format!("Repo {} is dirty - no checkout", spec.name));
        return Ok(());
    }
    let (wanted, is_branch) = wanted_revision(repo)?;
    let there = !is_branch && spec.vcs == Vcs::Git && repo.detached_head().as_deref() == Some(&wanted);
    if !there || force {
        repo.tell(&vcs::checkout(spec, &wanted, is_branch, force))?;
    }
    ctx.log.info(&format!("Repository {} checked out to {wanted}", spec.name));
    extras(ctx, repo)
}

/// The revision to check out, and whether on its local branch.
fn wanted_revision(repo: Repository<'_>) -> Result<(String, bool), KasError> {
    let spec = repo.spec;
    let name = &spec.name;
    if let (Some(tag), Some(branch)) = (&spec.tag, &spec.branch) {
        return Err(KasError::User(format!(
            "Both tag \"{tag}\" and branch \"{branch}\" cannot be specified for repository \"{name}\""
        )));
    }
    if let Some(tag) = &spec.tag {
        let output = repo.ask(&vcs::tag_commit(spec))?;
        if !output.ok() {
            return Err(KasError::User(format!("Tag \"{tag}\" cannot be found in repository \"{name}\"")));
        }
        let found = output.stdout.trim().to_owned();
        if let Some(commit) = spec.commit.as_ref().filter(|commit| **commit != found) {
            // the commit may name the object of an annotated tag
            if repo.annotated_tag()?.as_ref() != Some(commit) {
                return Err(KasError::User(format!(
                    "Provided tag \"{tag}\" (\"{found}\") does not match provided commit \"{commit}\" in repository \
                     \"{name}\", aborting!"
                )));
            }
        }
        return Ok((found, false));
    }
    if let Some(branch) = &spec.branch {
        let output = repo.ask(&vcs::branch_commit(spec))?;
        if !output.ok() {
            return Err(KasError::User(format!(
                "Branch \"{branch}\" cannot be found in repository \"{name}\""
            )));
        }
        let Some(commit) = &spec.commit else { return Ok((output.stdout.trim().to_owned(), true)) };
        // a shallow clone does not know which branches hold the commit
        if repo.ctx.clone_depth == 0 && repo.ask(&vcs::branch_contains(spec))?.stdout.trim().is_empty() {
            return Err(KasError::User(format!(
                "Branch \"{branch}\" in repository \"{name}\" does not contain commit \"{commit}\"\n\
                 The branch may have been rewritten; update the commit or remove `branch`."
            )));
        }
        return Ok((commit.clone(), true));
    }
    let wanted = spec.commit.as_ref().or(spec.refspec.as_ref()).cloned().unwrap_or_default();
    Ok((wanted, false))
}

/// Submodules and large files, where asked for.
fn extras(ctx: &Context, repo: Repository<'_>) -> Result<(), KasError> {
    if repo.spec.vcs != Vcs::Git {
        return Ok(());
    }
    let words = crate::process::argv;
    if ctx.options.submodules && repo.spec.path.join(".gitmodules").exists() {
        ctx.log.info(&format!("Repository {}: updating submodules", repo.spec.name));
        let mut argv = words(&["git", "submodule", "update", "-q", "--init", "--recursive"]);
        if ctx.clone_depth > 0 {
            argv.extend(words(&["--depth", &ctx.clone_depth.to_string()]));
        }
        repo.tell(&argv)?;
    }
    if ctx.options.lfs {
        ctx.log.info(&format!("Repository {}: fetching large files", repo.spec.name));
        repo.tell(&words(&["git", "lfs", "install", "--local"]))?;
        repo.tell(&words(&["git", "lfs", "pull"]))?;
    }
    Ok(())
}
