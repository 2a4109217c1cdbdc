//! `bitzel sh RECIPE:TASK`: a shell, or one command, in a task's sandbox and environment.

use crate::arguments::ConfigArguments;
use crate::commands::task_sandbox::described_task;
use anyhow::{Context, Result};
use bitzel_exec::run_in_terminal;
use std::process::ExitCode;

/// Variables of the caller that a shell on a terminal needs.
const TERMINAL: [&str; 3] = ["TERM", "COLORTERM", "LINES"];

/// Options of `sh`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The task: `busybox:do_compile`, `mc:CONFIG:busybox:do_compile`
    #[arg(value_name = "RECIPE:TASK")]
    task: String,
    /// Run this instead of a shell
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Runs the shell; its exit code is the command's.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let (described, config, mut spec) = described_task(&arguments.config, &arguments.task, "shell")?;
    let shell = arguments.command.is_empty();
    spec.interactive = shell;
    spec.argv = described.launcher;
    if shell {
        spec.env
            .extend(TERMINAL.iter().filter_map(|&name| Some((name.to_owned(), std::env::var(name).ok()?))));
        spec.env.insert("PS1".to_owned(), format!("{} \\w\\$ ", arguments.task));
        spec.argv.extend(["/bin/bash", "--norc", "--noprofile", "-i"].map(str::to_owned));
    } else {
        spec.argv.extend(arguments.command);
    }
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let code = run_in_terminal(&program, &config, &spec)?;
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}
