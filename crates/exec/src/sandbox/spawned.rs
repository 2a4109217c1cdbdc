//! Tasks started by the process that wants them, without a helper between: commands, or code
//! of the process itself, which goes on in a copy of it.

use super::init::Work;
use super::launch::{Running, Sandbox, TaskIo, conclude};
use super::setup::Step;
use super::sys;
use crate::Error;
use crate::outcome::TaskOutcome;
use crate::spec::TaskSpec;
use std::io::Read;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// A task under way. Its descriptor is readable once the task is over; [`Sandbox::wait`] tells
/// then how it ended.
pub struct Spawned {
    running: Running,
    control: UnixStream,
}

impl AsFd for Spawned {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}

impl Spawned {
    /// Orders the task to end at once, with all its processes.
    pub fn cancel(&self) {
        // Fails where nobody is there to hear it any more.
        self.control.shutdown(Shutdown::Write).ok();
    }
}

impl Sandbox {
    /// Runs a task's command in a sandbox and waits for it.
    ///
    /// # Errors
    /// [`Error`] where the task could not be run; a task that ran and failed is
    /// an outcome.
    pub fn run(&mut self, spec: &TaskSpec, io: TaskIo<'_>) -> Result<TaskOutcome, Error> {
        let task = self.spawn_work(spec, io, Work::Program)?;
        let outcome = self.wait(spec, task);
        if spec.interactive {
            // An interactive shell has taken the terminal; whoever was there has it back.
            sys::take_terminal(io.stdin);
        }
        outcome
    }

    /// Runs code of this process, in a copy of it, as a task: `callback` is
    /// called in the sandbox and its result is the exit code. Memory changes
    /// stay there, and so do all file descriptors but 0 to 2 and
    /// [`TaskSpec::keep_fds`]; [`TaskSpec::env`] is for the callback to set.
    /// It is given the number by which this process knows the sandbox's first
    /// process: inside, all sandboxes count from 1.
    ///
    /// # Errors
    /// As [`Sandbox::run`]; also if this process has more than one thread.
    pub fn spawn(
        &mut self,
        spec: &TaskSpec,
        io: TaskIo<'_>,
        mut callback: impl FnMut(u32) -> i32,
    ) -> Result<Spawned, Error> {
        self.spawn_work(spec, io, Work::Callback(&mut callback))
    }

    fn spawn_work(&mut self, spec: &TaskSpec, io: TaskIo<'_>, work: Work<'_>) -> Result<Spawned, Error> {
        if sys::thread_count().step("count threads").map_err(|error| error.into_error(&spec.name))? != 1 {
            let message =
                "only a process with one thread can start a sandbox by itself; use the helper".to_owned();
            return Err(Error::Spec { task: spec.name.clone(), message });
        }
        let (control, theirs) = UnixStream::pair().map_err(|error| broken(spec, &error))?;
        let running = self.start(spec, io, theirs.as_fd(), work)?;
        Ok(Spawned { running, control })
    }

    /// Waits for a task's end.
    ///
    /// # Errors
    /// As [`Sandbox::run`].
    pub fn wait(&mut self, spec: &TaskSpec, mut task: Spawned) -> Result<TaskOutcome, Error> {
        let mut report = String::new();
        task.control.read_to_string(&mut report).map_err(|error| broken(spec, &error))?;
        let ended = sys::wait(task.running.pid, 0).map_err(|error| broken(spec, &error))?;
        let trailer = self.finish(task.running, ended.as_ref());
        conclude(spec, report.lines().next(), trailer)
    }
}

fn broken(spec: &TaskSpec, error: &std::io::Error) -> Error {
    Error::Helper(format!("talk to the sandbox of `{}`: {error}", spec.name))
}
