//! What happens during a build, for the terminal and logs.

use crate::queue::{Job, Numbers, Skip};
use bitzel_recipe::protocol::{HostEvent, TaskEnd};
use bitzel_taskgraph::TaskIx;
use std::time::Duration;

/// Something happened. Task names are BitBake's: `FILE:do_x`.
#[derive(Debug)]
pub enum BuildEvent<'a> {
    /// Hosts are started, restorable tasks are looked for.
    Preparing,
    /// That is done; so many setscene tasks there are.
    Prepared {
        /// Setscene tasks in the graph.
        setscene: usize,
        /// The user wants none.
        disabled: bool,
    },
    /// A task or setscene task was started.
    Started {
        /// Which.
        job: Job,
        /// Its name, with `_setscene` if it is one.
        tid: &'a str,
        /// Counts, this task among the running.
        numbers: Numbers,
        /// It is of a recipe whose PN is this.
        pn: &'a str,
        /// `[noexec]`: only its stamp is written.
        noexec: bool,
    },
    /// A host says something: an event of a task, or of the configuration where `job` is none.
    Host {
        /// The running task.
        job: Option<Job>,
        /// The event.
        event: &'a HostEvent,
    },
    /// A task ended well.
    Succeeded {
        /// Which.
        job: Job,
        /// What it took.
        end: &'a TaskEnd,
        /// How long it ran.
        elapsed: Duration,
    },
    /// A task failed.
    Failed {
        /// Which.
        job: Job,
        /// Its name.
        tid: &'a str,
        /// Its exit code, or why there is none.
        code: &'a str,
        /// FAKEROOTLOGS, read, of a fakeroot task.
        fakeroot_log: Option<&'a str>,
        /// How long it ran.
        elapsed: Duration,
    },
    /// A task was ended before it was done.
    Abandoned {
        /// Which.
        job: Job,
    },
    /// The user asks the build to stop: for the first time, or again.
    Interrupted {
        /// Running tasks are ended.
        again: bool,
    },
    /// A task did not have to run.
    Skipped {
        /// Which.
        task: TaskIx,
        /// Why.
        skip: Skip,
        /// Counts after it.
        numbers: Numbers,
    },
    /// All setscene tasks are done with.
    SceneComplete,
    /// A message of the engine itself.
    Message {
        /// As Python's `logging` numbers them: 20 note, 30 warning, 40 error.
        level: u32,
        /// The text.
        text: &'a str,
    },
    /// No task is started any more; so many run on.
    Stopping {
        /// Tasks that run.
        running: usize,
    },
    /// Tasks are not started for a while, or are again.
    Pressure {
        /// What is over its limit; empty if nothing is.
        reason: &'a str,
    },
    /// Once a second.
    Tick,
}

/// Is told what happens.
pub trait Observer {
    /// Something happened. `numbers` are the counts after it.
    fn event(&mut self, event: &BuildEvent<'_>);
}
