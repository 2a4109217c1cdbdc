//! `bitbake -g`: the task graph as files.

use crate::session::Session;
use anyhow::{Context, Result};
use bitzel_taskgraph::{pn_buildlist, task_depends};
use bitzel_workspace::PlanOptions;
use std::path::Path;
use std::process::ExitCode;

/// Writes `pn-buildlist` and `task-depends.dot` into the working directory.
pub fn run(session: &Session, options: &PlanOptions) -> Result<ExitCode> {
    let plan = session.plan(options)?;
    let index = &session.recipes.index;
    write("pn-buildlist", &pn_buildlist(&plan.graph, index))?;
    println!("NOTE: PN build list saved to 'pn-buildlist'");
    let mut text = String::new();
    task_depends(&plan.graph, index, &mut text)?;
    write("task-depends.dot", &text)?;
    println!("NOTE: Task dependencies saved to 'task-depends.dot'");
    Ok(ExitCode::SUCCESS)
}

fn write(name: &str, text: &str) -> Result<()> {
    std::fs::write(Path::new(name), text).with_context(|| {
        format!("cannot write `{name}` into the working directory; run it where you may write")
    })
}
