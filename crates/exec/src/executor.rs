//! The seam between what schedules tasks and what runs them.

use crate::helper::{Helper, outcome};
use crate::sandbox::{SandboxConfig, TaskIo};
use crate::spec::Identity;
use crate::{Error, TaskOutcome, TaskSpec};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

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
    /// Runs what [`Identity::MappedRoot`] asks for: a helper that runs tasks as
    /// the user has namespaces in which no other ids can be mapped.
    mapping_helper: OnceLock<Helper>,
    program: PathBuf,
    config: SandboxConfig,
}

impl LocalExecutor {
    /// Starts the helper. `program` is the running program's file, which must
    /// call [`crate::helper_main`] when its first argument is
    /// [`crate::HELPER_ARGUMENT`].
    ///
    /// # Errors
    /// [`Error::Helper`].
    pub fn new(program: &Path, config: &SandboxConfig) -> Result<LocalExecutor, Error> {
        Ok(LocalExecutor {
            helper: Helper::start(program, config)?,
            mapping_helper: OnceLock::new(),
            program: program.to_owned(),
            config: config.clone(),
        })
    }

    fn helper(&self, identity: Identity) -> Result<&Helper, Error> {
        match (identity, self.mapping_helper.get()) {
            (Identity::User, _) => Ok(&self.helper),
            (Identity::MappedRoot, Some(helper)) => Ok(helper),
            (Identity::MappedRoot, None) => {
                let helper = Helper::start(&self.program, &self.config)?;
                // Another thread may have been faster; this one's ends then.
                Ok(self.mapping_helper.get_or_init(|| helper))
            }
        }
    }
}

impl Executor for LocalExecutor {
    fn execute(&self, spec: &TaskSpec, io: TaskIo<'_>, cancel: &Cancel) -> Result<TaskOutcome, Error> {
        let stream = Arc::new(self.helper(spec.identity)?.request(spec, io)?);
        cancel.add(&stream);
        let outcome = outcome(spec, &stream);
        cancel.remove(&stream);
        outcome
    }
}
