//! Running tasks: each in a copy of this process, which holds the evaluated recipe. Events are
//! passed on to the channel meanwhile: by this process, or, where a task is isolated, by the
//! first one of its sandbox, while this one sleeps. In the end this one tells how it was.

use crate::isolation::{Isolation, isolation};
use crate::prepared::prepared;
use crate::relay::Relay;
use crate::serve::listen;
use crate::session::Session;
use crate::taskprocess::{become_leader, set_process_name};
use bitzel_exec::{Error as ExecError, ExitStatus, Sandbox, TaskOutcome};
use bitzel_recipe::protocol::{TaskEnd, TaskOrder};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::ffi::{PyOS_AfterFork_Child, PyOS_AfterFork_Parent, PyOS_BeforeFork};
use pyo3::prelude::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// How long a task that is told to end may take before it is killed.
const PATIENCE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// A task to be run.
struct Task<'py> {
    /// What `ps` shows of it.
    name: String,
    module: Bound<'py, PyModule>,
    /// Its order as JSON.
    text: String,
    d: Bound<'py, PyAny>,
    /// Where its events go. Open here as well until the task is over: a channel without senders
    /// would be ready to be read all the time.
    events: OwnedFd,
}

/// Runs a task in a process of its own; its events go to `stream`.
pub(crate) fn run(py: Python<'_>, order: &TaskOrder, stream: &UnixStream) -> PyResult<TaskEnd> {
    if order.dry_run {
        return Ok(TaskEnd::default());
    }
    let recipe = prepared(py, &order.address)?;
    // Here, not in the task: all tasks of the recipe share them.
    recipe.texts().make_ready();
    let text = serde_json::to_string(order).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let (events, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(io::Error::from)?;
    let module = py.import("bitzel_host.task")?;
    let d = recipe.data(py)?;
    py.import("bitzel_host.fakeroot")?.call_method1("ready", (&order.task, &d))?;
    let roots: Vec<PathBuf> = module.call_method0("roots")?.extract()?;
    let isolation = {
        let session = Session::of(py)?;
        let session = session.borrow();
        let mut isolator = session.isolator.borrow_mut();
        isolation(&recipe.store, order, &mut isolator, roots, Some(theirs.as_raw_fd()))
    };
    let recipe_name = recipe.store.get_str("PN").ok().flatten().unwrap_or_default();
    let name = format!("{recipe_name}:{}", order.task.trim_start_matches("do_"));
    let task = Task { name, module, text, d, events: theirs };
    let mut relay = Relay::new(events, stream);
    match isolation {
        Ok(Some(isolation)) => run_isolated(py, &task, &isolation, &mut relay),
        Ok(None) => run_plainly(py, &task, &mut relay),
        Err(error) => refuse(&task, &error, &mut relay),
    }
}

/// The end of a task that cannot be run.
fn refuse(task: &Task<'_>, error: &ExecError, relay: &mut Relay<'_>) -> PyResult<TaskEnd> {
    task.tell_error(&error.to_string(), relay)?;
    Ok(TaskEnd { status: 1, ..TaskEnd::default() })
}

fn run_plainly(py: Python<'_>, task: &Task<'_>, relay: &mut Relay<'_>) -> PyResult<TaskEnd> {
    let runner = rustix::process::getpid();
    let os = py.import("os")?;
    let child: i32 = os.call_method0("fork")?.extract()?;
    if child == 0 {
        // The channel belongs to the runner: when that ends, the other side has to see it.
        os.call_method1("close", (relay.stream().as_raw_fd(),))?;
        let status = match become_leader(&task.name, runner) {
            Ok(true) => task.main(py, std::process::id(), &[], false),
            Ok(false) | Err(_) => 1,
        };
        os.call_method1("_exit", (status,))?;
        return Ok(TaskEnd::default());
    }
    let pid = Pid::from_raw(child).ok_or_else(|| PyOSError::new_err("fork gave no process"))?;
    let process = pidfd_open(pid, PidfdFlags::empty()).map_err(io::Error::from)?;
    relay.until_ended(process.as_fd())?;
    if !relay.is_heard() {
        end(pid, &process);
    }
    collect(py, pid)
}

fn run_isolated(
    py: Python<'_>,
    task: &Task<'_>,
    isolation: &Isolation,
    relay: &mut Relay<'_>,
) -> PyResult<TaskEnd> {
    let session = Session::of(py)?;
    let mut sandbox = session.borrow().isolator.borrow_mut().lend(isolation);
    let outcome = in_sandbox(py, task, isolation, &mut sandbox, relay);
    session.borrow().isolator.borrow_mut().give_back(isolation, sandbox);
    match outcome? {
        Ok(outcome) => task.conclude(isolation, outcome, relay),
        Err(error @ (ExecError::Setup { .. } | ExecError::Unavailable(_))) if !isolation.required() => {
            let message = format!("{error}; tasks run WITHOUT isolation (see `bitzel doctor`)");
            relay.tell("bitzel.Degradation", &message)?;
            let end = run_plainly(py, task, relay)?;
            task.note(&[message])?;
            Ok(end)
        }
        Err(error) => refuse(task, &error, relay),
    }
}

/// Runs a task in a sandbox; one that loses its listener is ended.
#[allow(unsafe_code)]
fn in_sandbox(
    py: Python<'_>,
    task: &Task<'_>,
    isolation: &Isolation,
    sandbox: &mut Sandbox,
    relay: &mut Relay<'_>,
) -> PyResult<Result<TaskOutcome, ExecError>> {
    // All files that are not the task's are closed there: nothing that owns one may be dropped in it.
    let session = Session::of(py)?;
    let listener = session.borrow().listener.take();
    // SAFETY: the three calls that Python wants around a fork, each in its place, with the interpreter held.
    unsafe { PyOS_BeforeFork() };
    let outcome = isolation.run(sandbox, relay, |number| {
        // SAFETY: as above.
        unsafe { PyOS_AfterFork_Child() };
        // As in all of Python: writing to a pipe without readers is an exception.
        // SAFETY: ignoring a signal has no preconditions.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        set_process_name(&task.name).map_or(1, |()| task.main(py, number, &isolation.told, true))
    });
    // SAFETY: as above.
    unsafe { PyOS_AfterFork_Parent() };
    session.borrow().listener.replace(listener);
    if relay.is_heard() {
        relay.pass_on()?;
    }
    Ok(outcome)
}

impl Task<'_> {
    /// What the task's process does; gives its exit status. Files that are named by the process
    /// get `number`, since processes of a sandbox are counted from 1.
    fn main(&self, py: Python<'_>, number: u32, told: &[String], isolated: bool) -> i32 {
        let ran = listen(py, None).and_then(|()| {
            let arguments = (&self.text, &self.d, self.events.as_raw_fd(), number, told, isolated);
            self.module.call_method1("main", arguments)?.extract()
        });
        ran.unwrap_or_else(|error| {
            error.write_unraisable(py, None);
            1
        })
    }

    /// Passes on what the sandbox has to say of a task that is over.
    fn conclude(
        &self,
        isolation: &Isolation,
        outcome: TaskOutcome,
        relay: &mut Relay<'_>,
    ) -> PyResult<TaskEnd> {
        let refusals: Vec<String> =
            outcome.refusals.iter().map(|refusal| isolation.describe(refusal)).collect();
        let hit = outcome.limit.as_ref().map(ToString::to_string);
        for message in &outcome.degradations {
            relay.tell("bitzel.Degradation", message)?;
        }
        for message in &refusals {
            relay.tell("bitzel.Refusal", message)?;
        }
        if let Some(hit) = &hit {
            self.tell_error(hit, relay)?;
        }
        let lines: Vec<String> = outcome.notes.into_iter().chain(refusals).chain(hit).collect();
        self.note(&lines)?;
        let usage = outcome.usage;
        Ok(TaskEnd {
            status: match outcome.status {
                ExitStatus::Code(0) if outcome.limit.is_some() => 1,
                ExitStatus::Code(code) => code,
                ExitStatus::Signal(signal) => 128 + signal,
                ExitStatus::Cancelled => 130,
            },
            cpu_us: (usage.user + usage.system).as_micros() as u64,
            max_rss_kib: usage.max_rss / 1024,
        })
    }

    fn tell_error(&self, message: &str, relay: &mut Relay<'_>) -> PyResult<()> {
        let (class, fields): (String, String) = self.module.call_method1("error", (message,))?.extract()?;
        Ok(relay.send(class, fields)?)
    }

    /// Adds lines to the task's log.
    fn note(&self, lines: &[String]) -> PyResult<()> {
        if !lines.is_empty() {
            self.module.call_method1("note", (&self.text, &self.d, lines))?;
        }
        Ok(())
    }
}

