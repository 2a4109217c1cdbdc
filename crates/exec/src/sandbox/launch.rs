//! Starts tasks and gathers their outcome: the side of the sandbox that stays
//! outside. Used by the helper process for programs, and by a forked task
//! runner for callbacks.

use super::filter::Filter;
use super::ground::{Footing, Grounds, namespace_of};
use super::ids::{self, Mapping};
use super::init::{Init, InitReport, Isolation, Work};
use super::setup::{SetupError, Step};
use super::{observe, sys};
use crate::cgroup::{Controller, Controllers, Group, GroupUse, Groups};
use crate::limits::Resource;
use crate::outcome::{ExitStatus, LimitHit, TaskOutcome, Usage};
use crate::plan::{Ids, Plan};
use crate::share::Division;
use crate::spec::{Identity, Mode, Network, TaskSpec};
use crate::{Error, HostView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

/// Landlock version that knows scopes (abstract sockets, signals).
pub(crate) const LANDLOCK_SCOPES: u32 = 6;

/// How a [`Sandbox`] works; the same for all its tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SandboxConfig {
    /// How much of the isolation is in force.
    pub mode: Mode,
    /// Use control groups where the host lets us.
    pub cgroups: bool,
    /// Refuse to run a task whose isolation would be less than full
    /// (`--require-sandbox`).
    pub require: bool,
}

impl Default for SandboxConfig {
    fn default() -> SandboxConfig {
        SandboxConfig { mode: Mode::Enforce, cgroups: true, require: false }
    }
}

/// Standard streams of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskIo<'a> {
    /// Usually /dev/null.
    pub stdin: BorrowedFd<'a>,
    /// Usually the task's log.
    pub stdout: BorrowedFd<'a>,
    /// Usually the same.
    pub stderr: BorrowedFd<'a>,
}

/// Isolates and runs tasks in new processes made by fork: for processes with
/// one thread and little memory. Others use [`crate::LocalExecutor`].
///
/// The process of an ordinary user moves, with the first task it isolates, to
/// user and mount namespaces of its own: it stays who it is and sees the same
/// files, but the owners of files that are others' are nobody to it.
pub struct Sandbox {
    config: SandboxConfig,
    host: HostView,
    filters: BTreeMap<Vec<String>, Filter>,
    grounds: Grounds,
    groups: Groups,
    me: Ids,
    /// Says that what is root's is the task's; only as root, where it can be said.
    owner: Option<OwnedFd>,
    /// File systems, by device number, that are known to map ids.
    mappable: BTreeSet<u64>,
    /// Version of Landlock, if the kernel has it.
    landlock: Option<u32>,
}

/// A task under way.
pub(crate) struct Running {
    pub pid: i32,
    group: Option<Group>,
    /// For another task once this one is over.
    network: Option<OwnedFd>,
    started: Instant,
    notes: Vec<String>,
}

/// What is known outside of the sandbox when a task has ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Trailer {
    status: ExitStatus,
    usage: Usage,
    group: GroupUse,
    notes: Vec<String>,
}

impl Sandbox {
    /// Looks at the host and prepares what all tasks share.
    pub fn new(config: SandboxConfig) -> Sandbox {
        let me = Ids { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() };
        let controllers = if config.cgroups { Controllers::probe() } else { Controllers::default() };
        let owner =
            (me.uid == 0 && config.mode == Mode::Enforce).then(|| ids::owner_namespace().ok()).flatten();
        Sandbox {
            host: HostView::probe(),
            filters: BTreeMap::new(),
            grounds: Grounds::default(),
            groups: Groups::new(controllers),
            me,
            owner,
            mappable: BTreeSet::new(),
            landlock: sys::landlock_abi(),
            config,
        }
    }

