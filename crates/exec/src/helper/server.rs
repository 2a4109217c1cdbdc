//! The helper's side: takes requests, runs tasks, reports their ends.

use super::{terminal, wire};
use crate::sandbox::{Caller, Sandbox, SandboxConfig, TaskIo};
use crate::spec::TaskSpec;
use crate::{Error, TaskOutcome};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// What the helper says of a task.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It ran.
    Ended(TaskOutcome),
    /// It could not be run.
    Failed(Failure),
}

/// An [`Error`] on its way to the program that builds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Failure {
    Spec(String),
    Setup { step: String, errno: i32, remedy: String },
    Exec { program: String, errno: i32 },
    Unavailable(String),
    Helper(String),
}

impl Failure {
    fn new(error: Error) -> Failure {
        match error {
            Error::Spec { message, .. } => Failure::Spec(message),
            Error::Setup { step, source, remedy, .. } => {
                Failure::Setup { step, errno: source.raw_os_error().unwrap_or(libc::EIO), remedy }
            }
            Error::Exec { program, source, .. } => {
                Failure::Exec { program, errno: source.raw_os_error().unwrap_or(libc::EIO) }
            }
            Error::Unavailable(why) => Failure::Unavailable(why),
            other => Failure::Helper(other.to_string()),
        }
    }

    pub(super) fn into_error(self, task: &str) -> Error {
        let task = task.to_owned();
        match self {
            Failure::Spec(message) => Error::Spec { task, message },
            Failure::Setup { step, errno, remedy } => {
                Error::Setup { task, step, source: std::io::Error::from_raw_os_error(errno), remedy }
            }
            Failure::Exec { program, errno } => {
                Error::Exec { task, program, source: std::io::Error::from_raw_os_error(errno) }
            }
            Failure::Unavailable(why) => Error::Unavailable(why),
            Failure::Helper(why) => Error::Helper(why),
        }
    }
}

/// The whole life of a helper process, given its arguments after
/// [`super::HELPER_ARGUMENT`]. Call it first thing in `main`, before any
/// thread is started.
///
/// It runs one task after the other for the socket that is its standard input,
/// until that is closed, as it is when the program that started it ends.
pub fn helper_main(arguments: impl IntoIterator<Item = String>) -> ! {
    let mut arguments = arguments.into_iter();
    let config = arguments.next().unwrap_or_default();
    if config == terminal::RUN {
        std::process::exit(terminal::run(arguments))
    }
    let code = match serde_json::from_str(&config).map_err(std::io::Error::from).and_then(serve) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("bitzel: sandbox helper: {error}");
            1
        }
    };
    std::process::exit(code)
}

fn serve(config: SandboxConfig) -> std::io::Result<()> {
    let socket = rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), 3)?;
    // The terminal's signals are for the program that builds: it decides.
    rustix::process::setsid().ok();
    let mut sandbox = Sandbox::new(config);
    while let Some((text, fds)) = wire::receive(socket.as_fd())? {
        run(&mut sandbox, &text, fds);
    }
    Ok(())
}

fn run(sandbox: &mut Sandbox, text: &str, [control, stdin, stdout, stderr]: [OwnedFd; wire::FDS - 1]) {
    let io = TaskIo { stdin: stdin.as_fd(), stdout: stdout.as_fd(), stderr: stderr.as_fd() };
    let outcome = serde_json::from_str::<TaskSpec>(text)
        .map_err(|error| Error::Helper(format!("unreadable request: {error}")))
        .and_then(|spec| sandbox.run(&spec, io, &mut Caller(control.as_fd())));
    let answer = outcome.map_or_else(|error| Answer::Failed(Failure::new(error)), Answer::Ended);
    let line = serde_json::to_vec(&answer).expect("answers hold nothing JSON cannot");
    // Nobody may be listening any more.
    UnixStream::from(control).write_all(&line).ok();
}
