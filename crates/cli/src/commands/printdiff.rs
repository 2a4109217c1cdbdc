//! `bitbake -S printdiff`: what made the tasks of a build differ from those that ran before.

use crate::session::Session;
use anyhow::Result;
use bitzel_taskgraph::{Color, Signatures, compare, read_siginfo};
use bitzel_workspace::{Plan, SignatureFiles};

/// Prints, for each task whose own inputs differ from its last run, what differs. The
/// signature files of the current tasks are there already.
pub fn run(session: &Session, plan: &Plan, signatures: &Signatures) -> Result<()> {
    let files = SignatureFiles::new(&session.recipes);
    let mut changed = Vec::new();
    for task in plan.graph.tasks() {
        let found = files.of_task(plan.graph.recipe(task), plan.graph.task_name(task));
        let hash = signatures.get(task).unihash.as_str();
        let now = found.iter().find(|file| file.hash == hash);
        let before = found.iter().find(|file| file.hash != hash);
        let (Some(now), Some(before)) = (now, before) else { continue };
        let (now, before) = (read_siginfo(&now.path)?, read_siginfo(&before.path)?);
        // Differences of dependencies are shown where they begin.
        let lines = compare(&before, &now, Color::Never, Some(&mut |_, _, _| Vec::new()));
        if !lines.is_empty() {
            changed.push((plan.graph.task_id(task).to_string(), lines));
        }
    }
    if changed.is_empty() {
        println!("No task differs from its last run.");
        return Ok(());
    }
    println!("The differences between the current build and any cached tasks start at the following tasks:");
    for (task, _) in &changed {
        println!("{task}");
    }
    for (task, lines) in &changed {
        println!("\n{task}:");
        for line in lines {
            println!("  {line}");
        }
    }
    Ok(())
}
