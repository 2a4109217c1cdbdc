//! The steps every command is made of, in kas' order and with its names.

use crate::environ::build_environ;
use crate::error::{IoContext, KasError};
use crate::files::{cachedir_tag, write_if_changed};
use crate::session::Session;
use crate::{guard, home, patches, ssh_agent};
use bitzel_project::{bblayers_conf, local_conf};

/// A step that can be skipped by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The build directory.
    SetupDir,
    /// An ssh-agent, if keys are handed over.
    SetupSshAgent,
    /// A temporary HOME with credentials.
    SetupHome,
    /// No questions of git.
    MakeNonInteractive,
    /// Read the project files that are there.
    InitSetupRepos,
    /// Fetch what includes need, until the project is complete.
    RepoSetupLoop,
    /// Fetch all repositories.
    FinishSetupRepos,
    /// Check them out.
    ReposCheckout,
    /// Apply patches.
    ReposApplyPatches,
    /// The build environment.
    SetupEnviron,
    /// bblayers.conf and local.conf.
    WriteBbconfig,
}

/// In the order they run.
pub const STEPS: [Step; 11] = [
    Step::SetupDir,
    Step::SetupSshAgent,
    Step::SetupHome,
    Step::MakeNonInteractive,
    Step::InitSetupRepos,
    Step::RepoSetupLoop,
    Step::FinishSetupRepos,
    Step::ReposCheckout,
    Step::ReposApplyPatches,
    Step::SetupEnviron,
    Step::WriteBbconfig,
];

/// The steps `--keep-config-unchanged` skips.
pub const KEEP_CONFIG: [&str; 5] =
    ["setup_dir", "finish_setup_repos", "repos_checkout", "repos_apply_patches", "write_bbconfig"];

impl Step {
    /// Name for `--skip`.
    pub fn name(self) -> &'static str {
        match self {
            Step::SetupDir => "setup_dir",
            Step::SetupSshAgent => "setup_ssh_agent",
            Step::SetupHome => "setup_home",
            Step::MakeNonInteractive => "make_non_interactive",
            Step::InitSetupRepos => "init_setup_repos",
            Step::RepoSetupLoop => "repo_setup_loop",
            Step::FinishSetupRepos => "finish_setup_repos",
            Step::ReposCheckout => "repos_checkout",
            Step::ReposApplyPatches => "repos_apply_patches",
            Step::SetupEnviron => "setup_environ",
            Step::WriteBbconfig => "write_bbconfig",
        }
    }

    fn run(self, session: &mut Session) -> Result<(), KasError> {
        session.ctx.log.debug(&format!("execute {}", self.name()));
        match self {
            Step::SetupDir => setup_dir(session),
            Step::SetupSshAgent => ssh_agent::start(&mut session.ctx),
            Step::SetupHome => home::set_up(&mut session.ctx),
            Step::MakeNonInteractive => {
                session.ctx.environ.insert("GIT_TERMINAL_PROMPT".to_owned(), "false".to_owned());
                Ok(())
            }
            Step::InitSetupRepos => session.read(),
            Step::RepoSetupLoop => session.complete(),
            Step::FinishSetupRepos => session.fetch(),
            Step::ReposCheckout => session.checkout(),
            Step::ReposApplyPatches => {
                session.resolve_repos()?;
                patches::apply_all(&session.ctx, &session.repos)?;
                patches::ensure_user(&session.ctx)
            }
            Step::SetupEnviron => {
                session.resolve_repos()?;
                let environ = build_environ(&session.ctx, &session.config, &session.repo_list())?;
                session.ctx.environ.extend(environ);
                Ok(())
            }
            Step::WriteBbconfig => write_conf(session),
        }
    }
}

/// Runs all steps but the skipped ones, then `body`, and ends the ssh-agent
/// whatever happens.
pub fn with_steps<T>(
    session: &mut Session,
    skip: &[String],
    body: impl FnOnce(&mut Session) -> Result<T, KasError>,
) -> Result<T, KasError> {
    let agent = ssh_agent::is_wanted(&session.ctx)?;
    let mut agent_runs = false;
    let mut steps = || -> Result<(), KasError> {
        for step in STEPS {
            let unwanted = step == Step::SetupSshAgent && !agent;
            if !unwanted && !skip.iter().any(|name| name == step.name()) {
                session.ctx.cancel.check()?;
                agent_runs |= step == Step::SetupSshAgent;
                step.run(session)?;
            }
        }
        Ok(())
    };
    let result = steps();
    let result = result.and_then(|()| body(session));
    if agent_runs {
        ssh_agent::stop(&session.ctx);
    }
    result
}

fn setup_dir(session: &mut Session) -> Result<(), KasError> {
    let ctx = &session.ctx;
    guard::build_dir(ctx)?;
    if !ctx.build_dir.exists() {
        std::fs::create_dir(&ctx.build_dir).doing("create", &ctx.build_dir)?;
    }
    cachedir_tag(&ctx.build_dir, "kas build directory")
}

fn write_conf(session: &mut Session) -> Result<(), KasError> {
    session.resolve_repos()?;
    let ctx = &session.ctx;
    guard::build_dir(ctx)?;
    let conf = ctx.build_dir.join("conf");
    std::fs::create_dir_all(&conf).doing("create", &conf)?;
    let bblayers = bblayers_conf(&session.config, &session.repo_list(), &ctx.build_dir);
    let local = local_conf(&session.config, &ctx.env, &session.overrides);
    for (name, text) in [("bblayers.conf", bblayers), ("local.conf", local)] {
        if !write_if_changed(&conf.join(name), &text)? {
            ctx.log.debug(&format!("{name} is unchanged"));
        }
    }
    Ok(())
}
