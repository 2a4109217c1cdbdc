//! The first process of a sandbox: builds it and starts the task.

use super::attendant::Attendant;
use super::filter::Filter;
use super::ground::Footing;
use super::ids::{self, Mapping};
use super::observe::Observer;
use super::program::{Program, Setting};
use super::setup::{SetupError, Step};
use super::watch::Watch;
use super::{harden, mounts, sys};
use crate::limits::Resource;
use crate::outcome::{ExitStatus, LimitHit, Refusal};
use crate::plan::Plan;
use crate::spec::{Network, TaskSpec};
use rustix::thread::UnshareFlags;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

/// What the sandbox's first process tells when all is over.
#[derive(Debug)]
pub(crate) enum InitReport {
    /// The sandbox could not be built.
    Setup(SetupError),
    /// The program could not be started: what failed, and why.
    Exec(&'static str, std::io::Error),
    /// The task ran.
    Ended { status: ExitStatus, limit: Option<LimitHit>, notes: Vec<String>, refusals: BTreeSet<Refusal> },
}

/// What a task does: a program, or code of the process this one is a copy of.
pub(crate) enum Work<'a> {
    Program,
    /// Given the number of the first process as the parent counts.
    Callback(&'a mut dyn FnMut(u32) -> i32),
}

/// What the first process is given; made before it exists. All descriptors are
/// of the process that made it: only its own are closed here.
pub(crate) struct Init<'a> {
    pub spec: &'a TaskSpec,
    /// The file tree; `None` runs the task unisolated.
    pub isolation: Option<Isolation<'a>>,
    /// What to hold an unisolated task's doings against, and the filter that shows them.
    pub observed: Option<(Plan, Filter)>,
    pub stdio: [BorrowedFd<'a>; 3],
    /// Control group files for the task to join by.
    pub doors: Vec<RawFd>,
    /// A control group holds the memory limit.
    pub memory_is_held: bool,
    /// A control group holds the number of processes.
    pub pids_are_held: bool,
    /// Where a process waits that writes the id maps.
    pub mapper: Option<BorrowedFd<'a>>,
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
    /// Runs as the new process until the task is over.
    pub(crate) fn run(&self, work: Work<'_>, attendant: &mut dyn Attendant) -> InitReport {
        let number = match work {
            Work::Program => Ok(0),
            Work::Callback(_) => own_number(),
        };
        match number.and_then(|number| Ok((number, self.prepare(attendant)?))) {
            Ok((number, stdio)) => self.task(work, number, stdio, attendant),
            Err(error) => InitReport::Setup(error),
        }
    }

    /// Everything up to the task. Returns the standard streams, out of the way of 0 to 2.
    fn prepare(&self, attendant: &dyn Attendant) -> Result<[RawFd; 3], SetupError> {
        let die = Some(rustix::process::Signal::KILL);
        rustix::process::set_parent_process_death_signal(die).step("tie the sandbox to its parent")?;
        let stdio = self.stdio.map(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 10));
        let [Ok(stdin), Ok(stdout), Ok(stderr)] = stdio else {
            return Err(SetupError { step: "set up the standard streams".to_owned(), errno: libc::EMFILE });
        };
        let stdio = [stdin, stdout, stderr].map(std::os::fd::IntoRawFd::into_raw_fd);
        let mut keep = self.spec.keep_fds.clone();
        keep.extend(attendant.awaits().iter().map(|awaited| awaited.as_fd().as_raw_fd()));
        keep.extend(stdio.iter().chain(&self.doors));
        match &self.isolation {
            None => {
                // Processes left behind come to this one instead of the host's.
                rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
                    .step("become a reaper")?;
                sys::close_others(&keep).step("close inherited files")?;
            }
            Some(isolation) => {
                self.isolate(isolation, &keep)?;
                rustix::process::set_parent_process_death_signal(die)
                    .step("tie the sandbox to its parent")?;
                let private = rustix::process::DumpableBehavior::NotDumpable;
                rustix::process::set_dumpable_behavior(private).step("close this process to the task")?;
                harden::harden(self.spec, &isolation.plan, isolation.filter)?;
            }
        }
        Ok(stdio)
    }