    /// Starts a task. Its first process reports over `control` and takes the
    /// other end's closing, or a byte from it, as the order to end the task.
    /// This process must have one thread.
    pub(crate) fn start(
        &mut self,
        spec: &TaskSpec,
        io: TaskIo<'_>,
        control: BorrowedFd<'_>,
        work: Work<'_>,
    ) -> Result<Running, Error> {
        let setup = |error: SetupError| error.into_error(&spec.name);
        let group = self.groups.take(&spec.limits);
        let mut notes = self.limit_notes(spec, group.as_ref());
        let held = |controller| group.as_ref().is_some_and(|group| group.holds(controller));
        let (memory_is_held, pids_are_held) = (held(Controller::Memory), held(Controller::Pids));
        let doors = match group.as_ref().map(Group::doors) {
            Some(doors) => doors.step("open the control group").map_err(setup)?,
            None => Vec::new(),
        };
        let started = Instant::now();
        let observed = match self.config.mode {
            Mode::Report => Some((Plan::new(spec, &self.host, self.me)?, observe::filter(&spec.syscalls))),
            Mode::Enforce | Mode::Off => None,
        };
        let namespaces;
        let isolation = if self.config.mode == Mode::Enforce {
            let (isolation, flags) = self.isolation(spec, &mut notes)?;
            namespaces = flags;
            Some(isolation)
        } else {
            namespaces = 0;
            None
        };
        let mapping =
            isolation.as_ref().map(|isolation| isolation.mapping).filter(|mapping| mapping.needs_parent());
        let pipe = mapping
            .map(|_| rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC))
            .transpose()
            .step("make a pipe")
            .map_err(setup)?;
        let (mapped, release) = pipe.unzip();
        let stdio = [io.stdin, io.stdout, io.stderr];
        let pid = match sys::fork_into(namespaces).step("make namespaces").map_err(setup)? {
            None => {
                drop(release);
                Init {
                    spec,
                    isolation,
                    observed,
                    stdio,
                    control,
                    doors,
                    memory_is_held,
                    pids_are_held,
                    mapped,
                }
                .run(work)
            }
            Some(pid) => pid,
        };
        if let (Some(mapping), Some(release)) = (mapping, release) {
            if let Err(error) = mapping.write_for(pid) {
                sys::kill(pid, libc::SIGKILL).ok();
                sys::wait(pid, 0).ok();
                return Err(setup(error));
            }
            rustix::io::write(&release, b"1").step("release the sandbox").map_err(setup)?;
        }
        let network = isolation.and_then(|isolation| isolation.footing).and_then(|footing| {
            let is_new = spec.network == Network::None && footing.network.is_none();
            footing.network.or_else(|| is_new.then(|| namespace_of(pid, "net").ok()).flatten())
        });
        Ok(Running { pid, group, network, started, notes })
    }

    fn isolation(&mut self, spec: &TaskSpec, notes: &mut Vec<String>) -> Result<(Isolation<'_>, i32), Error> {
        let setup = |error: SetupError| error.into_error(&spec.name);
        let mut mapping = Mapping::choose(spec.identity, self.me, self.owner.is_some());
        let mut plan = Plan::new(spec, &self.host, mapping.inside())?;
        if let (Mapping::Late { .. }, Some(owner)) = (mapping, &self.owner) {
            let known = &mut self.mappable;
            let unmapped =
                plan.task_paths().find_map(|path| Some((path, check_mappable(path, owner, known).err()?)));
            if let Some((path, error)) = unmapped {
                let note = format!(
                    "`{}` is on a file system that cannot map ids ({error}): the task has root's id, without its powers",
                    path.display()
                );
                mapping = Mapping::choose(spec.identity, self.me, false);
                plan = Plan::new(spec, &self.host, mapping.inside())?;
                notes.push(note);
            }
        } else if mapping.is_early() && self.me.uid == 0 && spec.identity == Identity::User {
            notes.push(
                "ids of mounts cannot be mapped here: the task has root's id, without its powers".to_owned(),
            );
        }
        match (self.landlock, spec.network) {
            (None, _) => notes.push("no Landlock: mounts alone guard files".to_owned()),
            (Some(..LANDLOCK_SCOPES), network) if network.is_host() => {
                notes.push("old Landlock: abstract UNIX sockets of the host are in reach".to_owned());
            }
            _ => {}
        }
        if self.config.require && !notes.is_empty() {
            return Err(Error::Unavailable(notes.join("; ")));
        }
        let filter =
            self.filters.entry(spec.syscalls.clone()).or_insert_with(|| Filter::compile(&spec.syscalls));
        let owner = match mapping {
            Mapping::Late { .. } => self.owner.as_ref().map(AsFd::as_fd),
            _ => None,
        };
        let is_users = matches!(mapping, Mapping::Own { .. }) && self.me.uid != 0;
        let mut flags = libc::CLONE_NEWPID | libc::CLONE_NEWIPC;
        let footing = if is_users || !mapping.is_early() {
            if is_users {
                self.grounds.settle(|| mapping.write_own()).map_err(setup)?;
            }
            let Division { shared, own } = plan.divide(&Plan::base(spec, &self.host, mapping.inside()));
            let network = (spec.network == Network::None).then(|| self.grounds.network()).flatten();
            Some(Footing { ground: self.grounds.of(shared).map_err(setup)?, own, network })
        } else {
            if self.grounds.is_settled() {
                let message = "only a process that has run no task as the user can map ids".to_owned();
                return Err(Error::Spec { task: spec.name.clone(), message });
            }
            flags |= libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWUTS;
            None
        };
        let has_network = footing.as_ref().is_some_and(|footing| footing.network.is_some());
        if !spec.network.is_host() && !has_network {
            flags |= libc::CLONE_NEWNET;
        }
        Ok((Isolation { plan, mapping, filter, owner, footing }, flags))
    }

    /// Limits that are set and have no or only a weaker means on this host.
    fn limit_notes(&self, spec: &TaskSpec, group: Option<&Group>) -> Vec<String> {
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

    /// Gathers what an ended task used. `ended` is `None` if it was not ours to wait for.
    pub(crate) fn finish(&mut self, running: Running, ended: Option<&sys::Ended>) -> Trailer {
        let group = running.group.as_ref().map(Group::used).unwrap_or_default();
        if let Some(group) = running.group {
            self.groups.give_back(group);
        }
        if let Some(network) = running.network {
            self.grounds.give_back(network);
        }
        let mut usage =
            Usage { wall: running.started.elapsed(), peak_memory: group.peak_memory, ..Usage::default() };
        if let Some(ended) = ended {
            usage.user = ended.user;
            usage.system = ended.system;
            usage.max_rss = ended.max_rss;
            usage.read_bytes = ended.read_bytes;
            usage.written_bytes = ended.written_bytes;
        }
        let status = ended.map_or(ExitStatus::Signal(libc::SIGKILL), |ended| ended.status);
        Trailer { status, usage, group, notes: running.notes }
    }
}

