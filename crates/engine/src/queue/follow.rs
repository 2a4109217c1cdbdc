//! What follows from a change: tasks that are decided, opened, done.

use crate::Result;
use crate::queue::current::Depth;
use crate::queue::job::{Job, Skip};
use crate::queue::run_queue::RunQueue;
use crate::queue::scene::Restorable;
use crate::queue::state::State;
use crate::queue::world::World;
use bitzel_taskgraph::TaskIx;

/// Work that follows from a change.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    /// See whether it is known now if this task has to be made.
    Consider(TaskIx),
    /// All this task waited for is done.
    Opened(TaskIx),
}

impl RunQueue<'_> {
    /// Does all that follows from changes made so far.
    pub(super) fn settle(&mut self, world: &mut dyn World) -> Result<()> {
        while let Some(item) = self.agenda.pop() {
            match item {
                Item::Consider(task) => self.consider(task, world)?,
                Item::Opened(task) => self.opened(task, world),
            }
        }
        Ok(())
    }

    fn opened(&mut self, task: TaskIx, world: &mut dyn World) {
        match self.state(task) {
            State::Covered => self.complete(task, Some(Skip::Covered)),
            State::Needed => {
                if self.stamps.is_current(&self.table, world, task, Depth::Own) {
                    self.complete(task, Some(Skip::Existing));
                } else {
                    self.set(task, State::Ready);
                    self.make_ready(Job { task, setscene: false });
                }
            }
            _ => {}
        }
    }

    /// Coverage of a task is known: its dependencies may be decided, and it waits for those
    /// that are not done. A covered task waits only for covered ones: what is restored needs
    /// what it stands on to be restored too, not what others made necessary.
    pub(super) fn decide(&mut self, task: TaskIx, covered: bool) {
        let n = task.0 as usize;
        self.set(task, if covered { State::Covered } else { State::Needed });
        self.covered[n] = Some(covered);
        if self.restorable[n] != Restorable::Never {
            let count =
                if covered { &mut self.numbers.scene_covered } else { &mut self.numbers.scene_not_covered };
            *count += 1;
        }
        let graph = self.table.graph();
        let mut open = 0;
        for dep in graph.deps(task) {
            let d = dep.0 as usize;
            self.undecided[d] -= 1;
            self.wanted[d] |= !covered;
            self.agenda.push(Item::Consider(dep));
            let counts = !covered || self.options.equivalence || self.covered[d] != Some(false);
            open += u32::from(counts && self.states[d] != State::Done);
        }
        self.open[n] = open;
        if !covered && !self.options.equivalence {
            let above: Vec<TaskIx> = self.table.dependents(task).collect();
            for dependent in above {
                if self.states[dependent.0 as usize] == State::Covered {
                    self.close_one(dependent);
                }
            }
        }
        for waiter in self.hard_waiters.get(&task).into_iter().flatten() {
            self.agenda.push(Item::Consider(*waiter));
        }
        if open == 0 {
            self.agenda.push(Item::Opened(task));
        }
    }

    fn close_one(&mut self, task: TaskIx) {
        let open = &mut self.open[task.0 as usize];
        *open -= 1;
        if *open == 0 {
            self.agenda.push(Item::Opened(task));
        }
    }

    pub(super) fn complete(&mut self, task: TaskIx, skip: Option<Skip>) {
        self.set(task, State::Done);
        self.numbers.completed += 1;
        if let Some(skip) = skip {
            self.numbers.skipped += 1;
            self.skips.push((task, skip));
        }
        let was_covered = self.covered[task.0 as usize] == Some(true);
        let above: Vec<TaskIx> = self.table.dependents(task).collect();
        for dependent in above {
            let waits = match self.states[dependent.0 as usize] {
                State::Covered => was_covered || self.options.equivalence,
                State::Needed => true,
                _ => false,
            };
            if waits {
                self.close_one(dependent);
            }
        }
        self.release_followers(task);
    }

    pub(super) fn release_followers(&mut self, task: TaskIx) {
        for &follower in self.followers.get(&task).into_iter().flatten() {
            self.agenda.push(Item::Consider(follower));
        }
    }
}
