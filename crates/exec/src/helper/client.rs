//! The caller's side: one helper process, one task after the other.

use super::server::Answer;
use super::wire;
use crate::sandbox::{SandboxConfig, TaskIo};
use crate::{Error, TaskOutcome, TaskSpec};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running helper. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Helper {
    child: Child,
    socket: Option<OwnedFd>,
}

impl Helper {
    /// Starts `program` (this one) as a helper, by posix_spawn.
    ///
    /// # Errors
    /// [`Error::Helper`].
    pub(crate) fn start(program: &Path, config: &SandboxConfig) -> Result<Helper, Error> {
        let fail = |error: std::io::Error| Error::Helper(format!("start `{}`: {error}", program.display()));
        let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|error| fail(error.into()))?;
        let config = serde_json::to_string(config).expect("configurations hold nothing JSON cannot");
        let child = Command::new(program)
            .args([super::HELPER_ARGUMENT, &config])
            // Tasks' first processes are copies of the helper: what it does not know they cannot tell.
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(far))
            .stdout(Stdio::null())
            .spawn()
            .map_err(fail)?;
        Ok(Helper { child, socket: Some(near) })
    }

    /// Asks for a task. The stream ends when the task has, and is closed (or
    /// shut down) to cancel it.
    pub(crate) fn request(&self, spec: &TaskSpec, io: TaskIo<'_>) -> Result<UnixStream, Error> {
        let fail = |error: std::io::Error| Error::Helper(format!("ask for `{}`: {error}", spec.name));
        let (near, far) = UnixStream::pair().map_err(fail)?;
        let text = serde_json::to_vec(spec).map_err(|error| Error::Spec {
            task: spec.name.clone(),
            message: format!("its description cannot be passed on: {error}"),
        })?;
        let socket = self.socket.as_ref().expect("the socket is there until the helper is dropped");
        wire::send(socket.as_fd(), &text, [far.as_fd(), io.stdin, io.stdout, io.stderr]).map_err(fail)?;
        Ok(near)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Closing the socket tells the helper to end.
        self.socket = None;
        self.child.wait().ok();
    }
}

/// Waits for the end of a task that was asked for.
pub(crate) fn outcome(spec: &TaskSpec, mut stream: &UnixStream) -> Result<TaskOutcome, Error> {
    let fail = |why: &str| Error::Helper(format!("task `{}`: {why}", spec.name));
    let mut text = String::new();
    stream.read_to_string(&mut text).map_err(|error| fail(&error.to_string()))?;
    match serde_json::from_str(&text).map_err(|_| fail("the helper ended while the task ran"))? {
        Answer::Failed(failure) => Err(failure.into_error(&spec.name)),
        Answer::Ended(outcome) => Ok(outcome),
    }
}