/// Whether the file system of `path` can map ids, asking each only once.
fn check_mappable(path: &Path, owner: &OwnedFd, known: &mut BTreeSet<u64>) -> std::io::Result<()> {
    let device = path.metadata()?.dev();
    if !known.contains(&device) {
        ids::can_map_ids(path, owner)?;
        known.insert(device);
    }
    Ok(())
}

/// Puts together what was told inside and what is known outside.
pub(crate) fn conclude(
    spec: &TaskSpec,
    report: Option<&str>,
    trailer: Trailer,
) -> Result<TaskOutcome, Error> {
    let degradations = trailer.notes.clone();
    let (mut status, mut limit, mut notes) = (trailer.status, None, trailer.notes);
    let mut refusals = BTreeSet::new();
    match report.map(serde_json::from_str::<InitReport>) {
        Some(Ok(InitReport::Setup(error))) => return Err(error.into_error(&spec.name)),
        Some(Ok(InitReport::Exec(what, errno))) => return Err(exec_error(spec, &what, errno)),
        Some(Ok(InitReport::Ended { status: inner, limit: hit, notes: more, refusals: seen })) => {
            (status, limit, refusals) = (inner, hit, seen);
            notes.extend(more);
        }
        Some(Err(error)) => return Err(Error::Helper(format!("report of `{}`: {error}", spec.name))),
        // The first process was killed, by the kernel for want of memory or by somebody.
        None => {}
    }
    let failed = status != ExitStatus::Code(0);
    if let (None, Some(memory), 1.., true) =
        (&limit, spec.limits.get(Resource::Memory), trailer.group.oom_kills, failed)
    {
        let used = trailer.group.peak_memory.unwrap_or(memory);
        limit = Some(LimitHit { resource: Resource::Memory, limit: memory, used });
    }
    if let (None, Some(pids), 1.., true) =
        (&limit, spec.limits.get(Resource::Pids), trailer.group.forks_refused, failed)
    {
        limit = Some(LimitHit { resource: Resource::Pids, limit: pids, used: pids });
    }
    Ok(TaskOutcome { status, limit, usage: trailer.usage, notes, degradations, refusals })
}

fn exec_error(spec: &TaskSpec, what: &str, errno: i32) -> Error {
    let source = std::io::Error::from_raw_os_error(errno);
    if what.is_empty() {
        let program = spec.argv.first().cloned().unwrap_or_default();
        return Error::Exec { task: spec.name.clone(), program, source };
    }
    let step = format!("{what} (in `{}`)", spec.cwd.display());
    Error::Setup { task: spec.name.clone(), step, source, remedy: String::new() }
}
