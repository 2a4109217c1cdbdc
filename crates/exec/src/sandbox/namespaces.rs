//! Namespaces that are there without a process in them: made in one that ends,
//! held by a descriptor, entered by those that come later.

use super::setup::{SetupError, Step, hear, socket_pair, tell};
use super::{beside, sys};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Makes namespaces (`CLONE_NEW*`) with a process that runs `inside` in them, while this one runs
/// `outside` with its id, and holds on to those of the given kinds (names in /proc/PID/ns).
pub(super) fn hold<const N: usize>(
    namespaces: i32,
    inside: impl FnOnce() -> Result<(), SetupError>,
    outside: impl FnOnce(i32) -> Result<(), SetupError>,
    kinds: [&str; N],
) -> Result<[OwnedFd; N], SetupError> {
    let (near, far) = socket_pair()?;
    let Some(pid) = sys::fork_into(namespaces).step("make namespaces")? else {
        drop(near);
        tell(far.as_fd(), &inside());
        // The namespaces are there as long as this process, or whoever opens them.
        rustix::io::read(&far, &mut [0u8]).ok();
        sys::exit_now(0)
    };
    drop(far);
    let opened = outside(pid).and_then(|()| hear(near.as_fd(), "make namespaces")).and_then(|()| {
        let open = |kind| File::open(format!("/proc/{pid}/ns/{kind}")).map(OwnedFd::from);
        let opened: Vec<OwnedFd> =
            kinds.into_iter().map(open).collect::<Result<_, _>>().step("open a namespace")?;
        Ok(opened.try_into().expect("one was opened for each kind"))
    });
    drop(near);
    sys::wait(pid, 0).step("wait for namespaces")?;
    opened
}

/// Moves this process to a namespace.
pub(super) fn enter(namespace: BorrowedFd<'_>, kind: LinkNameSpaceType) -> Result<(), SetupError> {
    move_into_link_name_space(namespace, Some(kind)).step("enter a namespace")
}

/// Whether a user namespace can be made, by making one.
pub(crate) fn try_user_namespace() -> io::Result<()> {
    let pid = beside::run(libc::CLONE_NEWUSER, || ())?;
    sys::wait(pid, 0).map(drop)
}
