//! What the run queue says and is told.

use bitzel_taskgraph::TaskIx;

/// A task to run, or its setscene task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// The task.
    pub task: TaskIx,
    /// Restore it instead of making it.
    pub setscene: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Run this, then say [`RunQueue::finish`](crate::queue::RunQueue::finish).
    Start(Job),
    /// As `Start`, but nothing is to be executed: `[noexec]` tasks.
    Stamp(Job),
    /// As `Start`, but only for show (BB_SETSCENE_ENFORCE_IGNORE_TASKS).
    Pretend(Job),
    /// BB_SETSCENE_ENFORCE forbids this task; it counts as failed.
    Refused(TaskIx),
    /// Something has to end first.
    Wait,
    /// There is nothing left to do.
    Finished,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Well.
    Succeeded,
    /// With an error.
    Failed,
}

/// Why a task did not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It was restored, or nothing needs it.
    Covered,
    /// Its stamp is current.
    Existing,
}
