//! The first process of a sandbox: builds it and starts the task.

use super::filter::Filter;
use super::ground::Footing;
use super::ids::{self, Mapping};
use super::observe::Observer;
use super::program::{Program, prepare_callback};
use super::setup::{SetupError, Step};
use super::watch::Watch;
use super::{harden, mounts, sys};
use crate::limits::Resource;
use crate::outcome::{ExitStatus, LimitHit, Refusal};
use crate::plan::Plan;
use crate::spec::{Network, TaskSpec};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

/// What the sandbox's first process tells when all is over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum InitReport {
    /// The sandbox could not be built.
    Setup(SetupError),
    /// The program could not be started: what failed, and the errno.
    Exec(String, i32),
    /// The task ran.
    Ended { status: ExitStatus, limit: Option<LimitHit>, notes: Vec<String>, refusals: BTreeSet<Refusal> },
}

/// What a task does: a program, or code of the process this one is a copy of.
pub(crate) enum Work<'a> {
    Program,
    /// Given the number of the first process as the parent counts.
    Callback(&'a mut dyn FnMut(u32) -> i32),
}

/// What the first process is given; made before it exists.
pub(crate) struct Init<'a> {
    pub spec: &'a TaskSpec,
    /// The file tree; `None` runs the task unisolated.
    pub isolation: Option<Isolation<'a>>,
    /// What to hold an unisolated task's doings against, and the filter that shows them.
    pub observed: Option<(Plan, Filter)>,
    pub stdio: [BorrowedFd<'a>; 3],
    /// Where the report goes and cancellation comes from.
    pub control: BorrowedFd<'a>,
    /// Control group files to join by.
    pub doors: Vec<OwnedFd>,
    /// A control group holds the memory limit.
    pub memory_is_held: bool,
    /// A control group holds the number of processes.
    pub pids_are_held: bool,
    /// Becomes readable when the parent has written the id maps.
    pub mapped: Option<OwnedFd>,
}

/// How a task is isolated.
pub(crate) struct Isolation<'a> {
    pub plan: Plan,
    pub mapping: Mapping,
    pub filter: &'a Filter,
    pub owner: Option<BorrowedFd<'a>>,
    /// What is there already of the tree and the network; otherwise all is made anew.
    pub footing: Option<Footing<'a>>,
}

