//! Hash equivalence while a build runs: a task whose output turned out to be known takes
//! that output's unihash, and everything that stands on it gets other hashes: those of an
//! earlier build, mostly, whose results are there or can be restored.

use crate::Result;
use crate::queue::current::Depth;
use crate::queue::follow::Item;
use crate::queue::run_queue::RunQueue;
use crate::queue::scene::Restorable;
use crate::queue::state::State;
use crate::queue::world::World;
use bitzel_taskgraph::{TaskIx, UniHash, UniHashQuery, UniHashSource};
use std::collections::BTreeSet;

impl RunQueue<'_> {
    /// A task that ran has this unihash. Hashes of all that stands on it are computed anew,
    /// and what has not started is planned anew. Gives how many tasks have other hashes.
    ///
    /// # Errors
    /// Those of the world.
    pub fn set_unihash(
        &mut self,
        task: TaskIx,
        unihash: &UniHash,
        source: &mut dyn UniHashSource,
        world: &mut dyn World,
    ) -> Result<usize> {
        if self.table.unihash(task) == unihash.as_str() {
            return Ok(0);
        }
        self.table.set_unihash(task, unihash.as_str());
        self.stamps.forget(task);
        let changed = self.rehash_dependents(task, source);
        self.stamps.forget_chains();
        changed.iter().for_each(|&task| self.stamps.forget(task));
        self.look_again(&changed, world)?;
        self.plan_anew();
        self.settle(world)?;
        Ok(changed.len())
    }

    /// Follows a changed unihash upwards, every task after all it depends on.
    fn rehash_dependents(&mut self, task: TaskIx, source: &mut dyn UniHashSource) -> Vec<TaskIx> {
        let mut changed = Vec::new();
        let mut open: BTreeSet<(u32, TaskIx)> =
            self.table.dependents(task).map(|task| (self.ranks[task.0 as usize], task)).collect();
        while let Some((_, task)) = open.pop_first() {
            // What runs leaves its stamp under the hash it was started with.
            if matches!(self.state(task), State::Running | State::SceneRunning) {
                continue;
            }
            let task_hash = self.table.hash_again(task);
            if task_hash.as_str() == self.table.task_hash(task) {
                continue;
            }
            let mut unihash = task_hash.to_unihash();
            if self.table.has_scene(task) {
                let query = UniHashQuery { task, task_hash: task_hash.clone() };
                if let Some(Some(known)) = source.unihashes(&[query]).pop() {
                    unihash = known;
                }
            }
            let same = unihash.as_str() == self.table.unihash(task);
            self.table.set_task_hash(task, task_hash.as_str());
            self.table.set_unihash(task, unihash.as_str());
            changed.push(task);
            if !same {
                let above = self.table.dependents(task);
                open.extend(above.map(|task| (self.ranks[task.0 as usize], task)));
            }
        }
        changed
    }

    /// Finds out anew about restoring tasks with other hashes.
    fn look_again(&mut self, changed: &[TaskIx], world: &mut dyn World) -> Result<()> {
        let mut asked = Vec::new();
        for &task in changed {
            let n = task.0 as usize;
            let started = matches!(self.states[n], State::Done | State::Failed | State::SceneRunning);
            let started = started || self.restored.contains(&task);
            if started || self.restorable[n] == Restorable::Never || self.table.is_noexec(task) {
                continue;
            }
            self.restorable[n] = if self.stamps.time(&self.table, world, task, true).is_some() {
                Restorable::Kept
            } else if self.stamps.is_current(&self.table, world, task, Depth::Chain) {
                Restorable::Made
            } else {
                asked.push(task);
                Restorable::Missing
            };
        }
        if self.options.skip_setscene || asked.is_empty() {
            return Ok(());
        }
        let answers = world.restorable(&self.table, &asked, 0)?;
        for (&task, yes) in asked.iter().zip(answers) {
            if yes {
                self.restorable[task.0 as usize] = Restorable::Yes;
            }
        }
        Ok(())
    }

    /// Forgets what was decided about tasks that have not started.
    fn plan_anew(&mut self) {
        let graph = self.table.graph();
        self.forget_ready();
        for task in graph.tasks() {
            let n = task.0 as usize;
            if !matches!(self.states[n], State::Done | State::Failed | State::Running | State::SceneRunning) {
                self.states[n] = State::Undecided;
                self.covered[n] = None;
                if self.restored.contains(&task) {
                    // It is not restored twice, whatever its hash is now.
                    self.restorable[n] = Restorable::Kept;
                }
            }
        }
        (self.numbers.scene_covered, self.numbers.scene_not_covered) = (0, 0);
        for task in graph.tasks() {
            let n = task.0 as usize;
            self.undecided[n] =
                self.table.dependents(task).filter(|d| self.covered[d.0 as usize].is_none()).count() as u32;
            // A dependent that is done needs it no more; one that failed never will.
            let wanted = |d: TaskIx| self.states[d.0 as usize] == State::Running;
            self.wanted[n] = self.is_root(task) || self.table.dependents(task).any(wanted);
            if self.restorable[n] != Restorable::Never {
                match self.covered[n] {
                    Some(true) => self.numbers.scene_covered += 1,
                    Some(false) => self.numbers.scene_not_covered += 1,
                    None => {}
                }
            }
        }
        self.agenda.extend(graph.tasks().map(Item::Consider));
    }
}
