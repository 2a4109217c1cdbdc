//! Calls into the kernel that change the host or widen the ways to attack it.
//! Those that would do harm are made so that they fail later than the refusal.

use super::{Attempt, Got, Works, attempt, called, found, held, out};
use std::io;

pub const ALL: &[Attempt] = &[
    attempt("io-uring", Works::Perhaps, |_| {
        let mut parameters = [0u8; 120];
        called(unsafe { libc::syscall(libc::SYS_io_uring_setup, 4, parameters.as_mut_ptr()) })
    }),
    attempt("user-fault", Works::Perhaps, |_| {
        const USER_MODE_ONLY: i32 = 1;
        called(unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | USER_MODE_ONLY) })
    }),
    attempt("bpf", Works::AsRoot, |_| {
        // An array map with one element.
        let attributes: [u32; 4] = [2, 4, 4, 1];
        called(unsafe { libc::syscall(libc::SYS_bpf, 0, attributes.as_ptr(), size_of_val(&attributes)) })
    }),
    attempt("performance-counters", Works::Perhaps, |_| {
        // A software clock of this process, in user mode only.
        let mut attributes = [0u64; 16];
        attributes[0] = 1 | (128 << 32);
        attributes[5] = 1 << 5 | 1 << 6;
        called(unsafe { libc::syscall(libc::SYS_perf_event_open, attributes.as_ptr(), 0, -1, -1, 0) })
    }),
    attempt("read-host-key", Works::Perhaps, |map| {
        let key = map.keyring_key.ok_or(io::ErrorKind::Unsupported)?;
        let mut buffer = [0u8; 64];
        const READ: i32 = 11;
        let length =
            unsafe { libc::syscall(libc::SYS_keyctl, READ, key, buffer.as_mut_ptr(), buffer.len(), 0) };
        called(length)?;
        found(&String::from_utf8_lossy(&buffer[..length as usize]))
    }),
    attempt("add-host-key", Works::Perhaps, |_| {
        const USER_KEYRING: i64 = -4;
        let key = unsafe {
            libc::syscall(
                libc::SYS_add_key,
                c"user".as_ptr(),
                c"bitzel-escape-2".as_ptr(),
                c"x".as_ptr(),
                1,
                USER_KEYRING,
            )
        };
        called(key)
    }),
    attempt("new-user-namespace", Works::Perhaps, |_| {
        called(i64::from(unsafe { libc::unshare(libc::CLONE_NEWUSER) }))
    }),
    attempt("new-user-namespace-by-clone", Works::Perhaps, |_| {
        let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
        child(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })
    }),
    attempt("new-user-namespace-by-clone3", Works::Perhaps, |_| {
        let arguments: [u64; 8] = [libc::CLONE_NEWUSER as u64, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0];
        child(unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size_of_val(&arguments)) })
    }),
    attempt("new-mount-namespace", Works::AsRoot, |_| {
        called(i64::from(unsafe { libc::unshare(libc::CLONE_NEWNS) }))
    }),
    attempt("enter-namespace", Works::AsRoot, |map| {
        let name = if std::path::Path::new(&format!("/proc/{}/ns/uts", map.victim)).exists() {
            map.victim
        } else {
            1
        };
        let file = std::fs::File::open(format!("/proc/{name}/ns/uts"))?;
        use std::os::fd::AsRawFd;
        called(i64::from(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWUTS) }))
    }),
    attempt("load-module", Works::AsRoot, |_| {
        let result = unsafe { libc::syscall(libc::SYS_finit_module, -1, c"".as_ptr(), 0) };
        past_permission(result)
    }),
    attempt("replace-kernel", Works::AsRoot, |_| {
        // Flags that do not exist: refused only after the permission was checked.
        past_permission(unsafe { libc::syscall(libc::SYS_kexec_load, 0, 0, 0, 0x8000) })
    }),
    attempt("reboot", Works::AsRoot, |_| {
        const CAD_OFF: u32 = 0;
        called(i64::from(unsafe { libc::reboot(CAD_OFF as i32) }))
    }),
    attempt("kernel-log", Works::AsRoot, |_| {
        const SIZE_BUFFER: i32 = 10;
        const READ_ALL: i32 = 3;
        let mut buffer = [0u8; 256];
        called(i64::from(unsafe { libc::klogctl(SIZE_BUFFER, std::ptr::null_mut(), 0) }))?;
        called(i64::from(unsafe { libc::klogctl(READ_ALL, buffer.as_mut_ptr().cast(), 256) }))
    }),
    attempt("set-clock", Works::AsRoot, |_| {
        // The time zone the kernel has (none): allowed or not, it changes nothing.
        let zone = [0i32; 2];
        called(unsafe { libc::syscall(libc::SYS_settimeofday, 0, zone.as_ptr()) })
    }),
    attempt("set-host-name", Works::AsRoot, |_| {
        let mut name = [0u8; 65];
        unsafe {
            libc::gethostname(name.as_mut_ptr().cast(), 64);
            called(i64::from(libc::sethostname(name.as_ptr().cast(), libc::strlen(name.as_ptr().cast()))))
        }
    }),
    attempt("see-host-name", Works::Perhaps, |_| {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
        if matches!(name.trim(), "localhost" | "") { held("made-up name") } else { out(&name) }
    }),
    attempt("swap-off", Works::AsRoot, |_| {
        past_permission(i64::from(unsafe { libc::swapoff(c"/no/such/file".as_ptr()) }))
    }),
    attempt("process-accounting", Works::AsRoot, |_| {
        past_permission(i64::from(unsafe { libc::acct(c"/no/such/file".as_ptr()) }))
    }),
    attempt("watch-all-files", Works::AsRoot, |_| {
        called(i64::from(unsafe { libc::fanotify_init(libc::FAN_CLASS_NOTIF, libc::O_RDONLY as u32) }))
    }),
    attempt("disk-quota", Works::AsRoot, |_| {
        // Q_SYNC of all file systems changes nothing.
        past_permission(unsafe {
            libc::syscall(libc::SYS_quotactl, 0x800_001 << 8, c"/dev/none".as_ptr(), 0, 0)
        })
    }),
    attempt("port-access", Works::AsRoot, |_| {
        #[cfg(target_arch = "x86_64")]
        return called(unsafe { libc::syscall(libc::SYS_iopl, 3) });
        #[cfg(not(target_arch = "x86_64"))]
        held("not on this architecture")
    }),
    attempt("other-system-call-interface", Works::Perhaps, other_interface),
    attempt("type-into-terminal", Works::Perhaps, |_| {
        let byte = b'x';
        called(i64::from(unsafe { libc::ioctl(0, libc::TIOCSTI, &raw const byte) }))
    }),
];

/// Reaps the child of a successful clone; the child ends at once.
fn child(pid: i64) -> io::Result<Got> {
    if pid == 0 {
        unsafe { libc::_exit(0) }
    }
    let got = called(pid);
    unsafe { libc::waitpid(pid as i32, std::ptr::null_mut(), 0) };
    got
}

/// Out if a call failed for another reason than being refused.
fn past_permission(result: i64) -> io::Result<Got> {
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES | libc::ENOSYS) if result < 0 => Err(error),
        _ => out(&format!("got past the permission check: {result} {error}")),
    }
}

/// getpid by the 32-bit interface, whose numbers no 64-bit filter knows.
#[cfg(target_arch = "x86_64")]
fn other_interface(_: &crate::world::Map) -> io::Result<Got> {
    let result: i32;
    unsafe {
        std::arch::asm!("int 0x80", inlateout("eax") 20 => result, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    called(i64::from(result))
}

#[cfg(not(target_arch = "x86_64"))]
fn other_interface(_: &crate::world::Map) -> io::Result<Got> {
    held("not on this architecture")
}
