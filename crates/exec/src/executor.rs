//! The seam between what schedules tasks and what runs them.

use crate::helper::{Helper, outcome};
use crate::sandbox::{SandboxConfig, TaskIo};
use crate::spec::Identity;
use crate::{Error, TaskOutcome, TaskSpec};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while it held the lock left the list usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs tasks on this machine through helper processes, one for each that runs
/// at the same time, in a sandbox as far as its configuration says.
#[derive(Debug)]
pub struct LocalExecutor {
    program: PathBuf,
    config: SandboxConfig,
    /// Helpers without a task. One that has run tasks as the user has namespaces of its own, in
    /// which it can map no other ids: tasks of the two kinds have helpers of their own.
    idle: Mutex<Vec<(Identity, Helper)>>,
}

impl LocalExecutor {
    /// Starts the first helper. `program` is the running program's file, which
    /// must call [`crate::helper_main`] when its first argument is
    /// [`crate::HELPER_ARGUMENT`].
    ///
    /// # Errors
    /// [`Error::Helper`].
    pub fn new(program: &Path, config: &SandboxConfig) -> Result<LocalExecutor, Error> {
        let first = (Identity::User, Helper::start(program, config)?);
        Ok(LocalExecutor {
            program: program.to_owned(),
            config: config.clone(),
            idle: Mutex::new(vec![first]),
        })
    }

    fn helper(&self, identity: Identity) -> Result<Helper, Error> {
        let mut idle = self.idle();
        match idle.iter().rposition(|(kind, _)| *kind == identity) {
            Some(index) => Ok(idle.swap_remove(index).1),
            None => {
                drop(idle);
                Helper::start(&self.program, &self.config)
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Identity, Helper)>> {
        // A thread that panicked while it held the lock left the list usable.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for LocalExecutor {
    fn execute(&self, spec: &TaskSpec, io: TaskIo<'_>, cancel: &Cancel) -> Result<TaskOutcome, Error> {
        let helper = self.helper(spec.identity)?;
        let stream = Arc::new(helper.request(spec, io)?);
        cancel.add(&stream);
        let outcome = outcome(spec, &stream);
        cancel.remove(&stream);
        if !matches!(outcome, Err(Error::Helper(_))) {
            self.idle().push((spec.identity, helper));
        }
        outcome
    }
}
