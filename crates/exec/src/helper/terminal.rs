//! One task in the foreground of a terminal, for `bitzel sh`: a helper of its
//! own, which keeps the caller's standard streams and session.

use crate::sandbox::{Sandbox, SandboxConfig, TaskIo};
use crate::{Error, ExitStatus, TaskSpec};
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::process::Command;

/// Second argument of a helper that runs one task in the foreground.
pub(super) const RUN: &str = "run";
/// Exit code where the task could not be run, as of env(1) and its like.
const NOT_RUN: i32 = 125;

/// Runs a task with the standard streams of this process and waits for it;
/// returns its exit code (128 and the signal's number where one ended it, 125
/// where it could not be run, with the reason on standard error). Set
/// [`TaskSpec::interactive`] for a shell. `program` is as for
/// [`crate::LocalExecutor::new`].
///
/// # Errors
/// [`Error::Helper`] where the helper could not be started.
pub fn run_in_terminal(program: &Path, config: &SandboxConfig, spec: &TaskSpec) -> Result<i32, Error> {
    let fail = |error: std::io::Error| Error::Helper(format!("start `{}`: {error}", program.display()));
    let mut file = File::from(memfd_create("task", MemfdFlags::CLOEXEC).map_err(|error| fail(error.into()))?);
    serde_json::to_writer(&file, spec).map_err(|error| fail(error.into()))?;
    file.flush().map_err(fail)?;
    // Opened anew by the helper, so that no other child of this process inherits it.
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    let config = serde_json::to_string(config).expect("configurations hold nothing JSON cannot");
    let status =
        Command::new(program).args([super::HELPER_ARGUMENT, RUN, &config, &path]).status().map_err(fail)?;
    use std::os::unix::process::ExitStatusExt;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}

/// The helper's side, given the arguments after [`RUN`].
pub(super) fn run(mut arguments: impl Iterator<Item = String>) -> i32 {
    let mut next = || arguments.next().unwrap_or_default();
    let (config, path) = (next(), next());
    let done = serde_json::from_str::<SandboxConfig>(&config)
        .map_err(std::io::Error::from)
        .and_then(|config| Ok((config, std::fs::read_to_string(&path)?)))
        .and_then(|(config, text)| Ok((config, serde_json::from_str::<TaskSpec>(&text)?)))
        .map_err(|error| Error::Helper(format!("unreadable request: {error}")))
        .and_then(|(config, spec)| {
            let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
            let io = TaskIo { stdin: stdin.as_fd(), stdout: stdout.as_fd(), stderr: stderr.as_fd() };
            Sandbox::new(config).run(&spec, io, &mut ())
        });
    match done {
        Err(error) => {
            eprintln!("bitzel: {error}");
            NOT_RUN
        }
        Ok(outcome) => {
            outcome.notes.iter().for_each(|note| eprintln!("bitzel: {note}"));
            outcome.limit.iter().for_each(|hit| eprintln!("bitzel: {hit}"));
            match outcome.status {
                ExitStatus::Code(code) => code,
                ExitStatus::Signal(signal) => 128 + signal,
                ExitStatus::Cancelled => NOT_RUN,
            }
        }
    }
}
