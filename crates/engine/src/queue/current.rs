//! Whether what a task made is still good: its stamp and those it stands on.

use crate::queue::table::TaskTable;
use crate::queue::world::World;
use bitzel_taskgraph::TaskIx;
use std::time::SystemTime;

/// Times of stamps, looked up once.
pub(crate) struct Stamps {
    /// Of real tasks and of setscene tasks.
    times: Vec<[Option<Option<SystemTime>>; 2]>,
    /// Whether a task and all it stands on are current.
    chains: Vec<Option<bool>>,
}

impl Stamps {
    pub(crate) fn new(tasks: usize) -> Stamps {
        Stamps { times: vec![[None; 2]; tasks], chains: vec![None; tasks] }
    }

    /// A stamp was written, or may have been.
    pub(crate) fn forget(&mut self, task: TaskIx) {
        self.times[task.0 as usize] = [None; 2];
    }

    /// Hashes changed, and with them what stands on what.
    pub(crate) fn forget_chains(&mut self) {
        self.chains.fill(None);
    }

    /// When a stamp was written.
    pub(crate) fn time(
        &mut self,
        table: &TaskTable<'_>,
        world: &mut dyn World,
        task: TaskIx,
        setscene: bool,
    ) -> Option<SystemTime> {
        let known = &mut self.times[task.0 as usize][usize::from(setscene)];
        *known.get_or_insert_with(|| world.modified(&table.stamp(task, setscene)))
    }

    /// Whether a task need not run: its stamp is there and no dependency of the same recipe
    /// has a newer one. BitBake: a dependency whose setscene stamp is the newer of its two
    /// was restored, which makes nobody run again.
    pub(crate) fn is_current(
        &mut self,
        table: &TaskTable<'_>,
        world: &mut dyn World,
        task: TaskIx,
        depth: Depth,
    ) -> bool {
        if depth == Depth::Chain
            && let Some(known) = self.chains[task.0 as usize]
        {
            return known;
        }
        let current = self.look(table, world, task, depth);
        if depth == Depth::Chain {
            self.chains[task.0 as usize] = Some(current);
        }
        current
    }

    fn look(&mut self, table: &TaskTable<'_>, world: &mut dyn World, task: TaskIx, depth: Depth) -> bool {
        if table.is_nostamp(task) {
            return false;
        }
        let Some(own) = self.time(table, world, task, false) else { return false };
        let graph = table.graph();
        let recipe = graph.recipe_number(task);
        graph.deps(task).filter(|&dep| graph.recipe_number(dep) == recipe).all(|dep| {
            let made = self.time(table, world, dep, false);
            let restored = if table.has_scene(dep) { self.time(table, world, dep, true) } else { None };
            match (made, restored) {
                (None, Some(_)) => true,
                (Some(made), Some(restored)) if restored > made => true,
                (Some(made), _) => {
                    made <= own && (depth == Depth::Own || self.is_current(table, world, dep, depth))
                }
                (None, None) => false,
            }
        })
    }
}

/// How far to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The task and what it depends on directly.
    Own,
    /// All it stands on within the recipe.
    Chain,
}