/// Ends a process group, kindly first.
fn end(pid: Pid, process: &OwnedFd) {
    // It may have ended meanwhile: then there is nobody to tell.
    let _ = kill_process_group(pid, Signal::TERM);
    let mut waiting = [PollFd::new(process, PollFlags::IN)];
    let _ = poll(&mut waiting, Some(&PATIENCE));
    let _ = kill_process_group(pid, Signal::KILL);
}

/// How a task ended, and what it took.
fn collect(py: Python<'_>, pid: Pid) -> PyResult<TaskEnd> {
    let os = py.import("os")?;
    let (_, status, usage): (i32, i32, Bound<'_, PyAny>) =
        os.call_method1("wait4", (pid.as_raw_nonzero().get(), 0))?.extract()?;
    let code: i32 = os.call_method1("waitstatus_to_exitcode", (status,))?.extract()?;
    if code < 0 {
        // What it had started shall not outlive it.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let seconds = |name: &str| -> PyResult<f64> { usage.getattr(name)?.extract() };
    Ok(TaskEnd {
        status: if code < 0 { 128 - code } else { code },
        cpu_us: ((seconds("ru_utime")? + seconds("ru_stime")?) * 1e6) as u64,
        max_rss_kib: usage.getattr("ru_maxrss")?.extract()?,
    })
}
