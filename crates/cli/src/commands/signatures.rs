//! `bitbake -S`: signature files of all tasks of the targets, without running any.

use super::locked_signatures;
use super::printdiff::Differences;
use crate::progress::Terminal;
use crate::session::Session;
use anyhow::{Context, Result, bail};
use bitzel_host::Error as HostError;
use bitzel_recipe::protocol::{Reply, Request, SignatureOrder, TaskSignatureParts};
use bitzel_taskgraph::{SigRuntime, Signatures, TaskIx, sigdata_path};
use bitzel_workspace::{Plan, PlanOptions, Watch};
use std::process::ExitCode;

/// Writes what the handlers (`none`, `printdiff`, `lockedsigs`) ask for.
pub fn run(session: &Session, options: &PlanOptions, handlers: &[String]) -> Result<ExitCode> {
    if let Some(unknown) =
        handlers.iter().find(|h| !["none", "printdiff", "lockedsigs"].contains(&h.as_str()))
    {
        bail!("-S takes none, printdiff or lockedsigs, not `{unknown}`");
    }
    let plan = session.plan(options)?;
    let signatures = session.sign(&plan)?;
    if handlers.iter().any(|handler| handler == "lockedsigs") {
        locked_signatures::write(session, &plan, &signatures)?;
        println!("NOTE: Locked signatures saved to 'locked-sigs.inc'");
    }
    let wanted = handlers.iter().any(|handler| handler == "printdiff");
    let differences = wanted.then(|| Differences::find(session, &plan, &signatures));
    if let Some(differences) = &differences {
        differences.print_starts();
    }
    println!("NOTE: Writing task signature files");
    write_all(session, &plan, &signatures)?;
    if let Some(differences) = &differences {
        differences.print_reasons()?;
    }
    println!("NOTE: Tasks Summary: Attempted 0 tasks of which 0 didn't need to be rerun and all succeeded.");
    Ok(ExitCode::SUCCESS)
}

/// What is written of a task's signature beyond its text.
pub fn runtime_parts(
    session: &Session,
    plan: &Plan,
    signatures: &Signatures,
    task: TaskIx,
) -> Result<String> {
    let runtime = SigRuntime::of_task(&session.recipes.index, &plan.graph, signatures, task);
    Ok(serde_json::to_string(&runtime)?)
}

fn orders(session: &Session, plan: &Plan, signatures: &Signatures) -> Result<Vec<SignatureOrder>> {
    let graph = &plan.graph;
    let mut orders = Vec::new();
    for (number, id) in (0u32..).zip(graph.recipes()) {
        let ix = session.recipes.index.find(id).with_context(|| format!("{id} was not evaluated"))?;
        let stamp = &session.recipes.index.recipe(ix).info.stamp;
        let mut tasks = Vec::new();
        for task in graph.tasks_of(number) {
            let name = graph.task_name(task);
            let path = sigdata_path(stamp, name, signatures.get(task).unihash.as_str());
            tasks.push(TaskSignatureParts {
                task: name.to_owned(),
                runtime: runtime_parts(session, plan, signatures, task)?,
                path: path.to_str().context("STAMP is UTF-8")?.to_owned(),
            });
        }
        let address = session.recipes.address(id).with_context(|| format!("{id} was not evaluated"))?;
        orders.push(SignatureOrder { address, tasks });
    }
    Ok(orders)
}

/// Spreads the recipes over hosts that evaluate them and write their tasks' files.
fn write_all(session: &Session, plan: &Plan, signatures: &Signatures) -> Result<()> {
    let orders = orders(session, plan, signatures)?;
    let processes = std::thread::available_parallelism().map_or(1, usize::from);
    let mut host = session.build_dir.start_host(processes)?;
    host.configure(session.build_dir.configure.clone())?;
    let watch = Terminal::default();
    watch.begin("Writing signatures", orders.len());
    host.spread(processes, &orders, |channel, order| {
        match channel.ask(&Request::WriteSignatures(order.clone()))? {
            Reply::Done => watch.step(),
            _ => return Err(HostError::Confused),
        }
        Ok(())
    })?;
    watch.end();
    Ok(())
}
