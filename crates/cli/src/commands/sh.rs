//! `bitzel sh RECIPE:TASK`: a shell, or one command, in a task's sandbox and environment.

use crate::arguments::ConfigArguments;
use crate::session::Session;
use anyhow::{Context, Result, bail};
use bitzel_engine::task_order;
use bitzel_exec::{Mode, SandboxConfig, TaskSpec, run_in_terminal};
use bitzel_workspace::PlanOptions;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
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

/// What a host says of the task.
#[derive(Deserialize)]
struct Described {
    config: String,
    spec: String,
    env: BTreeMap<String, String>,
    cwd: PathBuf,
    launcher: Vec<String>,
}

/// Runs the shell; its exit code is the command's.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    if !arguments.task.contains(":do_") {
        bail!("`{}` names no task: expected RECIPE:do_TASK", arguments.task);
    }
    let session = Session::load(&arguments.config)?;
    let plan =
        session.plan(&PlanOptions { targets: vec![arguments.task.clone()], ..PlanOptions::default() })?;
    let signatures = session.sign(&plan)?;
    let &task = plan.graph.targets.first().context("the target has no task")?;
    let variables = super::run_tasks::sandbox_variables(&session);
    let order = task_order(&session.recipes, &plan.graph, &signatures, task, variables);
    let order = serde_json::to_string(&order).context("the task cannot be described")?;
    let answer = session.call("shell", vec![order])?;
    let described: Described = serde_json::from_str(&answer).context("unexpected answer of the host")?;
    let (config, mut spec) = match described.config.as_str() {
        "off" => (SandboxConfig { mode: Mode::Off, ..SandboxConfig::default() }, TaskSpec::default()),
        text => (serde_json::from_str(text)?, serde_json::from_str(&described.spec)?),
    };
    spec.name.clone_from(&arguments.task);
    spec.cwd = described.cwd;
    spec.env = described.env;
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