    fn isolate(&self, isolation: &Isolation<'_>, keep: &[RawFd]) -> Result<(), SetupError> {
        if let Some(mapper) = self.mapper {
            ids::ask_mapper(mapper, own_number()?)?;
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
        sys::close_others(keep).step("close inherited files")?;
        if self.spec.network == Network::Loopback {
            sys::loopback_up().step("bring up the loopback interface")?;
        }
        if let Mapping::Late { outside } = isolation.mapping {
            ids::become_unprivileged(outside).step("drop root")?;
            sys::unshare(UnshareFlags::NEWUSER).step("make namespaces (user)")?;
            isolation.mapping.write_own()?;
        }
        Ok(())
    }

    fn task(
        &self,
        work: Work<'_>,
        number: u32,
        stdio: [RawFd; 3],
        attendant: &mut dyn Attendant,
    ) -> InitReport {
        let signals = match sys::signal_fd(&(1..=64).collect::<Vec<_>>()) {
            Ok(fd) => fd,
            Err(error) => return InitReport::Exec("watch for signals", error),
        };
        let plan = self.isolation.as_ref().map(|isolation| &isolation.plan);
        let watch = Watch::new(self.spec, plan, self.memory_is_held);
        match self.start(work, number, stdio) {
            Ok((pid, observer)) => self.supervise(pid, &signals, watch, observer, attendant),
            Err((what, error)) => InitReport::Exec(what, error),
        }
    }

    /// Starts the task. Returns its process, and who is shown its calls.
    fn start(&self, work: Work<'_>, number: u32, stdio: [RawFd; 3]) -> Result<Started<'_>, Failed> {
        let setting =
            Setting { stdio, doors: self.doors.clone(), umask: self.spec.umask, limits: self.rlimits() };
        let ready = match work {
            Work::Program => Ready::Program(
                Program::new(self.spec, setting.clone()).map_err(|error| ("read the command line", error))?,
            ),
            Work::Callback(callback) => Ready::Callback(callback),
        };
        match (&self.observed, ready) {
            (None, Ready::Program(program)) => Ok((program.start()?, None)),
            (None, ready) => Ok((fork(|| self.become_task(ready, number, &setting))?, None)),
            (Some((plan, filter)), ready) => {
                let (announce, announced) = UnixStream::pair().map_err(|error| ("make a socket", error))?;
                let pid = fork(|| {
                    show_calls(filter, &announce);
                    self.become_task(ready, number, &setting)
                })?;
                drop(announce);
                let listener = listener(pid, announced).map_err(|error| ("watch the task", error))?;
                Ok((pid, Some(Observer::new(self.spec, plan, listener))))
            }
        }
    }

    fn become_task(&self, ready: Ready<'_>, number: u32, setting: &Setting) -> ! {
        match ready {
            Ready::Program(program) => program.become_it(),
            Ready::Callback(callback) => self.callback(callback, number, setting),
        }
    }

    fn callback(&self, callback: &mut dyn FnMut(u32) -> i32, number: u32, setting: &Setting) -> ! {
        sys::reset_signals();
        if !self.spec.interactive {
            rustix::process::setsid().ok();
        }
        let settle = || -> std::io::Result<()> {
            rustix::process::chdir(&self.spec.cwd)?;
            sys::close_others(&self.spec.keep_fds)?;
            // As exec does for programs: the task owns its entry in /proc.
            let shown = rustix::process::DumpableBehavior::Dumpable;
            Ok(rustix::process::set_dumpable_behavior(shown)?)
        };
        let set = setting.apply().map_err(|what| format!("{what}: {}", std::io::Error::last_os_error()));
        if let Err(error) = set.and_then(|()| settle().map_err(|error| error.to_string())) {
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
        // tells of it, be the one that refuses. An ordinary user's namespace is that of the process
        // which made the sandbox, and counts it.
        if let (Some(pids), Some(isolation)) = (self.spec.limits.get(Resource::Pids), &self.isolation) {
            let maker = isolation.footing.is_some() && isolation.mapping.is_early();
            let more = 2 + u64::from(maker) + u64::from(self.pids_are_held);
            limits.push((libc::RLIMIT_NPROC, both(pids + more)));
        }
        limits
    }
}

/// A task that can be started.
enum Ready<'a> {
    Program(Program),
    Callback(&'a mut dyn FnMut(u32) -> i32),
}

type Started<'a> = (i32, Option<Observer<'a>>);
type Failed = (&'static str, std::io::Error);

/// Runs `task`, which does not return, in a copy of this process.
fn fork(task: impl FnOnce()) -> Result<i32, Failed> {
    match sys::fork() {
        Ok(Some(pid)) => Ok(pid),
        Ok(None) => {
            task();
            sys::exit_now(127)
        }
        Err(error) => Err(("start a process", error)),
    }
}

/// Has the calls of this process, the task's, shown to the first one.
fn show_calls(filter: &Filter, announce: &UnixStream) {
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
