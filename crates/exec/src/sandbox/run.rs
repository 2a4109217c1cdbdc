//! Runs tasks: starts a sandbox's first process, sleeps until the task is over,
//! and puts together what is known of its end.

use super::attendant::Attendant;
use super::init::{Init, InitReport, Work};
use super::launch::{Sandbox, TaskIo};
use super::setup::{SetupError, Step};
use super::{beside, ids, observe, sys};
use crate::Error;
use crate::cgroup::{Controller, Group, GroupUse};
use crate::limits::Resource;
use crate::outcome::{ExitStatus, LimitHit, TaskOutcome, Usage};
use crate::plan::Plan;
use crate::spec::{Mode, TaskSpec};
use rustix::process::DumpableBehavior;
use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

impl Sandbox {
    /// Runs a task's command in a sandbox and waits for it.
    ///
    /// # Errors
    /// [`Error`] where the task could not be run; a task that ran and failed is
    /// an outcome.
    pub fn run(
        &mut self,
        spec: &TaskSpec,
        io: TaskIo<'_>,
        attendant: &mut dyn Attendant,
    ) -> Result<TaskOutcome, Error> {
        let outcome = self.start(spec, io, attendant, Work::Program);
        if spec.interactive {
            // An interactive shell has taken the terminal; whoever was there has it back.
            sys::take_terminal(io.stdin);
        }
        outcome
    }

    /// Runs code of this process, in a copy of it, as a task: `callback` is
    /// called in the sandbox and its result is the exit code. Memory changes
    /// stay there, and so do all file descriptors but 0 to 2 and
    /// [`TaskSpec::keep_fds`]; [`TaskSpec::env`] is for the callback to set.
    /// It is given the number by which this process knows the sandbox's first
    /// process: inside, all sandboxes count from 1.
    ///
    /// # Errors
    /// As [`Sandbox::run`]; also if this process has more than one thread.
    pub fn call(
        &mut self,
        spec: &TaskSpec,
        io: TaskIo<'_>,
        attendant: &mut dyn Attendant,
        mut callback: impl FnMut(u32) -> i32,
    ) -> Result<TaskOutcome, Error> {
        self.start(spec, io, attendant, Work::Callback(&mut callback))
    }

    fn start(
        &mut self,
        spec: &TaskSpec,
        io: TaskIo<'_>,
        attendant: &mut dyn Attendant,
        work: Work<'_>,
    ) -> Result<TaskOutcome, Error> {
        let setup = |error: SetupError| error.into_error(&spec.name);
        if sys::thread_count().step("count threads").map_err(setup)? != 1 {
            let message =
                "only a process with one thread can start a sandbox by itself; use the helper".to_owned();
            return Err(Error::Spec { task: spec.name.clone(), message });
        }
        let mut group = self.groups.take(&spec.limits);
        let mut notes = limit_notes(spec, group.as_ref());
        let ended = self.in_first_process(spec, io, attendant, work, group.as_ref(), &mut notes);
        let used = group.as_mut().map(Group::used).unwrap_or_default();
        if let Some(group) = group {
            self.groups.give_back(group);
        }
        conclude(spec, ended?, used, notes)
    }

    /// Runs a task's first process and, with it, the task.
    fn in_first_process(
        &mut self,
        spec: &TaskSpec,
        io: TaskIo<'_>,
        attendant: &mut dyn Attendant,
        work: Work<'_>,
        group: Option<&Group>,
        notes: &mut Vec<String>,
    ) -> Result<Ended, Error> {
        let setup = |error: SetupError| error.into_error(&spec.name);
        let held = |controller| group.is_some_and(|group| group.holds(controller));
        let doors = match group.map(Group::doors) {
            Some(doors) => doors.step("open the control group").map_err(setup)?,
            None => Vec::new(),
        };
        let started = Instant::now();
        let observed = match self.config.mode {
            Mode::Report => Some((Plan::new(spec, &self.host, self.me)?, observe::filter(&spec.syscalls))),
            Mode::Enforce | Mode::Off => None,
        };
        let (isolation, namespaces) = match self.config.mode {
            Mode::Enforce => {
                let (isolation, namespaces) = self.isolation(spec, notes)?;
                (Some(isolation), namespaces)
            }
            Mode::Report | Mode::Off => (None, 0),
        };
        let mapping = isolation.as_ref().map(|isolation| isolation.mapping);
        let mapper = mapping
            .filter(|mapping| mapping.needs_mapper())
            .map(ids::start_mapper)
            .transpose()
            .map_err(setup)?;
        let init = Init {
            spec,
            isolation,
            observed,
            stdio: [io.stdin, io.stdout, io.stderr],
            doors: doors.iter().map(AsRawFd::as_raw_fd).collect(),
            memory_is_held: held(Controller::Memory),
            pids_are_held: held(Controller::Pids),
            mapper: mapper.as_ref().map(|(_, socket)| socket.as_fd()),
        };
        let (mut report, mut work) = (None, Some(work));
        // The first process hides itself from the task, and with it the memory it shares.
        let shown = rustix::process::dumpable_behavior().step("look at this process").map_err(setup)?;
        let pid = beside::run(namespaces, || report = work.take().map(|work| init.run(work, attendant)));
        if let Some((pid, socket)) = mapper {
            drop(socket);
            sys::wait(pid, 0).step("wait for the id maps").map_err(setup)?;
        }
        let pid = pid.step("make namespaces").map_err(setup)?;
        if shown == DumpableBehavior::Dumpable {
            rustix::process::set_dumpable_behavior(shown).step("show this process").map_err(setup)?;
        }
        let ended = sys::wait(pid, 0).step("wait for the sandbox").map_err(setup)?;
        Ok(Ended { report, process: ended, wall: started.elapsed() })
    }
}

