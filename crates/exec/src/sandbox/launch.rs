//! How tasks are isolated: what is known of the host, and what is made ready
//! for them outside. Used by the helper process for programs, and by a forked
//! task runner for callbacks.

use super::filter::Filter;
use super::ground::Grounds;
use super::ids::{self, Mapping};
use super::init::Isolation;
use super::setup::SetupError;
use super::sys;
use crate::cgroup::{Controllers, Groups};
use crate::plan::{Ids, Plan};
use crate::spec::{Identity, Mode, Network, TaskSpec};
use crate::{Error, HostView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

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
    pub(super) config: SandboxConfig,
    pub(super) host: HostView,
    filters: BTreeMap<Vec<String>, Filter>,
    grounds: Grounds,
    pub(super) groups: Groups,
    pub(super) me: Ids,
    /// Says that what is root's is the task's; only as root, where it can be said.
    owner: Option<OwnedFd>,
    /// File systems, by device number, that are known to map ids.
    mappable: BTreeSet<u64>,
    /// Version of Landlock, if the kernel has it.
    landlock: Option<u32>,
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

    /// How a task is isolated, and the namespaces its first process is made in. `notes` get what is
    /// less than full.
    pub(super) fn isolation(
        &mut self,
        spec: &TaskSpec,
        notes: &mut Vec<String>,
    ) -> Result<(Isolation<'_>, i32), Error> {
        let setup = |error: SetupError| error.into_error(&spec.name);
        let mut mapping = Mapping::choose(spec.identity, self.me, self.owner.is_some());
        let mut base = Plan::base(spec, &self.host, mapping.inside());
        let mut plan = base.clone().with_declared(spec)?;
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
                base = Plan::base(spec, &self.host, mapping.inside());
                plan = base.clone().with_declared(spec)?;
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
            let division = plan.clone().divide(&base);
            Some(self.grounds.footing(division, spec.network == Network::None).map_err(setup)?)
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
