//! Runs code in a new process that shares this one's memory, as vfork(2) does:
//! nothing is copied, whatever this process holds, and what the code finds out
//! is simply there afterwards.
#![allow(unsafe_code)]

use std::arch::asm;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Exit code of a process whose code panicked.
const PANICKED: i32 = 101;

type Work<'a> = &'a mut dyn FnMut();

/// Runs `work` in a new process, in new namespaces given by `CLONE_NEW*` flags,
/// and returns its id when it has come back from `work`, was killed, or has
/// become another program. This process sleeps meanwhile, so the two never run
/// at the same time; files, ids, limits and signals are the new process's own.
/// As with fork(2), `work` may do little where this process has other threads: what
/// they hold locked stays so.
///
/// # Errors
/// Those of clone(2).
pub(super) fn run(namespaces: i32, mut work: impl FnMut()) -> io::Result<i32> {
    let mut work: Work<'_> = &mut work;
    let flags = namespaces | libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the new process runs `enter` with a pointer to `work`, which lives through the call since
    // this process goes on only after the other one is done with its memory.
    let pid = unsafe { clone_and_call(flags, (&raw mut work).cast()) };
    match i32::try_from(pid) {
        Ok(pid @ 0..) => Ok(pid),
        Ok(error) => Err(io::Error::from_raw_os_error(-error)),
        Err(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The new process; its result is the exit code.
extern "C" fn enter(work: *mut libc::c_void) -> i32 {
    // SAFETY: `run` passes a pointer to a `Work` nobody else uses meanwhile.
    let work = unsafe { &mut *work.cast::<Work<'_>>() };
    catch_unwind(AssertUnwindSafe(work)).map_or(PANICKED, |()| 0)
}

/// clone(2) without a stack of the new process's own: it calls [`enter`] below
/// the frames of this one, which it leaves alone, and ends.
///
/// # Safety
/// `flags` must hold CLONE_VM and CLONE_VFORK, and `argument` be what `enter` takes.
#[cfg(target_arch = "x86_64")]
unsafe fn clone_and_call(flags: i32, argument: *mut libc::c_void) -> isize {
    let result: isize;
    // SAFETY: to this process the block is a system call that returns once. The other one steps over
    // the red zone, calls a function of the C convention on an aligned stack, and never leaves the block.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "sub rsp, 256",
            "and rsp, -16",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "mov edi, eax",
            "mov eax, {exit}",
            "syscall",
            "ud2",
            "2:",
            exit = const libc::SYS_exit_group,
            inlateout("rax") libc::SYS_clone as isize => result,
            in("rdi") i64::from(flags),
            in("rsi") 0usize, in("rdx") 0usize, in("r10") 0usize, in("r8") 0usize,
            in("r12") argument,
            in("r13") enter as extern "C" fn(*mut libc::c_void) -> i32,
            clobber_abi("C"),
        );
    }
    result
}

/// As for x86_64; there is no red zone, and the stack is always aligned.
#[cfg(target_arch = "aarch64")]
unsafe fn clone_and_call(flags: i32, argument: *mut libc::c_void) -> isize {
    let result: isize;
    // SAFETY: as for x86_64.
    unsafe {
        asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x20",
            "blr x21",
            "mov x8, {exit}",
            "svc 0",
            "brk 1",
            "2:",
            exit = const libc::SYS_exit_group,
            in("x8") libc::SYS_clone,
            inlateout("x0") i64::from(flags) as isize => result,
            in("x1") 0usize, in("x2") 0usize, in("x3") 0usize, in("x4") 0usize,
            in("x20") argument,
            in("x21") enter as extern "C" fn(*mut libc::c_void) -> i32,
            clobber_abi("C"),
        );
    }
    result
}

/// As for aarch64.
#[cfg(target_arch = "riscv64")]
unsafe fn clone_and_call(flags: i32, argument: *mut libc::c_void) -> isize {
    let result: isize;
    // SAFETY: as for x86_64.
    unsafe {
        asm!(
            "ecall",
            "bnez a0, 2f",
            "mv a0, s2",
            "jalr s3",
            "li a7, {exit}",
            "ecall",
            "ebreak",
            "2:",
            exit = const libc::SYS_exit_group,
            in("a7") libc::SYS_clone,
            inlateout("a0") i64::from(flags) as isize => result,
            in("a1") 0usize, in("a2") 0usize, in("a3") 0usize, in("a4") 0usize,
            in("s2") argument,
            in("s3") enter as extern "C" fn(*mut libc::c_void) -> i32,
            clobber_abi("C"),
        );
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::ExitStatus;
    use crate::sandbox::sys;

    #[test]
    fn what_the_other_process_finds_out_is_there_afterwards() {
        let mut seen = Vec::new();
        let pid = run(0, || seen = vec![std::process::id(); 1000]).unwrap();
        assert_eq!(seen, vec![pid as u32; 1000]);
        assert_ne!(std::process::id(), pid as u32);
        assert_eq!(sys::wait(pid, 0).unwrap().unwrap().status, ExitStatus::Code(0));
    }

    #[test]
    fn files_and_directories_are_the_other_processs_own() {
        let here = std::env::current_dir().unwrap();
        let pid = run(0, || {
            std::env::set_current_dir("/").unwrap();
            sys::close_others(&[]).unwrap();
        })
        .unwrap();
        sys::wait(pid, 0).unwrap();
        assert_eq!(std::env::current_dir().unwrap(), here);
        assert!(std::fs::read_dir(here).is_ok());
    }

    #[test]
    fn code_that_ends_early_ends_its_process_only() {
        let status = |work: fn()| {
            let pid = run(0, work).unwrap();
            sys::wait(pid, 0).unwrap().unwrap().status
        };
        assert_eq!(status(|| sys::exit_now(7)), ExitStatus::Code(7));
        let killed = || sys::kill(std::process::id() as i32, libc::SIGKILL).unwrap();
        assert_eq!(status(killed), ExitStatus::Signal(libc::SIGKILL));
    }
}
