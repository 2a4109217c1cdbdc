//! System calls that neither std nor rustix offer, as safe functions. The only
//! place of the sandbox with `unsafe`, but for the loading of task programs.
#![allow(unsafe_code)]

use crate::outcome::ExitStatus;
use rustix::thread::UnshareFlags;
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
pub(crate) fn thread_count() -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    // A directory of its own for each, beside `.` and the directory's own name.
    Ok(std::fs::metadata("/proc/self/task")?.nlink().saturating_sub(2))
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

/// Whether this process has any child left, waited for or not.
pub(crate) fn has_children() -> bool {
    // SAFETY: WNOWAIT leaves the child be, a null pointer asks for no details.
    let result = unsafe {
        libc::waitid(libc::P_ALL, 0, std::ptr::null_mut(), libc::WEXITED | libc::WNOHANG | libc::WNOWAIT)
    };
    result == 0
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
}

/// mount_setattr(2) on the mount `fd` refers to; with `recursive` on all below. It is private then.
pub(crate) fn set_mount_attributes(fd: BorrowedFd<'_>, set: u64, recursive: bool) -> io::Result<()> {
    let attr = libc::mount_attr { attr_set: set, attr_clr: 0, propagation: libc::MS_PRIVATE, userns_fd: 0 };
    mount_setattr(fd, attr, recursive)
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

/// Loads a seccomp program into this process.
pub(crate) fn load_filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel copies the program, which lives through the call, and changes nothing.
    check(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) })
}

/// Loads a seccomp program into this process that shows calls to others, who
/// do so through the descriptor with the number returned.
pub(crate) fn load_showing_filter(program: &[libc::sock_filter]) -> io::Result<i32> {
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // SAFETY: the kernel copies the program, which lives through the call, and changes nothing.
    let fd =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    check(fd)?;
    Ok(fd as i32)
}

/// A system call of another process that waits to be let go on.
pub(crate) struct ShownCall {
    id: u64,
    pub pid: i32,
    pub number: i64,
    pub arguments: [u64; 6],
}

/// Takes the next call that waits; `None` if its process is gone.
pub(crate) fn receive_call(listener: &OwnedFd) -> Option<ShownCall> {
    // SAFETY: seccomp_notif is plain data; the kernel demands zeroes.
    let mut shown: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the ioctl writes a seccomp_notif, which lives through the call.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut shown) };
    let data = shown.data;
    (result == 0).then_some(ShownCall {
        id: shown.id,
        pid: shown.pid as i32,
        number: i64::from(data.nr),
        arguments: data.args,
    })
}

/// Lets a call go on as if nobody had looked.
pub(crate) fn let_go_on(listener: &OwnedFd, call: &ShownCall) {
    const CONTINUE: u32 = 1;
    let answer = libc::seccomp_notif_resp { id: call.id, val: 0, error: 0, flags: CONTINUE };
    // SAFETY: the ioctl reads a seccomp_notif_resp, which lives through the call. It fails if the
    // process is gone, which is as well.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer) };
}

impl ShownCall {
    /// Up to `length` bytes of the process' memory where an argument points to.
    pub(crate) fn bytes(&self, argument: usize, length: usize) -> Option<Vec<u8>> {
        let mut buffer = vec![0u8; length];
        let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: length };
        let remote = libc::iovec { iov_base: self.arguments[argument] as *mut _, iov_len: length };
        // SAFETY: `local` is the buffer; whatever the other address is, the kernel checks it.
        let got = unsafe { libc::process_vm_readv(self.pid, &raw const local, 1, &raw const remote, 1, 0) };
        buffer.truncate(usize::try_from(got).ok()?);
        Some(buffer)
    }

    /// The path an argument points to.
    pub(crate) fn string(&self, argument: usize) -> Option<std::path::PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        // The string may end right before memory that is not there: stop at the page's end first.
        let to_page_end = 4096 - (self.arguments[argument] % 4096) as usize;
        for length in [to_page_end, 4096] {
            let mut bytes = self.bytes(argument, length)?;
            if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
                bytes.truncate(end);
                return Some(std::ffi::OsString::from_vec(bytes).into());
            }
        }
        None
    }

    /// The 64-bit number an argument points to.
    pub(crate) fn number_at(&self, argument: usize) -> Option<u64> {
        Some(u64::from_ne_bytes(self.bytes(argument, 8)?.try_into().ok()?))
    }
}

/// A descriptor of another process, as one of this.
pub(crate) fn take_descriptor(pid: i32, number: i32) -> io::Result<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    let process = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
    Ok(rustix::process::pidfd_getfd(process, number, rustix::process::PidfdGetfdFlags::empty())?)
}

/// Makes this process' group the terminal's foreground group, if `fd` is a terminal.
pub(crate) fn take_terminal(fd: BorrowedFd<'_>) {
    // SAFETY: the set is initialised before use; nothing is done where `fd` is no terminal. A
    // process in the background would be stopped by SIGTTOU, so that is blocked meanwhile.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        let mut old: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGTTOU);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut old);
        libc::tcsetpgrp(fd.as_raw_fd(), libc::getpgrp());
        libc::sigprocmask(libc::SIG_SETMASK, &raw const old, std::ptr::null_mut());
    }
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

/// Puts this process into new namespaces.
pub(crate) fn unshare(namespaces: UnshareFlags) -> io::Result<()> {
    // SAFETY: only FILES would change what file descriptors refer to, and nobody asks for that.
    Ok(unsafe { rustix::thread::unshare_unsafe(namespaces) }?)
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
