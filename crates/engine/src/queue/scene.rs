//! Setscene: which tasks are restored instead of made.
//!
//! Decisions go from the targets downwards. A task without setscene task is covered if all
//! that depend on it are; one with a setscene task is considered as soon as something needs
//! it, or once it is known that all that depend on it are covered.

use crate::Result;
use crate::queue::current::Depth;
use crate::queue::follow::Item;
use crate::queue::job::Job;
use crate::queue::run_queue::RunQueue;
use crate::queue::state::State;
use crate::queue::world::World;
use bitzel_taskgraph::TaskIx;
use rustc_hash::{FxHashMap, FxHashSet};

/// What is known about restoring a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restorable {
    /// There is no setscene task, or none is to be run.
    Never,
    /// It was restored before: the setscene task's stamp is there.
    Kept,
    /// It was made before: its own stamp, and all it stands on, is current.
    Made,
    /// There is something to restore it from.
    Yes,
    /// There is nothing to restore it from.
    Missing,
}

impl RunQueue<'_> {
    /// Finds out for every task with a setscene task whether it can be restored.
    pub(super) fn look_for_restorable(&mut self, world: &mut dyn World) -> Result<()> {
        if self.options.no_setscene {
            return Ok(());
        }
        let (mut asked, mut current) = (Vec::new(), 0);
        for task in self.table.graph().tasks().filter(|&task| self.table.has_scene(task)) {
            self.numbers.scene_total += 1;
            let restorable = if self.stamps.time(&self.table, world, task, true).is_some() {
                Restorable::Kept
            } else if self.stamps.is_current(&self.table, world, task, Depth::Chain) {
                Restorable::Made
            } else if self.options.skip_setscene {
                Restorable::Missing
            } else if self.table.is_noexec(task) {
                Restorable::Yes
            } else {
                asked.push(task);
                Restorable::Missing
            };
            current += usize::from(matches!(restorable, Restorable::Kept | Restorable::Made));
            self.restorable[task.0 as usize] = restorable;
        }
        if !asked.is_empty() {
            let answers = world.restorable(&self.table, &asked, current)?;
            for (&task, yes) in asked.iter().zip(answers) {
                if yes {
                    self.restorable[task.0 as usize] = Restorable::Yes;
                }
            }
            self.defer(&asked);
        }
        Ok(())
    }

    /// Of tasks with equal hashes in several multiconfigs the first is made; the others
    /// wait for it, since it may then be restored there.
    fn defer(&mut self, asked: &[TaskIx]) {
        let mut first: FxHashMap<(String, &str, String), TaskIx> = FxHashMap::default();
        for &task in asked {
            if self.restorable[task.0 as usize] != Restorable::Missing {
                continue;
            }
            let pn = self.table.info(task).pn.clone();
            let key = (pn, self.table.name(task), self.table.unihash(task).to_owned());
            match first.get(&key) {
                Some(&leader) => {
                    self.deferred.insert(task, leader);
                    self.followers.entry(leader).or_default().push(task);
                }
                None => {
                    first.insert(key, task);
                }
            }
        }
    }

    /// Decides whether a task is covered, if enough is known.
    pub(super) fn consider(&mut self, task: TaskIx, world: &mut dyn World) -> Result<()> {
        let n = task.0 as usize;
        if self.states[n] != State::Undecided {
            return Ok(());
        }
        let wanted = self.wanted[n] || self.is_hard_wanted(task);
        if !wanted && self.undecided[n] > 0 {
            return Ok(());
        }
        match self.restorable[n] {
            Restorable::Never => self.decide(task, !wanted),
            Restorable::Kept => self.decide(task, true),
            Restorable::Made => self.decide(task, false),
            Restorable::Missing => {
                if !wanted && self.is_dispensable(task, world)? {
                    self.decide(task, true);
                } else if !self.is_waiting_for_leader(task, world)? {
                    if self.restorable[n] == Restorable::Yes {
                        self.agenda.push(Item::Consider(task));
                    } else {
                        self.decide(task, false);
                    }
                }
            }
            Restorable::Yes => self.restore(task, wanted, world)?,
        }
        Ok(())
    }

    fn restore(&mut self, task: TaskIx, wanted: bool, world: &mut dyn World) -> Result<()> {
        let hard = self.hard.get(&task).map_or(&[][..], Vec::as_slice);
        if hard.iter().any(|&other| self.covered[other.0 as usize].is_none()) {
            return Ok(());
        }
        if hard.iter().any(|&other| {
            let o = other.0 as usize;
            self.covered[o] == Some(false) && self.restorable[o] != Restorable::Made
        }) {
            self.decide(task, false);
            return Ok(());
        }
        if !wanted && self.is_dispensable(task, world)? {
            self.decide(task, true);
            return Ok(());
        }
        self.set(task, State::SceneReady);
        self.make_ready(Job { task, setscene: true });
        Ok(())
    }

    /// Whether a task that only restored tasks use is not needed by them.
    fn is_dispensable(&mut self, task: TaskIx, world: &mut dyn World) -> Result<bool> {
        let dependents = self.scene_dependents(task);
        let not_needed: Vec<TaskIx> =
            dependents.iter().filter(|dep| self.not_needed.contains(dep)).copied().collect();
        let dispensable = world.dispensable(&self.table, task, &dependents, &not_needed)?;
        if dispensable {
            self.not_needed.insert(task);
        }
        Ok(dispensable)
    }

    /// A setscene task that can run names this one in its `[depends]`.
    fn is_hard_wanted(&self, task: TaskIx) -> bool {
        self.hard_waiters.get(&task).into_iter().flatten().any(|&waiter| {
            let w = waiter.0 as usize;
            self.covered[w].is_none() && self.restorable[w] == Restorable::Yes
        })
    }

    /// Tasks with setscene tasks that depend on this one, directly or through tasks without;
    /// those it names in `do_x_setscene[depends]` count too.
    fn scene_dependents(&self, task: TaskIx) -> Vec<TaskIx> {
        let mut seen: FxHashSet<TaskIx> = FxHashSet::default();
        let mut found: Vec<TaskIx> = self.hard.get(&task).cloned().unwrap_or_default();
        let mut open: Vec<TaskIx> = self.table.dependents(task).collect();
        while let Some(dependent) = open.pop() {
            if !seen.insert(dependent) {
                continue;
            }
            if self.restorable[dependent.0 as usize] == Restorable::Never {
                open.extend(self.table.dependents(dependent));
            } else {
                found.push(dependent);
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Whether a deferred task has to wait on. Once the task it waits for is done, it is
    /// asked anew whether it can be restored.
    fn is_waiting_for_leader(&mut self, task: TaskIx, world: &mut dyn World) -> Result<bool> {
        let Some(&leader) = self.deferred.get(&task) else { return Ok(false) };
        match self.state(leader) {
            State::Failed => {}
            State::Done => {
                if world.restorable(&self.table, &[task], 0)?.first() == Some(&true) {
                    self.restorable[task.0 as usize] = Restorable::Yes;
                }
            }
            _ => return Ok(true),
        }
        self.deferred.remove(&task);
        Ok(false)
    }

    /// Nothing runs and nothing is ready: deferred tasks whose leader will not come are made
    /// themselves. False if there is none.
    pub(super) fn give_up_waiting(&mut self, world: &mut dyn World) -> Result<bool> {
        let mut waiting: Vec<TaskIx> = std::mem::take(&mut self.deferred).into_keys().collect();
        waiting.retain(|&task| self.state(task) == State::Undecided);
        waiting.sort();
        self.agenda.extend(waiting.iter().map(|&task| Item::Consider(task)));
        self.settle(world)?;
        Ok(!waiting.is_empty())
    }
}
