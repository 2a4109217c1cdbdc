//! The run queue: states of all tasks, and what may start.

use crate::queue::current::Stamps;
use crate::queue::follow::Item;
use crate::queue::job::{Ended, Job, Skip, Step};
use crate::queue::numbers::Numbers;
use crate::queue::options::QueueOptions;
use crate::queue::order::{Durations, ReadyHeap, Scheduler, weights};
use crate::queue::scene::Restorable;
use crate::queue::state::State;
use crate::queue::table::TaskTable;
use crate::queue::world::World;
use crate::{Error, Result};
use bitzel_taskgraph::TaskIx;
use rustc_hash::{FxHashMap, FxHashSet};

/// The run queue. It runs nothing itself: it says what may start and is told how that
/// ended.
pub struct RunQueue<'a> {
    pub(super) table: TaskTable<'a>,
    pub(super) options: QueueOptions,
    pub(super) stamps: Stamps,
    pub(super) states: Vec<State>,
    /// Whether a task is covered, where that is decided.
    pub(super) covered: Vec<Option<bool>>,
    /// Dependents whose coverage is not decided.
    pub(super) undecided: Vec<u32>,
    /// A target, or something that has to be made depends on it.
    pub(super) wanted: Vec<bool>,
    targets: FxHashSet<TaskIx>,
    pub(super) restorable: Vec<Restorable>,
    /// Setscene tasks a setscene task must not start before, and the other way round.
    pub(super) hard: FxHashMap<TaskIx, Vec<TaskIx>>,
    pub(super) hard_waiters: FxHashMap<TaskIx, Vec<TaskIx>>,
    /// Tasks that wait for the same task of another multiconfig, and the other way round.
    pub(super) deferred: FxHashMap<TaskIx, TaskIx>,
    pub(super) followers: FxHashMap<TaskIx, Vec<TaskIx>>,
    pub(super) not_needed: FxHashSet<TaskIx>,
    /// Tasks whose setscene task ran.
    pub(super) restored: FxHashSet<TaskIx>,
    /// Places in an order that has dependencies first.
    pub(super) ranks: Vec<u32>,
    /// Dependencies that are not done.
    pub(super) open: Vec<u32>,
    weights: Vec<f64>,
    pub(super) agenda: Vec<Item>,
    ready: ReadyHeap,
    scene_ready: ReadyHeap,
    parked: Vec<Job>,
    running_stamps: FxHashSet<String>,
    running_names: FxHashMap<&'a str, usize>,
    pub(super) numbers: Numbers,
    stopping: bool,
    pub(super) skips: Vec<(TaskIx, Skip)>,
}

