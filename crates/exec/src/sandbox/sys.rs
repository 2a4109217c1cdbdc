//! System calls that neither std nor rustix offer, as safe functions. The only
//! place of the sandbox with `unsafe`, but for the loading of task programs.
#![allow(unsafe_code)]

use crate::outcome::ExitStatus;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// What wait4(2) tells of a process and the children it has waited for.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub pid: i32,
    pub status: ExitStatus,
    pub user: Duration,
    pub system: Duration,
    pub max_rss: u64,
    pub read_bytes: u64,
    pub written_bytes: u64,
}

/// Makes a process as fork(2) does, in new namespaces given by `CLONE_NEW*`
/// flags. `None` in the child.
///
/// The caller must be the only thread of its process: the child would find
/// locks held by threads it does not have. Callers check that.
pub(crate) fn fork_into(namespaces: i32) -> io::Result<Option<i32>> {
    // SAFETY: with no stack and no CLONE_VM this is fork; the process has one thread (see above).
    let pid = unsafe { libc::syscall(libc::SYS_clone, namespaces | libc::SIGCHLD, 0, 0, 0, 0) };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        pid => Ok(Some(pid as i32)),
    }
}

/// fork(2) of the C library, for a child that goes on in foreign code.
pub(crate) fn fork() -> io::Result<Option<i32>> {
    // SAFETY: the process has one thread, see `fork_into`.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        pid => Ok(Some(pid)),
    }
}

/// Ends the process without running any clean-up of the program it is a copy of.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(code) }
}

/// The number of threads of this process.
pub(crate) fn thread_count() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// Waits for a child (`-1`: any), with `options` of waitpid(2). `None` where
/// there is none to report now, or none at all.
pub(crate) fn wait(pid: i32, options: i32) -> io::Result<Option<Ended>> {
    let mut status = 0;
    // SAFETY: rusage is plain data, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals of the right type.
    match unsafe { libc::wait4(pid, &raw mut status, options, &raw mut usage) } {
        -1 => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
            error => Err(error),
        },
        0 => Ok(None),
        pid => Ok(Some(Ended {
            pid,
            status: ExitStatus::from_wait(status),
            user: duration(usage.ru_utime),
            system: duration(usage.ru_stime),
            max_rss: usage.ru_maxrss as u64 * 1024,
            read_bytes: usage.ru_inblock as u64 * 512,
            written_bytes: usage.ru_oublock as u64 * 512,
        })),
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
}

/// mount_setattr(2) on the mount `fd` refers to; with `recursive` on all below.
pub(crate) fn set_mount_attributes(fd: BorrowedFd<'_>, set: u64, recursive: bool) -> io::Result<()> {
    mount_setattr(
        fd,
        libc::mount_attr { attr_set: set, attr_clr: 0, propagation: 0, userns_fd: 0 },
        recursive,
    )
}

/// Shows the files of the mount `fd` refers to under the ids of a user namespace.
pub(crate) fn map_mount_ids(fd: BorrowedFd<'_>, user_namespace: BorrowedFd<'_>) -> io::Result<()> {
    let attr = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: user_namespace.as_raw_fd() as u64,
    };
    mount_setattr(fd, attr, true)
}

fn mount_setattr(fd: BorrowedFd<'_>, attr: libc::mount_attr, recursive: bool) -> io::Result<()> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a C string, attr lives through the call and its size is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            fd.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    };
    check(result)
}

/// Brings up the loopback interface of the current network namespace.
pub(crate) fn loopback_up() -> io::Result<()> {
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None)?;
    // SAFETY: ifreq is plain data, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
    // SAFETY: SIOCSIFFLAGS reads an ifreq, which lives through the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) } as i64)
}

/// Closes all file descriptors from 3 on that are not in `keep`.
pub(crate) fn close_others(keep: &[i32]) -> io::Result<()> {
    let mut keep: Vec<u32> = keep.iter().filter(|&&fd| fd > 2).map(|&fd| fd as u32).collect();
    keep.sort_unstable();
    let mut from = 3u32;
    for end in keep.into_iter().map(Some).chain([None]) {
        let last = end.map_or(u32::MAX, |fd| fd.saturating_sub(1));
        if from <= last {
            // SAFETY: only descriptors nobody uses any more are closed: the caller keeps those it does.
            check(unsafe { libc::syscall(libc::SYS_close_range, from, last, 0) })?;
        }
        from = end.map_or(from, |fd| fd + 1);
    }
    Ok(())
}

/// A descriptor that becomes readable when one of `signals` is pending; they
/// are blocked from now on.
pub(crate) fn signal_fd(signals: &[i32]) -> io::Result<OwnedFd> {
    // SAFETY: sigset_t is plain data, initialised by sigemptyset; all pointers are to it.
    let fd = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for &signal in signals {
            libc::sigaddset(&raw mut set, signal);
        }
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    check(fd as i64)?;
    // SAFETY: signalfd returned a new descriptor nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Ignored or caught signals do not survive from the program this process is a
/// copy of: all are set to their default, and none is blocked.
pub(crate) fn reset_signals() {
    // SAFETY: SIG_DFL is valid for all signals; failing for KILL and STOP is expected.
    // The set is initialised before use.
    unsafe {
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// Opens a directory or file without following a symbolic link anywhere.
pub(crate) fn open_without_links(path: &Path) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags, ResolveFlags};
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    Ok(rustix::fs::openat2(rustix::fs::CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)?)
}

/// kill(2) with any target, as `-1` for all processes one may signal.
pub(crate) fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: kill has no memory preconditions.
    check(unsafe { libc::kill(pid, signal) } as i64)
}

/// Whether landlock_create_ruleset(2) answers with an ABI version, and which.
pub(crate) fn landlock_abi() -> Option<u32> {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the call takes a null pointer and size 0.
    let abi = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0usize, VERSION)
    };
    u32::try_from(abi).ok().filter(|&abi| abi > 0)
}

/// Puts this process into a new user namespace.
pub(crate) fn new_user_namespace() -> io::Result<()> {
    // SAFETY: NEWUSER does not change what file descriptors refer to.
    Ok(unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWUSER) }?)
}

/// Writes all of a short text to a kernel file in one call.
pub(crate) fn write_file(path: &CStr, text: &str) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    let fd = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&fd, text.as_bytes())?;
    Ok(())
}

fn check(result: i64) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
