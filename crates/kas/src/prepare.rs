//! Everything before a build, for callers that build themselves.

use crate::cancel::Cancel;
use crate::context::{Context, Invocation, RepoOptions};
use crate::error::KasError;
use crate::log::Logger;
use crate::session::Session;
use crate::steps::with_steps;
use bitzel_project::{Environment, Overrides, Refuses};
use std::path::PathBuf;
use std::sync::Arc;

/// What to prepare.
#[derive(Clone, Debug, Default)]
pub struct PrepareOptions {
    /// Targets and task that override those of the project.
    pub overrides: Overrides,
    /// Names of steps to skip.
    pub skip: Vec<String>,
    /// How repositories are treated.
    pub repos: RepoOptions,
}

/// A build directory that is ready: repositories are checked out and patched,
/// conf/bblayers.conf and conf/local.conf are written.
///
/// Keep it for as long as the build runs: the temporary HOME with the
/// credentials goes with it.
pub struct PreparedBuildDir {
    /// TOPDIR.
    pub build_dir: PathBuf,
    /// KAS_WORK_DIR.
    pub work_dir: PathBuf,
    /// The whole environment of the build.
    pub environment: Environment,
    /// What to build.
    pub targets: Vec<String>,
    /// The task, without `do_`.
    pub task: String,
    /// Display name and folder of every repository, in order.
    pub repos: Vec<(String, PathBuf)>,
    _home: Option<tempfile::TempDir>,
}

impl PreparedBuildDir {
    /// Takes what a build needs out of a session whose steps have run.
    pub(crate) fn new(session: &mut Session) -> PreparedBuildDir {
        PreparedBuildDir {
            build_dir: session.ctx.build_dir.clone(),
            work_dir: session.ctx.work_dir.clone(),
            environment: session.ctx.environ.clone(),
            targets: session.targets(),
            task: session.task(),
            repos: session.repos.values().map(|repo| (repo.name.clone(), repo.path.clone())).collect(),
            _home: session.ctx.home.take(),
        }
    }
}

/// Prepares the build directory of a project: `files` are project files
/// separated by colons, without them `.config.yaml` in the work directory.
/// Progress and warnings go to `log`.
///
/// An ssh-agent started for keys in the environment ends before this returns;
/// fetches of the build itself need an agent of the caller's.
pub fn prepare(
    invocation: &Invocation,
    files: Option<&str>,
    options: &PrepareOptions,
    log: Logger,
    cancel: Arc<Cancel>,
) -> Result<PreparedBuildDir, KasError> {
    let ctx = Context::new(invocation, options.repos, log, cancel)?;
    let mut session = Session::new(ctx, files, options.overrides.clone()).refusing(Refuses::Names);
    with_steps(&mut session, &options.skip, |session| Ok(PreparedBuildDir::new(session)))
}