impl<'a> RunQueue<'a> {
    /// A queue over all tasks of a table. `hard` are the setscene tasks that others name in
    /// `do_x_setscene[depends]`.
    ///
    /// # Errors
    /// Those of the world.
    pub fn new(
        table: TaskTable<'a>,
        hard: FxHashMap<TaskIx, Vec<TaskIx>>,
        options: QueueOptions,
        scheduler: Scheduler,
        durations: &Durations,
        world: &mut dyn World,
    ) -> Result<RunQueue<'a>> {
        let count = table.len();
        let graph = table.graph();
        let mut hard_waiters: FxHashMap<TaskIx, Vec<TaskIx>> = FxHashMap::default();
        for (&task, others) in &hard {
            others.iter().for_each(|&other| hard_waiters.entry(other).or_default().push(task));
        }
        let mut queue = RunQueue {
            stamps: Stamps::new(count),
            states: vec![State::Undecided; count],
            covered: vec![None; count],
            undecided: graph.tasks().map(|task| table.dependents(task).len() as u32).collect(),
            wanted: vec![false; count],
            targets: graph.targets.iter().copied().collect(),
            restorable: vec![Restorable::Never; count],
            hard,
            hard_waiters,
            deferred: FxHashMap::default(),
            followers: FxHashMap::default(),
            not_needed: FxHashSet::default(),
            restored: FxHashSet::default(),
            ranks: ranks(&table),
            open: vec![0; count],
            weights: weights(&table, scheduler, durations),
            agenda: Vec::new(),
            ready: ReadyHeap::default(),
            scene_ready: ReadyHeap::default(),
            parked: Vec::new(),
            running_stamps: FxHashSet::default(),
            running_names: FxHashMap::default(),
            numbers: Numbers { total: count, ..Numbers::default() },
            stopping: false,
            skips: Vec::new(),
            table,
            options,
        };
        for task in graph.tasks() {
            queue.wanted[task.0 as usize] = queue.is_root(task);
        }
        queue.look_for_restorable(world)?;
        queue.agenda.extend(graph.tasks().map(Item::Consider));
        queue.settle(world)?;
        Ok(queue)
    }

    /// The tasks.
    pub fn table(&self) -> &TaskTable<'a> {
        &self.table
    }

    /// Counts for messages.
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// Where a task stands.
    pub fn state(&self, task: TaskIx) -> State {
        self.states[task.0 as usize]
    }

    /// Whether a task could have been restored but is missing everywhere.
    pub fn is_missing(&self, task: TaskIx) -> bool {
        self.restorable[task.0 as usize] == Restorable::Missing
    }

    /// Whether any setscene task may still run or runs.
    pub fn has_scene_work(&self) -> bool {
        self.numbers.scene_covered + self.numbers.scene_not_covered < self.numbers.scene_total
    }

    /// Tasks that were found not to have to run since the last call.
    pub fn take_skips(&mut self) -> Vec<(TaskIx, Skip)> {
        std::mem::take(&mut self.skips)
    }

    /// Start nothing more; what runs may end.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Whether nothing more is to be started.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// What to do now.
    ///
    /// # Errors
    /// Those of the world; [`Error::Stuck`].
    pub fn next(&mut self, world: &mut dyn World) -> Result<Step> {
        loop {
            if self.stopping {
                return Ok(if self.numbers.running() == 0 { Step::Finished } else { Step::Wait });
            }
            if let Some(job) = self.take_ready() {
                return Ok(self.start(job));
            }
            if self.numbers.running() > 0 {
                return Ok(Step::Wait);
            }
            if !self.give_up_waiting(world)? {
                return self.finished();
            }
        }
    }

    fn finished(&self) -> Result<Step> {
        let undecided = self.table.graph().tasks().find(|&task| self.state(task) == State::Undecided);
        match undecided {
            Some(task) => Err(Error::Stuck(self.table.tid(task))),
            None => Ok(Step::Finished),
        }
    }

    fn take_ready(&mut self) -> Option<Job> {
        while let Some(task) = self.scene_ready.pop() {
            let job = Job { task, setscene: true };
            if self.is_free(job) {
                return Some(job);
            }
            self.parked.push(job);
        }
        if self.options.setscene_only {
            return None;
        }
        while let Some(task) = self.ready.pop() {
            let job = Job { task, setscene: false };
            if self.is_free(job) {
                return Some(job);
            }
            self.parked.push(job);
        }
        None
    }

    /// Whether nothing that runs excludes the job: a task with the same stamp but for
    /// [stamp-extra-info], or as many of its name as `[number_threads]` allows.
    fn is_free(&self, job: Job) -> bool {
        let name = self.table.name(job.task);
        let running = self.running_names.get(name).copied().unwrap_or(0);
        let limit = self.options.task_limits.get(name);
        limit.is_none_or(|&limit| job.setscene || running < limit)
            && !self.running_stamps.contains(&self.table.bare_stamp(job.task, job.setscene))
    }

    fn start(&mut self, job: Job) -> Step {
        let task = job.task;
        let noexec = self.table.is_noexec(task);
        if !job.setscene
            && let Some(allowed) = &self.options.enforce
        {
            let name = format!("{}:{}", self.table.info(task).pn, self.table.name(task));
            if !allowed.is_match(name) {
                self.set(task, State::Failed);
                self.numbers.failed += 1;
                self.stopping |= !self.options.keep_going;
                return Step::Refused(task);
            }
        }
        if job.setscene {
            self.set(task, State::SceneRunning);
            self.numbers.scene_active += 1;
        } else {
            self.set(task, State::Running);
            self.numbers.active += 1;
            *self.running_names.entry(self.table.name(task)).or_default() += 1;
        }
        self.running_stamps.insert(self.table.bare_stamp(task, job.setscene));
        match self.options.enforce {
            Some(_) if !job.setscene => Step::Pretend(job),
            _ if noexec => Step::Stamp(job),
            _ => Step::Start(job),
        }
    }

    /// A job that was started has ended.
    ///
    /// # Errors
    /// Those of the world.
    pub fn finish(&mut self, job: Job, ended: Ended, world: &mut dyn World) -> Result<()> {
        let task = job.task;
        self.no_longer_runs(job);
        self.stamps.forget(task);
        for parked in std::mem::take(&mut self.parked) {
            self.make_ready(parked);
        }
        if job.setscene {
            if ended == Ended::Succeeded {
                self.restored.insert(task);
            }
            self.decide(task, ended == Ended::Succeeded);
        } else if ended == Ended::Succeeded {
            self.complete(task, None);
        } else {
            self.set(task, State::Failed);
            self.numbers.failed += 1;
            self.stopping |= !self.options.keep_going;
            self.release_followers(task);
        }
        self.settle(world)
    }

    /// A job was ended before it was done; nothing is started after that.
    pub fn abandon(&mut self, job: Job) {
        self.stopping = true;
        self.no_longer_runs(job);
        self.set(job.task, State::Needed);
    }

    fn no_longer_runs(&mut self, job: Job) {
        self.running_stamps.remove(&self.table.bare_stamp(job.task, job.setscene));
        if job.setscene {
            self.numbers.scene_active -= 1;
            return;
        }
        self.numbers.active -= 1;
        if let Some(running) = self.running_names.get_mut(self.table.name(job.task)) {
            *running -= 1;
        }
    }

    pub(super) fn make_ready(&mut self, job: Job) {
        let weight = self.weights[job.task.0 as usize];
        let heap = if job.setscene { &mut self.scene_ready } else { &mut self.ready };
        heap.push(job.task, weight);
    }

    /// Whether a task has to be there whatever becomes of others.
    pub(super) fn is_root(&self, task: TaskIx) -> bool {
        self.targets.contains(&task) || self.table.dependents(task).len() == 0
    }

    /// Nothing is ready any more.
    pub(super) fn forget_ready(&mut self) {
        self.ready = ReadyHeap::default();
        self.scene_ready = ReadyHeap::default();
        self.parked.clear();
    }

    /// The one place where states change, but for planning anew.
    pub(super) fn set(&mut self, task: TaskIx, next: State) {
        let state = &mut self.states[task.0 as usize];
        debug_assert!(state.allows(next), "{state:?} to {next:?}");
        *state = next;
    }
}

fn ranks(table: &TaskTable<'_>) -> Vec<u32> {
    let mut ranks = vec![0; table.len()];
    for (rank, task) in (0u32..).zip(table.graph().topological_order().unwrap_or_default()) {
        ranks[task.0 as usize] = rank;
    }
    ranks
}
