//! The sandbox, environment and command of a task, asked of a host.

use crate::arguments::ConfigArguments;
use crate::session::Session;
use anyhow::{Context, Result, bail};
use bitzel_engine::task_order;
use bitzel_exec::{Mode, SandboxConfig, TaskSpec};
use bitzel_workspace::PlanOptions;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a host says of a task.
#[derive(Deserialize)]
pub struct Described {
    config: String,
    spec: String,
    env: BTreeMap<String, String>,
    cwd: PathBuf,
    /// Words to put before a command (FAKEROOTCMD).
    pub launcher: Vec<String>,
    /// Runs the task; only where a bundle was asked for.
    #[serde(default)]
    pub script: Option<String>,
    /// Functions of the task that the script leaves out.
    #[serde(default)]
    pub skipped: Vec<String>,
    /// Why there is no script.
    #[serde(default)]
    pub refused: String,
}

/// Asks a host, by the command `ask`, of the task `RECIPE:do_TASK`: what it said, and the sandbox without a command.
pub fn described_task(
    config: &ConfigArguments,
    task: &str,
    ask: &str,
) -> Result<(Described, SandboxConfig, TaskSpec)> {
    if !task.contains(":do_") {
        bail!("`{task}` names no task: expected RECIPE:do_TASK");
    }
    let session = Session::load(config)?;
    let plan = session.plan(&PlanOptions { targets: vec![task.to_owned()], ..PlanOptions::default() })?;
    let signatures = session.sign(&plan)?;
    let &target = plan.graph.targets.first().context("the target has no task")?;
    let variables = super::run_tasks::sandbox_variables(&session);
    let order = task_order(&session.recipes, &plan.graph, &signatures, target, variables);
    let order = serde_json::to_string(&order).context("the task cannot be described")?;
    let answer = session.call(ask, vec![order])?;
    let described: Described = serde_json::from_str(&answer).context("unexpected answer of the host")?;
    let (config, mut spec) = match described.config.as_str() {
        "off" => (SandboxConfig { mode: Mode::Off, ..SandboxConfig::default() }, TaskSpec::default()),
        text => (serde_json::from_str(text)?, serde_json::from_str(&described.spec)?),
    };
    task.clone_into(&mut spec.name);
    spec.cwd.clone_from(&described.cwd);
    spec.env.clone_from(&described.env);
    Ok((described, config, spec))
}