impl Init<'_> {
    /// Runs as the new process, to its end.
    pub(crate) fn run(self, work: Work<'_>) -> ! {
        let number = match work {
            Work::Program => Ok(0),
            Work::Callback(_) => own_number(),
        };
        let prepared = number.and_then(|number| Ok((number, self.prepare()?)));
        let report = match prepared {
            Ok((number, stdio)) => self.task(work, number, stdio),
            Err(error) => InitReport::Setup(error),
        };
        let text = serde_json::to_vec(&report).expect("reports hold nothing JSON cannot");
        let line = [text.as_slice(), b"\n"].concat();
        let mut rest = line.as_slice();
        while let Ok(sent @ 1..) = rustix::io::write(self.control, rest) {
            rest = &rest[sent..];
        }
        sys::exit_now(0)
    }

    /// Everything up to the task. Returns the standard streams, out of the way of 0 to 2.
    fn prepare(&self) -> Result<[RawFd; 3], SetupError> {
        let die = Some(rustix::process::Signal::KILL);
        rustix::process::set_parent_process_death_signal(die).step("tie the sandbox to its parent")?;
        let stdio = self.stdio.map(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 10));
        let [Ok(stdin), Ok(stdout), Ok(stderr)] = stdio else {
            return Err(SetupError { step: "set up the standard streams".to_owned(), errno: libc::EMFILE });
        };
        for door in &self.doors {
            rustix::io::write(door, b"0").step("join the control group")?;
        }
        let stdio = [stdin, stdout, stderr].map(std::os::fd::IntoRawFd::into_raw_fd);
        match &self.isolation {
            None => {
                // Processes left behind come to this one instead of the host's.
                rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
                    .step("become a reaper")?;
                self.close_others(&stdio)?;
            }
            Some(isolation) => {
                self.isolate(isolation, &stdio)?;
                rustix::process::set_parent_process_death_signal(die)
                    .step("tie the sandbox to its parent")?;
                let private = rustix::process::DumpableBehavior::NotDumpable;
                rustix::process::set_dumpable_behavior(private).step("close this process to the task")?;
                harden::harden(self.spec, &isolation.plan, isolation.filter)?;
            }
        }
        Ok(stdio)
    }

    fn isolate(&self, isolation: &Isolation<'_>, stdio: &[RawFd]) -> Result<(), SetupError> {
        if let Some(mapped) = &self.mapped {
            let mut byte = [0u8];
            let got = rustix::io::read(mapped, &mut byte).step("wait for the id maps")?;
            if got == 0 {
                return Err(SetupError { step: "wait for the id maps".to_owned(), errno: libc::EPERM });
            }
            // Uid 0 of the new namespace, whoever that is outside.
            let root = crate::plan::Ids { uid: 0, gid: 0 };
            ids::become_unprivileged(root).step("become the namespace's root")?;
        }
        match &isolation.footing {
            Some(footing) => footing.enter(isolation.owner)?,
            None => {
                if isolation.mapping.is_early() {
                    isolation.mapping.write_own()?;
                }
                mounts::enter(&isolation.plan, &BTreeMap::new(), isolation.owner)?;
                rustix::system::sethostname(b"localhost").step("set the host name")?;
            }
        }
        self.close_others(stdio)?;
        if self.spec.network == Network::Loopback {
            sys::loopback_up().step("bring up the loopback interface")?;
        }
        if let Mapping::Late { outside } = isolation.mapping {
            ids::become_unprivileged(outside).step("drop root")?;
        }
        // Processes are counted per user namespace: one who is limited has one of its own.
        let is_counted = isolation.footing.is_some() && self.spec.limits.get(Resource::Pids).is_some();
        if !isolation.mapping.is_early() || is_counted {
            sys::new_user_namespace().step("make namespaces (user)")?;
            isolation.mapping.write_own()?;
        }
        Ok(())
    }

    fn close_others(&self, stdio: &[RawFd]) -> Result<(), SetupError> {
        let mut keep = self.spec.keep_fds.clone();
        keep.push(self.control.as_raw_fd());
        keep.extend(stdio);
        sys::close_others(&keep).step("close inherited files")
    }

    fn task(&self, work: Work<'_>, number: u32, stdio: [RawFd; 3]) -> InitReport {
        let signals = match sys::signal_fd(&(1..=64).collect::<Vec<_>>()) {
            Ok(fd) => fd,
            Err(error) => return InitReport::Exec("watch for signals".to_owned(), errno(&error)),
        };
        let plan = self.isolation.as_ref().map(|isolation| &isolation.plan);
        let watch = Watch::new(self.spec, plan, self.memory_is_held);
        let (announce, announced) = match self.observed.as_ref().map(|_| UnixStream::pair()).transpose() {
            Ok(pair) => pair.unzip(),
            Err(error) => return InitReport::Exec("make a socket".to_owned(), errno(&error)),
        };
        let program = match &work {
            Work::Program => Some(Program::new(self.spec, stdio, self.rlimits())),
            Work::Callback(_) => None,
        };
        let pid = match (program, work) {
            (Some(Err(error)), _) => Err(("read the command line", error)),
            (Some(Ok(program)), _) if self.observed.is_none() => program.start(),
            (program, work) => match sys::fork() {
                Ok(Some(pid)) => Ok(pid),
                Err(error) => Err(("start a process", error)),
                Ok(None) => {
                    self.show_calls(announce.as_ref());
                    match (program, work) {
                        (Some(Ok(program)), _) => program.become_it(),
                        (_, Work::Callback(callback)) => self.callback(callback, number, stdio),
                        (_, Work::Program) => sys::exit_now(127),
                    }
                }
            },
        };
        drop(announce);
        let observer = match (&pid, announced, &self.observed) {
            (Ok(pid), Some(announced), Some((plan, _))) => listener(*pid, announced)
                .map(|listener| Some(Observer::new(self.spec, plan, listener)))
                .map_err(|error| ("watch the task", error)),
            _ => Ok(None),
        };
        match (pid, observer) {
            (Ok(pid), Ok(observer)) => self.supervise(pid, &signals, watch, observer),
            (Err((what, error)), _) | (_, Err((what, error))) => {
                InitReport::Exec(what.to_owned(), errno(&error))
            }
        }
    }

    /// Has the calls of this process, the task's, shown to the first one where that is to see them.
    fn show_calls(&self, announce: Option<&UnixStream>) {
        if let (Some(announce), Some((_, filter))) = (announce, &self.observed) {
            // Only root may load a filter without it.
            if rustix::process::geteuid().as_raw() != 0 {
                rustix::thread::set_no_new_privs(true).ok();
            }
            let number = filter.load_shown().unwrap_or(-1);
            rustix::io::write(announce, &number.to_ne_bytes()).ok();
            // The descriptor stays until the other side has it; without it nobody would let this one's calls go on.
            let mut taken = [0u8];
            if rustix::io::retry_on_intr(|| rustix::io::read(announce, &mut taken)) != Ok(1) {
                sys::exit_now(126)
            }
        }
    }

    fn callback(&self, callback: &mut dyn FnMut(u32) -> i32, number: u32, stdio: [RawFd; 3]) -> ! {
        sys::reset_signals();
        if !self.spec.interactive {
            rustix::process::setsid().ok();
        }
        let ready = prepare_callback(stdio, self.spec.umask, &self.rlimits())
            .and_then(|()| Ok(rustix::process::chdir(&self.spec.cwd)?))
            .and_then(|()| sys::close_others(&self.spec.keep_fds))
            // As exec does for programs: the task owns its entry in /proc.
            .and_then(|()| {
                let shown = rustix::process::DumpableBehavior::Dumpable;
                Ok(rustix::process::set_dumpable_behavior(shown)?)
            });
        if let Err(error) = ready {
            let text = format!("sandbox: prepare the task in `{}`: {error}\n", self.spec.cwd.display());
            rustix::io::write(rustix::stdio::stderr(), text.as_bytes()).ok();
            sys::exit_now(126)
        }
        sys::exit_now(callback(number))
    }

    fn rlimits(&self) -> Vec<(u32, libc::rlimit)> {
        let both = |value: u64| libc::rlimit { rlim_cur: value, rlim_max: value };
        let mut limits = vec![(libc::RLIMIT_CORE, both(0))];
        if let Some(size) = self.spec.limits.get(Resource::FileSize) {
            limits.push((libc::RLIMIT_FSIZE, both(size)));
        }
        // Counted per user namespace and id: by the sandbox, if there is one. One more for its
        // first process, one to see the limit being passed, and one to let a control group, which
        // tells of it, be the one that refuses.
        if let (Some(pids), Some(_)) = (self.spec.limits.get(Resource::Pids), &self.isolation) {
            limits.push((libc::RLIMIT_NPROC, both(pids + 2 + u64::from(self.pids_are_held))));
        }
        limits
    }
}

/// This process's number where /proc still is the parent's.
fn own_number() -> Result<u32, SetupError> {
    let link = rustix::fs::readlink("/proc/self", Vec::new()).step("look for its own number in /proc")?;
    let number = link.to_str().ok().and_then(|text| text.parse().ok());
    number.ok_or(SetupError { step: "look for its own number in /proc".to_owned(), errno: libc::ESRCH })
}

/// The descriptor through which the task shows its calls.
fn listener(pid: i32, announced: UnixStream) -> std::io::Result<OwnedFd> {
    let mut number = [0u8; 4];
    let got = rustix::io::read(&announced, &mut number)?;
    let number = i32::from_ne_bytes(number);
    if got != 4 || number < 0 {
        return Err(std::io::Error::from_raw_os_error(libc::ENOSYS));
    }
    let taken = sys::take_descriptor(pid, number)?;
    rustix::io::write(&announced, b"1")?;
    Ok(taken)
}

fn errno(error: &std::io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}
