//! `kas shell`: a shell, or one command, in the build environment.

use crate::args::{is_set, skipped, text};
use crate::context::Context;
use crate::error::KasError;
use crate::home;
use crate::process::shown;
use crate::session::Session;
use crate::steps::with_steps;
use clap::ArgMatches;
use std::io::IsTerminal;

/// The history of the shell, in the work directory.
pub const HISTORY: &str = ".kas_shell_history";

/// Runs the command. The exit code of the shell becomes that of the command.
pub fn run(mut session: Session, matches: &ArgMatches) -> Result<(), KasError> {
    preserve_env(&mut session.ctx, is_set(matches, "preserve-env"))?;
    let command = text(matches, "command").filter(|command| !command.is_empty());
    with_steps(&mut session, &skipped(matches), |session| {
        let (task, targets) = (session.task(), session.targets().join(" "));
        let ctx = &mut session.ctx;
        ctx.environ.insert("GIT_TERMINAL_PROMPT".to_owned(), "true".to_owned());
        ctx.log.info(&format!("To start the default build, run: bitbake -c {task} {targets}"));
        let mut argv = vec![ctx.environ.get("SHELL").cloned().unwrap_or_else(|| "/bin/sh".to_owned())];
        if let Some(command) = command {
            argv.extend(["-c".to_owned(), command.to_owned()]);
        }
        let history = ctx.work_dir.join(HISTORY).display().to_string();
        ctx.environ.insert("HISTFILE".to_owned(), history);
        match ctx.runner().foreground(&argv, &ctx.build_dir)? {
            0 => Ok(()),
            code => {
                ctx.log.error("Shell returned non-zero exit status");
                Err(KasError::Command { command: shown(&argv), code, forward: true })
            }
        }
    })
}

/// Takes the caller's environment over as it is; only for people at a
/// terminal.
pub fn preserve_env(ctx: &mut Context, wanted: bool) -> Result<(), KasError> {
    if !wanted {
        return Ok(());
    }
    for name in home::VARIABLES.iter().filter(|name| ctx.env.contains_key(**name)) {
        let text = format!("Environment variable \"{name}\" ignored because user environment is being used");
        ctx.log.warning(&text);
    }
    if !std::io::stdout().is_terminal() {
        return Err(KasError::User("--preserve-env can only be run from a tty".to_owned()));
    }
    ctx.environ = ctx.env.clone();
    ctx.log
        .warning("Preserving the current environment block may have unintended side effects on the build.");
    Ok(())
}
