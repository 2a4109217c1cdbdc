//! Runs task graphs: the run queue with its setscene tasks, the processes that run tasks,
//! and the limits they keep to.

mod error;
mod limits;
mod queue;
mod run;

pub use error::{Error, Result};
pub use queue::{
    Durations, Ended, Job, Numbers, QueueOptions, RunQueue, Scheduler, Skip, State, Step, TaskTable, World,
};
pub use run::{
    Build, BuildEvent, BuildOptions, DurationStore, Interrupt, Observer, Outcome, TaskFailure, task_order,
};