/// What is known when a sandbox's first process has ended.
struct Ended {
    /// What it told; nothing if it was killed.
    report: Option<InitReport>,
    /// `None` if somebody else waited for it.
    process: Option<sys::Ended>,
    wall: Duration,
}

/// Limits that are set and have no or only a weaker means on this host.
fn limit_notes(spec: &TaskSpec, group: Option<&Group>) -> Vec<String> {
    let mut notes = Vec::new();
    let held = |controller| group.is_some_and(|group| group.holds(controller));
    if spec.limits.get(Resource::Memory).is_some() && !held(Controller::Memory) {
        notes.push("no memory control group: the memory limit is checked by sampling".to_owned());
    }
    if spec.limits.get(Resource::Cpus).is_some() && !held(Controller::Cpu) {
        notes.push("no cpu control group: the processor limit is not enforced".to_owned());
    }
    notes
}

/// Puts together what was told inside and what is known outside.
fn conclude(
    spec: &TaskSpec,
    ended: Ended,
    group: GroupUse,
    mut notes: Vec<String>,
) -> Result<TaskOutcome, Error> {
    let degradations = notes.clone();
    let mut usage = Usage { wall: ended.wall, peak_memory: group.peak_memory, ..Usage::default() };
    let mut status = ExitStatus::Signal(libc::SIGKILL);
    if let Some(process) = &ended.process {
        status = process.status;
        usage.user = process.user;
        usage.system = process.system;
        usage.max_rss = process.max_rss;
        usage.read_bytes = process.read_bytes;
        usage.written_bytes = process.written_bytes;
    }
    let (mut limit, mut refusals) = (None, BTreeSet::new());
    match ended.report {
        Some(InitReport::Setup(error)) => return Err(error.into_error(&spec.name)),
        Some(InitReport::Exec(what, source)) => return Err(exec_error(spec, what, source)),
        Some(InitReport::Ended { status: inner, limit: hit, notes: more, refusals: seen }) => {
            (status, limit, refusals) = (inner, hit, seen);
            notes.extend(more);
        }
        // The first process was killed, by the kernel for want of memory or by somebody.
        None => {}
    }
    let failed = status != ExitStatus::Code(0);
    if let (None, Some(memory), 1.., true) =
        (&limit, spec.limits.get(Resource::Memory), group.oom_kills, failed)
    {
        let used = group.peak_memory.unwrap_or(memory);
        limit = Some(LimitHit { resource: Resource::Memory, limit: memory, used });
    }
    if let (None, Some(pids), 1.., true) =
        (&limit, spec.limits.get(Resource::Pids), group.forks_refused, failed)
    {
        limit = Some(LimitHit { resource: Resource::Pids, limit: pids, used: pids });
    }
    Ok(TaskOutcome { status, limit, usage, notes, degradations, refusals })
}

fn exec_error(spec: &TaskSpec, what: &str, source: std::io::Error) -> Error {
    if what.is_empty() {
        let program = spec.argv.first().cloned().unwrap_or_default();
        return Error::Exec { task: spec.name.clone(), program, source };
    }
    let step = format!("{what} (in `{}`)", spec.cwd.display());
    Error::Setup { task: spec.name.clone(), step, source, remedy: String::new() }
}
