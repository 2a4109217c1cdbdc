//! The seam between what schedules tasks and what runs them.

use crate::helper::{Helper, outcome};
use crate::sandbox::{SandboxConfig, TaskIo};
use crate::{Error, TaskOutcome, TaskSpec};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Runs tasks, here or elsewhere.
pub trait Executor: Send + Sync {
    /// Runs a task to its end; blocks the calling thread. Any number of
    /// threads may call it at once.
    ///
    /// # Errors
    /// Where the task could not be run. A task that ran and failed, hit a
    /// limit or was cancelled is an outcome.
    fn execute(&self, spec: &TaskSpec, io: TaskIo<'_>, cancel: &Cancel) -> Result<TaskOutcome, Error>;
}

/// Ends tasks from another thread: all tasks executed with it, at once, and
/// those executed with it later.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cancelled: bool,
    running: Vec<Arc<UnixStream>>,
}

impl Cancel {
    /// A token nobody has used yet.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Ends the tasks.
    pub fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        for stream in state.running.drain(..) {
            stream.shutdown(Shutdown::Write).ok();
        }
    }

    /// Whether [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    fn add(&self, stream: &Arc<UnixStream>) {
        let mut state = self.lock();
        if state.cancelled {
            stream.shutdown(Shutdown::Write).ok();
        } else {
            state.running.push(Arc::clone(stream));
        }
    }

    fn remove(&self, stream: &Arc<UnixStream>) {
        self.lock().running.retain(|other| !Arc::ptr_eq(other, stream));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A thread that panicked while it held the lock left the list usable.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Runs tasks on this machine through a helper process, in a sandbox as far as
/// its configuration says.
#[derive(Debug)]
pub struct LocalExecutor {
    helper: Helper,
}

impl LocalExecutor {
    /// Starts the helper. `program` is the running program's file, which must
    /// call [`crate::helper_main`] when its first argument is
    /// [`crate::HELPER_ARGUMENT`].
    ///
    /// # Errors
    /// [`Error::Helper`].
    pub fn new(program: &Path, config: &SandboxConfig) -> Result<LocalExecutor, Error> {
        Ok(LocalExecutor { helper: Helper::start(program, config)? })
    }
}

impl Executor for LocalExecutor {
    fn execute(&self, spec: &TaskSpec, io: TaskIo<'_>, cancel: &Cancel) -> Result<TaskOutcome, Error> {
        let stream = Arc::new(self.helper.request(spec, io)?);
        cancel.add(&stream);
        let outcome = outcome(spec, &stream);
        cancel.remove(&stream);
        outcome
    }
}
