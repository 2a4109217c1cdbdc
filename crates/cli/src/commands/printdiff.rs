//! `bitbake -S printdiff`: what made the tasks of a build differ from those that ran before.

use crate::session::Session;
use anyhow::Result;
use bitzel_engine::TaskTable;
use bitzel_taskgraph::{Color, Signatures, TaskIx, compare, read_siginfo};
use bitzel_workspace::{Plan, SignatureFile, SignatureFiles};
use std::path::Path;

/// A task that did not run as it is now.
struct Changed {
    task: TaskIx,
    /// The newest signature file of another hash; none if it never ran.
    before: Option<SignatureFile>,
}

/// Where the differences begin: tasks that did not run as they are now, while all they depend
/// on did.
pub struct Differences<'a> {
    session: &'a Session,
    plan: &'a Plan,
    signatures: &'a Signatures,
    files: SignatureFiles<'a>,
    starts: Vec<Changed>,
}

impl<'a> Differences<'a> {
    /// Looks for them; the signature files of the current tasks need not be there.
    pub fn find(session: &'a Session, plan: &'a Plan, signatures: &'a Signatures) -> Differences<'a> {
        let files = SignatureFiles::new(&session.recipes);
        let graph = &plan.graph;
        let recipes = &session.recipes;
        let table = TaskTable::new(&recipes.index, graph, signatures, recipes.hashed_stamps());
        let stamped = |task, setscene| Path::new(&table.stamp(task, setscene)).exists();
        let mut dirty = vec![false; graph.len()];
        let mut starts = Vec::new();
        for task in graph.topological_order().into_iter().flatten() {
            let (id, name) = (graph.recipe(task), graph.task_name(task));
            let hash = signatures.get(task).unihash.as_str();
            let found = files.of_task(id, name);
            let ran = stamped(task, false)
                || stamped(task, true)
                || found.iter().any(|file| file.hash == hash && file.in_sstate);
            let below = graph.deps(task).any(|dep| dirty[dep.0 as usize]);
            dirty[task.0 as usize] = below || !ran;
            if !ran && !below {
                starts.push(Changed { task, before: found.into_iter().find(|file| file.hash != hash) });
            }
        }
        // What never ran says nothing of what changed.
        if starts.iter().any(|start| start.before.is_some()) {
            starts.retain(|start| start.before.is_some());
        }
        Differences { session, plan, signatures, files, starts }
    }

    /// Names the tasks.
    pub fn print_starts(&self) {
        println!(
            "The differences between the current build and any cached tasks start at the following tasks:"
        );
        for start in &self.starts {
            println!("{}", self.plan.graph.task_id(start.task));
        }
    }

    /// Says what differs in them. The signature files of the current tasks are there by now.
    pub fn print_reasons(&self) -> Result<()> {
        let (graph, index) = (&self.plan.graph, &self.session.recipes.index);
        for Changed { task, before } in &self.starts {
            let (id, name) = (graph.recipe(*task), graph.task_name(*task));
            let hash = self.signatures.get(*task).unihash.as_str();
            let (Some(before), Some(now)) = (before, self.files.with_hash(id, name, hash)) else { continue };
            let pn = index.find(id).map_or(String::new(), |ix| index.recipe(ix).mc_pn());
            println!("\nTask {pn}:{name} couldn't be used from the cache because:");
            println!("  We need hash {hash}, most recent matching task was {}", before.hash);
            let (before, now) = (read_siginfo(&before.path)?, read_siginfo(&now)?);
            for line in compare(&before, &now, Color::Never, Some(&mut |_, _, _| Vec::new())) {
                println!("  {line}");
            }
        }
        Ok(())
    }
}
