//! Why a sandbox could not be built: the step, the kernel's answer, the remedy.

use crate::Error;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

/// A step of building the sandbox that failed. Travels from the new process to
/// the one that asked for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SetupError {
    pub step: String,
    pub errno: i32,
}

impl SetupError {
    /// Names the path the step was about.
    pub(crate) fn at(self, path: &Path) -> SetupError {
        SetupError { step: format!("{} `{}`", self.step, path.display()), ..self }
    }

    pub(crate) fn into_error(self, task: &str) -> Error {
        let remedy = remedy(&self.step, self.errno);
        Error::Setup {
            task: task.to_owned(),
            source: io::Error::from_raw_os_error(self.errno),
            remedy: remedy.to_owned(),
            step: self.step,
        }
    }
}

impl From<SetupError> for io::Error {
    fn from(error: SetupError) -> io::Error {
        io::Error::from_raw_os_error(error.errno)
    }
}

/// The two ends between a process that helps to build sandboxes and the one it helps.
pub(super) fn socket_pair() -> Result<(OwnedFd, OwnedFd), SetupError> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).step("make a socket")
}

/// Says how something went.
pub(super) fn tell(socket: BorrowedFd<'_>, outcome: &Result<(), SetupError>) {
    let text = serde_json::to_vec(outcome).expect("errors hold nothing JSON cannot");
    // Who does not listen any more does not want to know.
    rustix::io::write(socket, &text).ok();
}

/// Waits for what [`tell`] says; `step` is what fails if the other side ends without a word.
pub(super) fn hear(socket: BorrowedFd<'_>, step: &str) -> Result<(), SetupError> {
    let mut text = [0u8; 4096];
    let length = rustix::io::read(socket, &mut text).step(step)?;
    let lost = |_| SetupError { step: step.to_owned(), errno: libc::ESRCH };
    serde_json::from_slice::<Result<(), SetupError>>(&text[..length]).map_err(lost)?
}

/// What helps against the failures that are known to happen.
fn remedy(step: &str, errno: i32) -> &'static str {
    match (step, errno) {
        (step, libc::EPERM | libc::EACCES | libc::ENOSPC | libc::EUSERS)
            if step.starts_with("make namespaces") =>
        {
            "user namespaces are forbidden or used up on this host: `bitzel doctor` names the setting"
        }
        (step, libc::EPERM) if step.starts_with("make a new proc") || step.starts_with("mount `/proc`") => {
            "inside a container /proc is locked: start it with `--security-opt systempaths=unconfined`, or as a privileged one"
        }
        (step, libc::ENOSPC) if step.starts_with("mount") || step.starts_with("bind") => {
            "too many mounts: raise the sysctl fs.mount-max, or declare fewer directories"
        }
        (step, libc::EINVAL) if step.starts_with("map the ids of") => {
            "its file system cannot map ids: build on ext4, xfs, btrfs or tmpfs, or as an ordinary user"
        }
        (step, libc::ENOENT) if step.starts_with("bind") || step.starts_with("open") => {
            "it vanished after the task was prepared: something else removes files of the build"
        }
        (_, libc::ELOOP) => "a symbolic link has taken its place: remove the link",
        (_, libc::ENOSYS) => "this kernel is too old: Linux 5.12 or later is needed",
        (_, libc::EMFILE | libc::ENFILE) => "too many open files: raise `ulimit -n`",
        _ => "`bitzel doctor` checks what this host allows",
    }
}

/// Turns an error into one that names the step.
pub(super) trait Step<T> {
    fn step(self, step: &str) -> Result<T, SetupError>;
}

impl<T, E: Into<io::Error>> Step<T> for Result<T, E> {
    fn step(self, step: &str) -> Result<T, SetupError> {
        self.map_err(|error| {
            let errno = error.into().raw_os_error().unwrap_or(libc::EIO);
            SetupError { step: step.to_owned(), errno }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_names_path_cause_and_remedy() {
        let failed: Result<(), SetupError> = Err(rustix::io::Errno::INVAL).step("map the ids of");
        let error = failed.unwrap_err().at(Path::new("/net/work")).into_error("a:do_b").to_string();
        assert_eq!(
            error,
            "task `a:do_b`: sandbox: map the ids of `/net/work`: Invalid argument (os error 22); \
             its file system cannot map ids: build on ext4, xfs, btrfs or tmpfs, or as an ordinary user"
        );
    }
}
