//! Running tasks: each in a process forked from this one, which holds the evaluated
//! recipe; its events pass through to the channel.

use crate::isolation::{Isolation, isolation};
use crate::prepared::prepared;
use crate::serve::listen;
use crate::session::Session;
use bitzel_exec::{Error as ExecError, ExitStatus};
use bitzel_recipe::protocol::{HostEvent, Reply, TaskEnd, TaskOrder, write_frame};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, recv, socketpair};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// How long a task that is told to end may take before it is killed.
const PATIENCE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// More than a task's processes put into one datagram.
const DATAGRAM: usize = 1 << 14;

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
        let isolation = isolation(&recipe.store, order, &mut isolator, roots, Some(theirs.as_raw_fd()));
        if let Ok(Some(isolation)) = &isolation {
            isolator.prepare(isolation);
        }
        isolation
    };
    let os = py.import("os")?;
    let child: i32 = os.call_method0("fork")?.extract()?;
    if child == 0 {
        drop(events);
        listen(py, None)?;
        // The channel belongs to the runner: when that ends, the other side has to see it.
        os.call_method1("close", (stream.as_raw_fd(),))?;
        let status = become_task(py, &module, isolation, (&text, &d, &theirs)).unwrap_or_else(|error| {
            error.write_unraisable(py, None);
            1
        });
        os.call_method1("_exit", (status,))?;
        return Ok(TaskEnd::default());
    }
    drop(theirs);
    let pid = Pid::from_raw(child).ok_or_else(|| PyOSError::new_err("fork gave no process"))?;
    let mut relay = Relay { events, stream, buffer: vec![0; DATAGRAM], parts: HashMap::new() };
    watch(pid, &mut relay)?;
    collect(py, pid)
}

/// What the forked process does: runs the task, isolated as far as the configuration says.
/// Gives the exit status.
fn become_task(
    py: Python<'_>,
    module: &Bound<'_, PyModule>,
    isolation: Result<Option<Isolation>, ExecError>,
    (text, d, events): (&str, &Bound<'_, PyAny>, &OwnedFd),
) -> PyResult<i32> {
    if !module.call_method1("lead", (text, d))?.extract::<bool>()? {
        return Ok(1);
    }
    let events = events.as_raw_fd();
    // Processes of a sandbox are counted from 1: files named by the process get this one's.
    let own = std::process::id();
    let main = |isolated: bool| -> PyResult<i32> {
        module.call_method1("main", (text, d, events, own, isolated))?.extract()
    };
    let tell = |level: &str, message: String| module.call_method1("tell", (events, level, message));
    let isolation = match isolation {
        Ok(Some(isolation)) => isolation,
        Ok(None) => return main(false),
        Err(error) => {
            tell("error", error.to_string())?;
            return Ok(1);
        }
    };
    for exception in &isolation.told {
        tell("note", exception.clone())?;
    }
    let sandbox = Session::of(py)?.borrow().isolator.borrow_mut().take(&isolation);
    let ran = isolation.run(sandbox, || {
        main(true).unwrap_or_else(|error| {
            error.write_unraisable(py, None);
            1
        })
    });
    match ran {
        Ok(outcome) => {
            let refusals: Vec<String> =
                outcome.refusals.iter().map(|refusal| isolation.describe(refusal)).collect();
            let hit = outcome.limit.as_ref().map(ToString::to_string);
            module.call_method1(
                "conclude",
                (text, d, events, outcome.notes, outcome.degradations, refusals, hit),
            )?;
            Ok(match outcome.status {
                ExitStatus::Code(0) if outcome.limit.is_some() => 1,
                ExitStatus::Code(code) => code,
                ExitStatus::Signal(signal) => 128 + signal,
                ExitStatus::Cancelled => 130,
            })
        }
        Err(error @ (ExecError::Setup { .. } | ExecError::Unavailable(_))) if !isolation.required() => {
            let message = format!("{error}; tasks run WITHOUT isolation (see `bitzel doctor`)");
            tell("degraded", message.clone())?;
            let status = main(false)?;
            module.call_method1("note", (text, d, vec![message]))?;
            Ok(status)
        }
        Err(error) => {
            tell("error", error.to_string())?;
            Ok(1)
        }
    }
}

/// Passes a task's events on until it ends. One that loses its listener is told to end,
/// then killed, with all processes of its group.
fn watch(pid: Pid, relay: &mut Relay<'_>) -> io::Result<()> {
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        let mut waiting = [
            PollFd::new(&process, PollFlags::IN),
            PollFd::new(&relay.events, PollFlags::IN),
            PollFd::new(relay.stream, PollFlags::RDHUP),
        ];
        match poll(&mut waiting, None) {
            Err(rustix::io::Errno::INTR) => continue,
            other => other?,
        };
        let [ended, told, left] = waiting.map(|fd| fd.revents());
        if !told.is_empty() && relay.pass_on().is_err() || !left.is_empty() {
            end(pid, &process);
            return Ok(());
        }
        if !ended.is_empty() {
            return relay.pass_on();
        }
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

/// The way of events from a task's processes to the channel. Each datagram is the sender's
/// process id, whether it is the last piece of an event, and a piece; an event is the name
/// of its class, a line end and its JSON.
struct Relay<'s> {
    events: OwnedFd,
    stream: &'s UnixStream,
    buffer: Vec<u8>,
    parts: HashMap<[u8; 4], Vec<u8>>,
}

impl AsFd for Relay<'_> {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.events.as_fd()
    }
}

impl Relay<'_> {
    /// Passes on what has arrived.
    fn pass_on(&mut self) -> io::Result<()> {
        loop {
            let length = match recv(&self.events, &mut self.buffer[..], RecvFlags::DONTWAIT) {
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(rustix::io::Errno::INTR) => continue,
                other => other?.0,
            };
            // An empty one says that all senders are gone.
            let Some((&[a, b, c, d, last], piece)) = self.buffer[..length].split_first_chunk() else {
                return Ok(());
            };
            let whole = self.parts.entry([a, b, c, d]).or_default();
            whole.extend_from_slice(piece);
            if last == 1 {
                let event = std::mem::take(whole);
                self.send(&event)?;
            }
        }
    }

    fn send(&mut self, event: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(event);
        let Some((class, fields)) = text.split_once('\n') else { return Ok(()) };
        let event = HostEvent { class: class.to_owned(), fields: fields.to_owned() };
        write_frame(&mut self.stream, &Reply::Event(event))
    }
}
