//! The helper's side: takes requests, starts tasks, reports their ends.

use super::{terminal, wire};
use crate::Error;
use crate::sandbox::{Running, Sandbox, SandboxConfig, TaskIo, Trailer, Work, sys};
use crate::spec::TaskSpec;
use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// The helper's last line about a task.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It ran.
    Ended(Trailer),
    /// It could not be started.
    Failed(Failure),
}

/// An [`Error`] on its way to the program that builds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Failure {
    Spec(String),
    Setup { step: String, errno: i32, remedy: String },
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
            Failure::Unavailable(why) => Error::Unavailable(why),
            Failure::Helper(why) => Error::Helper(why),
        }
    }
}

/// The whole life of a helper process, given its arguments after
/// [`super::HELPER_ARGUMENT`]. Call it first thing in `main`, before any
/// thread is started.
///
/// It serves the socket that is its standard input until that is closed, as it
/// is when the program that started it ends; running tasks end with it.
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
    let signals = sys::signal_fd(&[libc::SIGCHLD])?;
    let mut sandbox = Sandbox::new(config);
    let mut tasks: BTreeMap<i32, (Running, OwnedFd)> = BTreeMap::new();
    let mut open = true;
    while open || !tasks.is_empty() {
        let news = if open { PollFlags::IN } else { PollFlags::empty() };
        let mut fds = [PollFd::new(&signals, PollFlags::IN), PollFd::new(&socket, news)];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let request = !fds[1].revents().is_empty() && open;
        let mut buffer = [0u8; 1024];
        while rustix::io::read(&signals, &mut buffer).is_ok() {}
        while let Some(ended) = sys::wait(-1, libc::WNOHANG)? {
            if let Some((running, control)) = tasks.remove(&ended.pid) {
                let trailer = sandbox.finish(running, Some(&ended));
                answer(control, &Answer::Ended(trailer));
            }
        }
        if request {
            match wire::receive(socket.as_fd())? {
                None => {
                    open = false;
                    // Their control sockets tell the tasks the same; this is for those that cannot hear.
                    tasks.keys().for_each(|&pid| drop(sys::kill(pid, libc::SIGKILL)));
                }
                Some((text, fds)) => start(&mut sandbox, &mut tasks, &text, fds),
            }
        }
    }
    Ok(())
}

fn start(
    sandbox: &mut Sandbox,
    tasks: &mut BTreeMap<i32, (Running, OwnedFd)>,
    text: &str,
    [control, stdin, stdout, stderr]: [OwnedFd; wire::FDS - 1],
) {
    let io = TaskIo { stdin: stdin.as_fd(), stdout: stdout.as_fd(), stderr: stderr.as_fd() };
    let started = serde_json::from_str::<TaskSpec>(text)
        .map_err(|error| Error::Helper(format!("unreadable request: {error}")))
        .and_then(|spec| sandbox.start(&spec, io, control.as_fd(), Work::Program));
    match started {
        Ok(running) => drop(tasks.insert(running.pid, (running, control))),
        Err(error) => answer(control, &Answer::Failed(Failure::new(error))),
    }
}

/// Tells the end of a task; nobody may be listening any more.
fn answer(control: OwnedFd, answer: &Answer) {
    let mut line = serde_json::to_vec(answer).expect("answers hold nothing JSON cannot");
    line.push(b'\n');
    UnixStream::from(control).write_all(&line).ok();
}
