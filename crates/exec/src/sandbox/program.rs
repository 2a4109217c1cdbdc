//! Starts a task's program from the sandbox's first process, which shares its
//! memory with the new one until exec, so that nothing has to be copied.
#![allow(unsafe_code)]

use super::beside;
use crate::spec::TaskSpec;
use std::ffi::CString;
use std::io;
use std::os::fd::RawFd;
use std::path::Path;

/// All that the new process needs, made before it exists: it must not allocate.
pub(super) struct Program {
    /// Where the program may be, in the order of PATH.
    candidates: Vec<CString>,
    argv: Vec<CString>,
    env: Vec<CString>,
    cwd: CString,
    setting: Setting,
    new_session: bool,
}

/// What a task's process is given before it becomes the task.
#[derive(Clone)]
pub(super) struct Setting {
    /// Standard streams, above 2.
    pub stdio: [RawFd; 3],
    /// Control group files to join by.
    pub doors: Vec<RawFd>,
    pub umask: Option<u32>,
    pub limits: Vec<(u32, libc::rlimit)>,
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
    /// Prepares the command of `spec`.
    pub(super) fn new(spec: &TaskSpec, setting: Setting) -> io::Result<Program> {
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
            setting,
            new_session: !spec.interactive,
        })
    }

    /// Turns this process into the program.
    pub(super) fn become_it(&self) -> ! {
        let argv = pointers(&self.argv);
        let env = pointers(&self.env);
        let mut shared =
            Shared { program: self, argv: argv.as_ptr(), env: env.as_ptr(), failed: "", errno: 0 };
        enter(&mut shared)
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
        let pid = beside::run(0, || enter(&mut shared)).map_err(|error| ("start a process", error))?;
        if shared.errno != 0 {
            // SAFETY: reaps the child that has just ended; its status is not wanted.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            return Err((shared.failed, io::Error::from_raw_os_error(shared.errno)));
        }
        Ok(pid)
    }
}

impl Setting {
    /// Takes it in force. Allocates nothing.
    ///
    /// # Errors
    /// What failed; the C library's `errno` tells why.
    pub(super) fn apply(&self) -> Result<(), &'static str> {
        for &door in &self.doors {
            // SAFETY: the text is a constant.
            if unsafe { libc::write(door, c"0".as_ptr().cast(), 1) } < 0 {
                return Err("join the control group");
            }
        }
        for (to, from) in (0..).zip(self.stdio) {
            // SAFETY: descriptors 0 to 2 are replaced on purpose; the others are open.
            if unsafe { libc::dup2(from, to) } < 0 {
                return Err("set up the standard streams");
            }
        }
        for (resource, limit) in &self.limits {
            // SAFETY: limit is a live rlimit.
            if unsafe { libc::setrlimit(*resource as _, limit) } < 0 {
                return Err("set a resource limit");
            }
        }
        if let Some(mask) = self.umask {
            // SAFETY: umask has no preconditions.
            unsafe { libc::umask(mask) };
        }
        Ok(())
    }
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

/// Turns the process into the program, or ends it. Only async-signal-safe
/// calls and no allocation: the memory is that of a process which goes on.
fn enter(shared: &mut Shared<'_>) -> ! {
    let program = shared.program;
    let failed = 'failed: {
        if program.new_session {
            // SAFETY: no preconditions.
            unsafe { libc::setsid() };
        }
        super::sys::reset_signals();
        if let Err(what) = program.setting.apply() {
            break 'failed what;
        }
        // SAFETY: cwd is a C string.
        if unsafe { libc::chdir(program.cwd.as_ptr()) } < 0 {
            break 'failed "enter the working directory";
        }
        // Written to `shared` only when all have failed: its memory is the parent's, who looks there
        // once the program runs.
        let mut failure = 0;
        for candidate in &program.candidates {
            // SAFETY: all are C strings or null-terminated lists of them.
            unsafe { libc::execve(candidate.as_ptr(), shared.argv, shared.env) };
            let errno = errno();
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
        super::sys::exit_now(127)
    };
    shared.errno = errno();
    shared.failed = failed;
    super::sys::exit_now(127)
}

fn errno() -> i32 {
    // SAFETY: the location of errno of this thread; whoever shares it sleeps.
    unsafe { *libc::__errno_location() }
}
