//! Seeing and touching processes of the host, and outliving the task.

use super::{Attempt, Works, attempt, called, found, held, out};
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

pub const ALL: &[Attempt] = &[
    attempt("see-command-lines", Works::Always, |map| {
        let text = fs::read_to_string(format!("/proc/{}/cmdline", map.victim))?;
        if text.starts_with("sleep") { out(&text) } else { held(&text) }
    }),
    attempt("count-processes", Works::Always, |_| {
        let count = fs::read_dir("/proc")?
            .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().parse::<u32>().is_ok())
            .count();
        if count > 4 { out(&format!("{count} processes")) } else { held(&format!("{count} processes")) }
    }),
    attempt("read-environment-of-victim", Works::Always, |map| {
        found(&String::from_utf8_lossy(&fs::read(format!("/proc/{}/environ", map.victim))?))
    }),
    // The attempt's parent is the trial, or what stands in its place in a sandbox.
    attempt("read-environment-of-parent", Works::Always, |_| {
        let text = fs::read(format!("/proc/{}/environ", std::os::unix::process::parent_id()))?;
        found(&String::from_utf8_lossy(&text))
    }),
    attempt("read-memory-of-parent", Works::Perhaps, |_| {
        fs::File::open(format!("/proc/{}/mem", std::os::unix::process::parent_id()))?;
        out("opened")
    }),
    attempt("signal-victim", Works::Always, |map| called(i64::from(unsafe { libc::kill(map.victim, 0) }))),
    attempt("signal-victim-by-descriptor", Works::Always, |map| {
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, map.victim, 0) };
        called(fd)?;
        called(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, 0, 0, 0) })
    }),
    attempt("signal-group-of-victim", Works::Always, |map| {
        // The victim shares its group with the trial: signal 0 only asks.
        let group = unsafe { libc::getpgid(map.victim) };
        called(i64::from(group))?;
        called(i64::from(unsafe { libc::kill(-group, 0) }))
    }),
    attempt("stop-first-process", Works::AsRoot, |_| {
        // Being allowed to is enough; in a sandbox it is the sandbox's first process.
        let name = fs::read_to_string("/proc/1/comm")?;
        let target = fs::read_link("/proc/1/exe")?;
        called(i64::from(unsafe { libc::kill(1, 0) }))?;
        out(&format!("{} {}", name.trim(), target.display()))
    }),
    attempt("renice-victim", Works::Always, |map| {
        called(i64::from(unsafe { libc::setpriority(libc::PRIO_PROCESS, map.victim as u32, 0) }))
    }),
    attempt("bind-victim-to-processor", Works::Always, |map| {
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        unsafe {
            libc::sched_getaffinity(0, size_of_val(&set), &raw mut set);
            called(i64::from(libc::sched_setaffinity(map.victim, size_of_val(&set), &raw const set)))
        }
    }),
    attempt("limit-victim", Works::Always, |map| {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        unsafe {
            let result = libc::prlimit(map.victim, libc::RLIMIT_CORE, std::ptr::null(), &raw mut limit);
            called(i64::from(result))
        }
    }),
    attempt("trace-victim", Works::Perhaps, |map| {
        let seized = unsafe { libc::ptrace(libc::PTRACE_SEIZE, map.victim, 0, 0) };
        let got = called(seized);
        unsafe { libc::ptrace(libc::PTRACE_DETACH, map.victim, 0, 0) };
        got
    }),
    attempt("read-memory-of-victim", Works::Perhaps, |map| {
        let maps = fs::read_to_string(format!("/proc/{}/maps", map.victim))?;
        let start = u64::from_str_radix(maps.split('-').next().unwrap_or_default(), 16).unwrap_or(0);
        let mut buffer = [0u8; 8];
        let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: 8 };
        let remote = libc::iovec { iov_base: start as *mut _, iov_len: 8 };
        called(unsafe { libc::process_vm_readv(map.victim, &raw const local, 1, &raw const remote, 1, 0) }
            as i64)
    }),
    attempt("shared-memory-segment", Works::Always, |map| {
        let memory = unsafe { libc::shmat(map.shared_memory, std::ptr::null(), libc::SHM_RDONLY) };
        called(memory as i64)?;
        let text = unsafe { std::slice::from_raw_parts(memory.cast::<u8>(), 64) };
        found(&String::from_utf8_lossy(text))
    }),
    attempt("daemon-left-behind", Works::Always, |map| {
        // Ends before its daemon writes; the trial looks for the file later.
        let script = format!("(setsid sh -c 'sleep 0.3; echo late > {0}/late' &) ; :", map.work().display());
        Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        std::thread::sleep(Duration::from_millis(20));
        out("started a daemon")
    }),
    attempt("raise-priority", Works::AsRoot, |_| {
        called(i64::from(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -5) }))
    }),
    attempt("real-time-priority", Works::AsRoot, |_| {
        let parameters = libc::sched_param { sched_priority: 1 };
        called(i64::from(unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) }))
    }),
];
