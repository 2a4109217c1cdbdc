//! User ids inside and outside of the sandbox, and who writes the maps.

use super::setup::{SetupError, Step, hear, socket_pair, tell};
use super::{namespaces, sys};
use crate::plan::Ids;
use crate::spec::Identity;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Command;

/// The id tasks run as when root builds: without rights, and one that
/// systemd's table of ids leaves unused.
pub(crate) const UNPRIVILEGED: u32 = 65520;
/// Ids a task that plays root sees: all that file systems of targets use.
const RANGE: u32 = 65536;

/// How the sandbox comes by its user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mapping {
    /// Made first; the new process maps one id to its own.
    Own { inside: Ids, outside: Ids },
    /// Made first by real root: the ids are its own, 0 included.
    Range,
    /// Made first; `newuidmap` maps the user's ranges of /etc/subuid.
    Tool { outside: Ids },
    /// Made last, as an id without rights: root builds the sandbox, and
    /// the task's directories are shown as that id's.
    Late { outside: Ids },
}

impl Mapping {
    /// The way for a task, given whether ids of mounts can be mapped.
    pub(crate) fn choose(identity: Identity, me: Ids, idmap: bool) -> Mapping {
        let unprivileged = Ids { uid: UNPRIVILEGED, gid: UNPRIVILEGED };
        match (identity, me.uid) {
            (Identity::MappedRoot, 0) => Mapping::Range,
            (Identity::MappedRoot, _) => Mapping::Tool { outside: me },
            (Identity::User, 0) if idmap => Mapping::Late { outside: unprivileged },
            (Identity::User, 0) => Mapping::Own { inside: unprivileged, outside: me },
            (Identity::User, _) => Mapping::Own { inside: me, outside: me },
        }
    }

    /// Whom the task sees itself as.
    pub(crate) fn inside(self) -> Ids {
        match self {
            Mapping::Own { inside, .. } => inside,
            Mapping::Range | Mapping::Tool { .. } => Ids { uid: 0, gid: 0 },
            Mapping::Late { outside } => outside,
        }
    }

    /// The user namespace is made together with the others.
    pub(crate) fn is_early(self) -> bool {
        !matches!(self, Mapping::Late { .. })
    }

    /// Another process must write the maps while the new one waits.
    pub(crate) fn needs_mapper(self) -> bool {
        matches!(self, Mapping::Range | Mapping::Tool { .. })
    }

    /// In the new process, where it can write its maps by itself.
    pub(super) fn write_own(self) -> Result<(), SetupError> {
        let (inside, outside) = match self {
            Mapping::Own { inside, outside } => (inside, outside),
            Mapping::Late { outside } => (outside, outside),
            Mapping::Range | Mapping::Tool { .. } => return Ok(()),
        };
        sys::write_file(c"/proc/self/setgroups", "deny").step("write the id maps")?;
        sys::write_file(c"/proc/self/gid_map", &format!("{} {} 1", inside.gid, outside.gid))
            .step("write the id maps")?;
        sys::write_file(c"/proc/self/uid_map", &format!("{} {} 1", inside.uid, outside.uid))
            .step("write the id maps")
    }

    /// From outside, for process `pid`.
    fn write_for(self, pid: i32) -> Result<(), SetupError> {
        match self {
            Mapping::Own { .. } | Mapping::Late { .. } => Ok(()),
            Mapping::Range => write_maps(pid, &format!("0 0 {RANGE}")),
            Mapping::Tool { outside } => {
                run_tool("newuidmap", "/etc/subuid", pid, outside.uid)?;
                run_tool("newgidmap", "/etc/subgid", pid, outside.gid)
            }
        }
    }
}

/// Starts a process that writes id maps for the one that asks it by [`ask_mapper`]
/// over the socket, and ends.
pub(super) fn start_mapper(mapping: Mapping) -> Result<(i32, OwnedFd), SetupError> {
    let (near, far) = socket_pair()?;
    let Some(pid) = sys::fork_into(0).step("start a process")? else {
        drop(near);
        let mut number = [0u8; 4];
        if rustix::io::read(&far, &mut number) == Ok(number.len()) {
            tell(far.as_fd(), &mapping.write_for(i32::from_ne_bytes(number)));
        }
        sys::exit_now(0)
    };
    Ok((pid, near))
}

/// Has the maps of this process, known as `number` outside, written.
pub(super) fn ask_mapper(mapper: BorrowedFd<'_>, number: u32) -> Result<(), SetupError> {
    rustix::io::write(mapper, &number.to_ne_bytes()).step("ask for the id maps")?;
    hear(mapper, "wait for the id maps")
}

/// Drops root for good: in the mount, pid and other namespaces root has made,
/// but before the user namespace that takes the last powers.
pub(super) fn become_unprivileged(ids: Ids) -> io::Result<()> {
    use rustix::thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    let (uid, gid) = (Uid::from_raw(ids.uid), Gid::from_raw(ids.gid));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    // Changing ids made /proc/self root's, where the maps must be written.
    Ok(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable)?)
}

fn run_tool(tool: &str, table: &str, pid: i32, own: u32) -> Result<(), SetupError> {
    let missing = |why: &str| SetupError { step: format!("map a range of ids: {why}"), errno: libc::EPERM };
    let (first, count) = subordinate_range(table, own)
        .ok_or_else(|| missing(&format!("`{table}` has no range for id {own}")))?;
    let count = count.min(RANGE - 1);
    let arguments = [pid as u32, 0, own, 1, 1, first, count].map(|number| number.to_string());
    let status = Command::new(tool).args(arguments).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(missing(&format!("`{tool}`: {status}"))),
        Err(error) => Err(missing(&format!("`{tool}`: {error}; install the package `uidmap`"))),
    }
}

/// The largest range /etc/subuid or /etc/subgid gives a user, by id or by name.
pub(crate) fn subordinate_range(table: &str, own: u32) -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let own = own.to_string();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == own).then_some(name)
    });
    let table = std::fs::read_to_string(table).ok()?;
    let ranges = table.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let owner = fields.next()?;
        let range = (fields.next()?.parse().ok()?, fields.next()?.trim().parse().ok()?);
        (owner == own || Some(owner) == name).then_some(range)
    });
    ranges.max_by_key(|(_, count)| *count)
}

/// A user namespace whose only use is to say, for mounts, that what is root's
/// on disk is [`UNPRIVILEGED`]'s in the sandbox. Other owners stay who they
/// are. Needs root.
///
/// # Errors
/// Those of clone(2) and of writing the maps.
pub(crate) fn owner_namespace() -> io::Result<OwnedFd> {
    let map = format!("0 {UNPRIVILEGED} 1\n1 1 {}", UNPRIVILEGED - 1);
    let write = |pid| write_maps(pid, &map);
    let [namespace] = namespaces::hold(libc::CLONE_NEWUSER, || Ok(()), write, ["user"])?;
    Ok(namespace)
}

/// Writes the same map for user and group ids of process `pid`.
fn write_maps(pid: i32, map: &str) -> Result<(), SetupError> {
    ["uid_map", "gid_map"]
        .iter()
        .try_for_each(|file| std::fs::write(format!("/proc/{pid}/{file}"), map))
        .step("write the id maps")
}

/// Whether mounts below `path` can have their ids mapped by this process.
pub(crate) fn can_map_ids(path: &std::path::Path, namespace: &OwnedFd) -> io::Result<()> {
    use rustix::mount::{OpenTreeFlags, open_tree};
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let mount = open_tree(rustix::fs::CWD, path, flags)?;
    sys::map_mount_ids(mount.as_fd(), namespace.as_fd())
}
