//! A host process and the channels to it and to the evaluators it forks.

use crate::{Error, Payload, Result};
use bitzel_recipe::protocol::{Configuration, Configure, HostEvent, Reply, Request, read_frame, write_frame};
use rustix::io::{FdFlags, fcntl_setfd};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// How to start a host.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// Folders to look for `python3` in.
    pub path: OsString,
    /// The build directory: the host's working directory.
    pub directory: PathBuf,
    /// The environment the host's Python sees.
    pub env: BTreeMap<String, String>,
    /// Channels for processes that the host is to fork.
    pub channels: usize,
    /// `2.8` or `2.18`.
    pub level: &'static str,
    /// A command to start the interpreter with, as FAKEROOTCMD; empty for none.
    pub launcher: Vec<String>,
}

/// A connection to one process. Dropping it ends the process.
pub struct Channel {
    stream: UnixStream,
}

impl Channel {
    /// What ends the process from another thread, busy or not.
    ///
    /// # Errors
    /// [`Error::Died`] where the system has no more descriptors.
    pub fn hang_up(&self) -> Result<HangUp> {
        let stream = self.stream.try_clone().map_err(|error| Error::Died(error.to_string()))?;
        Ok(HangUp { stream })
    }

    /// Asks and waits for the answer; events on the way are passed over.
    pub fn ask(&mut self, request: &Request) -> Result<Reply> {
        self.ask_and_watch(request, &mut |_| {})
    }

    /// Asks and waits for the answer, telling of the events that come before it.
    pub fn ask_and_watch(&mut self, request: &Request, watch: &mut dyn FnMut(HostEvent)) -> Result<Reply> {
        let died = |error: std::io::Error| Error::Died(error.to_string());
        write_frame(&mut self.stream, request).map_err(died)?;
        loop {
            match read_frame(&mut self.stream).map_err(died)? {
                None => return Err(Error::Died("it closed the connection".to_owned())),
                Some(Reply::Event(event)) => watch(event),
                Some(Reply::Failed(failure)) => return Err(Error::Failed(failure)),
                Some(reply) => return Ok(reply),
            }
        }
    }
}

/// Ends the process at the other end of a [`Channel`].
pub struct HangUp {
    stream: UnixStream,
}

impl HangUp {
    /// Ends it, with the task it runs.
    pub fn now(&self) {
        // One that ended already has no connection to shut down.
        drop(self.stream.shutdown(std::net::Shutdown::Both));
    }
}

/// A running host. Dropping it ends it.
pub struct Host {
    child: Child,
    control: Option<Channel>,
    spare: Vec<Channel>,
}

impl Host {
    /// Starts a host; it has read nothing yet.
    pub fn start(payload: &Payload, options: &HostOptions) -> Result<Host> {
        let python = find_python(&options.path).ok_or(Error::NoPython)?;
        let failed = |cause| Error::Start { program: python.clone(), cause };
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        for _ in 0..=options.channels {
            let (our, their) = UnixStream::pair().map_err(failed)?;
            fcntl_setfd(&their, FdFlags::empty()).map_err(|error| failed(error.into()))?;
            ours.push(Channel { stream: our });
            theirs.push(their);
        }
        let program = options.launcher.first().map_or_else(|| python.clone(), PathBuf::from);
        let failed = |cause| Error::Start { program: program.clone(), cause };
        let mut command = Command::new(&program);
        if let Some((_, words)) = options.launcher.split_first() {
            command.args(words).arg(&python);
        }
        // A group of its own: what the terminal sends at Ctrl-C is for the command to
        // handle.
        let child = command
            .process_group(0)
            .args(["-s", "-m", "bitzel_host"])
            .args(theirs.iter().map(|stream| stream.as_raw_fd().to_string()))
            .current_dir(&options.directory)
            .env_clear()
            .envs(&options.env)
            .env("PYTHONPATH", payload.root())
            .env("PYTHONHASHSEED", "0")
            .env("BITZEL_COMPAT", options.level)
            .stdin(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let mut channels = ours.into_iter();
        let control = channels.next();
        Ok(Host { child, control, spare: channels.collect() })
    }

    /// Asks the host itself.
    pub fn ask(&mut self, request: &Request) -> Result<Reply> {
        self.ask_and_watch(request, &mut |_| {})
    }

    /// Asks the host itself, telling of the events that come before the answer.
    pub fn ask_and_watch(&mut self, request: &Request, watch: &mut dyn FnMut(HostEvent)) -> Result<Reply> {
        let answer = match &mut self.control {
            Some(control) => control.ask_and_watch(request, watch),
            None => Err(Error::Died("it was stopped".to_owned())),
        };
        match answer {
            Err(Error::Died(_)) => Err(self.cause_of_death()),
            other => other,
        }
    }

    /// Reads the base configuration.
    pub fn configure(&mut self, configure: Configure) -> Result<Vec<Configuration>> {
        match self.ask(&Request::Configure(configure))? {
            Reply::Configured(configurations) => Ok(configurations),
            _ => Err(Error::Confused),
        }
    }

    /// Forks this many processes, as far as there are channels left, and hands over the
    /// channels to them.
    pub fn fork(&mut self, count: usize) -> Result<Vec<Channel>> {
        let count = count.min(self.spare.len());
        match self.ask(&Request::Fork(count))? {
            Reply::Done => Ok(self.spare.drain(..count).collect()),
            _ => Err(Error::Confused),
        }
    }

    pub(crate) fn control(&mut self) -> Option<&mut Channel> {
        self.control.as_mut()
    }

    fn cause_of_death(&mut self) -> Error {
        // One that lives, but said what nobody understands, ends at the closed channel.
        self.control = None;
        match self.child.wait() {
            Ok(status) if status.code() == Some(TOO_OLD) => Error::OldPython,
            Ok(status) => Error::Died(describe(status)),
            Err(error) => Error::Died(error.to_string()),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Closing the channels lets the processes end by themselves; one that is busy is
        // killed, its evaluators end when they find their channel closed.
        self.control = None;
        self.spare.clear();
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            // It may have ended between the two calls; then there is nothing to kill.
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Exit code of a host whose Python is too old (`bitzel_host/__main__.py`).
const TOO_OLD: i32 = 78;

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        _ => "unknown reason".to_owned(),
    }
}

/// `python3` along a PATH.
pub(crate) fn find_python(path: &OsString) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join("python3")).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
