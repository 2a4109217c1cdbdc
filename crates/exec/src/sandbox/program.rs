//! Starts a task's program from the sandbox's first process, which shares its
//! memory with the new one until exec, so that nothing has to be copied.
#![allow(unsafe_code)]

use crate::spec::TaskSpec;
use std::ffi::{CString, c_void};
use std::io;
use std::os::fd::RawFd;
use std::path::Path;

/// Enough for the few calls before exec.
const STACK: usize = 64 * 1024;

/// All that the new process needs, made before it exists: it must not allocate.
pub(super) struct Program {
    /// Where the program may be, in the order of PATH.
    candidates: Vec<CString>,
    argv: Vec<CString>,
    env: Vec<CString>,
    cwd: CString,
    stdio: [RawFd; 3],
    umask: Option<u32>,
    limits: Vec<(u32, libc::rlimit)>,
    new_session: bool,
}

/// What the new process works on; it writes down what failed.
struct Shared<'a> {
    program: &'a Program,
    argv: *const *const libc::c_char,
    env: *const *const libc::c_char,
    failed: &'static str,
    errno: i32,
}

impl Program {
    /// Prepares the command of `spec`. `stdio` must be above 2.
    pub(super) fn new(
        spec: &TaskSpec,
        stdio: [RawFd; 3],
        limits: Vec<(u32, libc::rlimit)>,
    ) -> io::Result<Program> {
        let name = spec.argv.first().map_or("", String::as_str);
        let candidates: Vec<String> = if name.contains('/') {
            vec![name.to_owned()]
        } else {
            let path = spec.env.get("PATH").map_or("/usr/bin:/bin", String::as_str);
            path.split(':').filter(|dir| !dir.is_empty()).map(|dir| format!("{dir}/{name}")).collect()
        };
        let c_string = |text: String| CString::new(text).map_err(io::Error::from);
        let cwd = if spec.cwd == Path::new("") { "/".to_owned() } else { spec.cwd.display().to_string() };
        Ok(Program {
            candidates: candidates.into_iter().map(c_string).collect::<io::Result<_>>()?,
            argv: spec.argv.iter().cloned().map(c_string).collect::<io::Result<_>>()?,
            env: spec.env.iter().map(|(k, v)| c_string(format!("{k}={v}"))).collect::<io::Result<_>>()?,
            cwd: c_string(cwd)?,
            stdio,
            umask: spec.umask,
            limits,
            new_session: !spec.interactive,
        })
    }

    /// Turns this process into the program.
    pub(super) fn become_it(&self) -> ! {
        let argv = pointers(&self.argv);
        let env = pointers(&self.env);
        let mut shared =
            Shared { program: self, argv: argv.as_ptr(), env: env.as_ptr(), failed: "", errno: 0 };
        super::sys::exit_now(enter((&raw mut shared).cast()))
    }

    /// Starts the program and returns once it is running (or has failed to).
    ///
    /// # Errors
    /// What failed, and the kernel's answer.
    pub(super) fn start(&self) -> Result<i32, (&'static str, io::Error)> {
        let argv = pointers(&self.argv);
        let env = pointers(&self.env);
        let mut shared =
            Shared { program: self, argv: argv.as_ptr(), env: env.as_ptr(), failed: "", errno: 0 };
        let mut stack = vec![0u8; STACK];
        // SAFETY: the pointer is to the end of the buffer, aligned down to 16 as ABIs ask.
        let top = unsafe { stack.as_mut_ptr().add(STACK & !15) };
        let top = ((top as usize) & !15) as *mut c_void;
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: CLONE_VFORK stops this process until the child has called exec or _exit, so
        // `shared` and `stack` outlive the child's use of them, and nothing runs at the same time.
        let pid = unsafe { libc::clone(enter, top, flags, (&raw mut shared).cast()) };
        if pid < 0 {
            return Err(("start a process", io::Error::last_os_error()));
        }
        if shared.errno != 0 {
            // SAFETY: reaps the child that has just ended; its status is not wanted.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            return Err((shared.failed, io::Error::from_raw_os_error(shared.errno)));
        }
        Ok(pid)
    }
}

/// Applies the stdio, limits and mask of a program in a process that goes on
/// as a callback. `stdio` must be above 2.
pub(super) fn prepare_callback(
    stdio: [RawFd; 3],
    umask: Option<u32>,
    limits: &[(u32, libc::rlimit)],
) -> io::Result<()> {
    for (to, from) in (0..).zip(stdio) {
        // SAFETY: descriptors 0 to 2 are replaced on purpose; the others are open.
        if unsafe { libc::dup2(from, to) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    for (resource, limit) in limits {
        // SAFETY: limit is a live rlimit.
        if unsafe { libc::setrlimit(*resource as _, limit) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    if let Some(mask) = umask {
        // SAFETY: umask has no preconditions.
        unsafe { libc::umask(mask) };
    }
    Ok(())
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

/// Runs in the new process on its own stack. Only async-signal-safe calls, no
/// allocation, no unwinding.
extern "C" fn enter(argument: *mut c_void) -> i32 {
    // SAFETY: `start` passes a Shared that outlives this process' use of it, and waits meanwhile.
    let shared = unsafe { &mut *argument.cast::<Shared<'_>>() };
    let program = shared.program;
    let failed = 'failed: {
        if program.new_session {
            // SAFETY: no preconditions.
            unsafe { libc::setsid() };
        }
        super::sys::reset_signals();
        for (to, from) in (0..).zip(program.stdio) {
            // SAFETY: descriptors 0 to 2 are replaced on purpose.
            if unsafe { libc::dup2(from, to) } < 0 {
                break 'failed "set up the standard streams";
            }
        }
        // SAFETY: cwd is a C string.
        if unsafe { libc::chdir(program.cwd.as_ptr()) } < 0 {
            break 'failed "enter the working directory";
        }
        if let Some(mask) = program.umask {
            // SAFETY: no preconditions.
            unsafe { libc::umask(mask) };
        }
        for (resource, limit) in &program.limits {
            // SAFETY: limit is a live rlimit.
            if unsafe { libc::setrlimit(*resource as _, limit) } < 0 {
                break 'failed "set a resource limit";
            }
        }
        // Written to `shared` only when all have failed: its memory is the parent's, who looks there
        // once the program runs.
        let mut failure = 0;
        for candidate in &program.candidates {
            // SAFETY: all are C strings or null-terminated lists of them.
            unsafe { libc::execve(candidate.as_ptr(), shared.argv, shared.env) };
            // SAFETY: the location of errno of this thread, which `start` does not use meanwhile.
            let errno = unsafe { *libc::__errno_location() };
            // A file that may not be executed is remembered, one that is not there is not.
            if failure == 0 || errno != libc::ENOENT {
                failure = errno;
            }
            if !matches!(errno, libc::ENOENT | libc::ENOTDIR | libc::EACCES) {
                break;
            }
        }
        shared.errno = if failure == 0 { libc::ENOENT } else { failure };
        shared.failed = "";
        // SAFETY: ends the process without running anything of its parent's.
        unsafe { libc::_exit(127) }
    };
    // SAFETY: as above.
    shared.errno = unsafe { *libc::__errno_location() };
    shared.failed = failed;
    // SAFETY: as above.
    unsafe { libc::_exit(127) }
}
