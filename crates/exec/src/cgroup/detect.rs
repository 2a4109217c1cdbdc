//! Which control group controllers this process can make groups of, and where.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A controller that limits or counts something of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Controller {
    /// Memory of the whole task, and its peak.
    Memory,
    /// Number of processes and threads.
    Pids,
    /// Share of the processors.
    Cpu,
}

impl Controller {
    /// All of them.
    pub const ALL: [Controller; 3] = [Controller::Memory, Controller::Pids, Controller::Cpu];

    /// The kernel's name.
    pub fn name(self) -> &'static str {
        match self {
            Controller::Memory => "memory",
            Controller::Pids => "pids",
            Controller::Cpu => "cpu",
        }
    }
}

/// Version of the control group interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// One hierarchy per controller.
    V1,
    /// One hierarchy for all.
    V2,
}

/// The controllers at hand: where groups for tasks can be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controllers(pub BTreeMap<Controller, (Version, PathBuf)>);

impl Controllers {
    /// Finds the writable controllers of this process.
    pub fn probe() -> Controllers {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let mut found = find(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
        found.0.retain(|controller, (version, dir)| usable(*controller, *version, dir));
        found
    }
}

/// Where this process' groups are, from the texts of /proc/self/cgroup and
/// /proc/self/mountinfo. A version 1 controller wins: if it is mounted there,
/// version 2 does not have it.
fn find(cgroup: &str, mountinfo: &str) -> Controllers {
    let mut found = BTreeMap::new();
    for line in cgroup.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(names), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let version = if names.is_empty() { Version::V2 } else { Version::V1 };
        for controller in Controller::ALL {
            if version == Version::V1 && !names.split(',').any(|name| name == controller.name()) {
                continue;
            }
            let Some(dir) = group_directory(mountinfo, version, controller.name(), path) else { continue };
            if version == Version::V1 || !found.contains_key(&controller) {
                found.insert(controller, (version, dir));
            }
        }
    }
    Controllers(found)
}

/// The directory of group `path` in the mount that serves `controller`.
fn group_directory(mountinfo: &str, version: Version, controller: &str, path: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let (kind, options) = (right.next()?, right.nth(1)?);
        let serves = match version {
            Version::V1 => kind == "cgroup" && options.split(',').any(|option| option == controller),
            Version::V2 => kind == "cgroup2",
        };
        // A container sees a part of the hierarchy: the mount's root is cut off.
        let below =
            Path::new(path).strip_prefix(root).ok().or_else(|| Path::new(path).strip_prefix("/").ok())?;
        serves.then(|| Path::new(point).join(below))
    })
}

/// Whether groups with the controller can be made below `dir`.
fn usable(controller: Controller, version: Version, dir: &Path) -> bool {
    use rustix::fs::{Access, access};
    if access(dir, Access::WRITE_OK).is_err() {
        return false;
    }
    match version {
        Version::V1 => access(dir.join("cgroup.procs"), Access::WRITE_OK).is_ok(),
        Version::V2 => delegate(controller, dir),
    }
}

/// Hands a version 2 controller down to groups below `dir`. Where the group
/// has processes of its own the kernel refuses; ours are then moved into a
/// group beside the tasks', if the group was delegated to this user (as
/// `systemd-run --user --scope -p Delegate=yes` does) or is a container's root.
fn delegate(controller: Controller, dir: &Path) -> bool {
    let lists = |file: &str| {
        std::fs::read_to_string(dir.join(file))
            .is_ok_and(|text| text.split_whitespace().any(|name| name == controller.name()))
    };
    if lists("cgroup.subtree_control") {
        return true;
    }
    if !lists("cgroup.controllers") {
        return false;
    }
    let enable =
        || std::fs::write(dir.join("cgroup.subtree_control"), format!("+{}", controller.name())).is_ok();
    enable() || (is_ours(dir) && step_aside(dir).is_ok() && enable())
}

fn is_ours(dir: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let me = rustix::process::geteuid().as_raw();
    let owned = me != 0 && dir.metadata().is_ok_and(|meta| meta.uid() == me);
    let marked = ["user.delegate", "trusted.delegate"].iter().any(|name| {
        let mut value = [0u8; 8];
        rustix::fs::getxattr(dir, *name, &mut value[..]).is_ok_and(|length| &value[..length] == b"1")
    });
    owned || marked
}

fn step_aside(dir: &Path) -> std::io::Result<()> {
    let leaf = dir.join("bitzel-main");
    if !leaf.is_dir() {
        std::fs::create_dir(&leaf)?;
    }
    for pid in std::fs::read_to_string(dir.join("cgroup.procs"))?.lines() {
        // A process may end meanwhile; the kernel refuses the controller if one is left.
        std::fs::write(leaf.join("cgroup.procs"), pid).ok();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 20 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
31 20 0:27 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
32 20 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    #[test]
    fn a_hybrid_host_is_taken_controller_by_controller() {
        let found = find("5:memory:/a/b\n3:cpu,cpuacct:/\n0::/x\n", HYBRID);
        let expect = |version, path: &str| Some((version, PathBuf::from(path)));
        assert_eq!(
            found.0.get(&Controller::Memory).cloned(),
            expect(Version::V1, "/sys/fs/cgroup/memory/a/b")
        );
        assert_eq!(found.0.get(&Controller::Cpu).cloned(), expect(Version::V1, "/sys/fs/cgroup/cpu/"));
        assert_eq!(found.0.get(&Controller::Pids).cloned(), expect(Version::V2, "/sys/fs/cgroup/unified/x"));
    }

    #[test]
    fn the_part_of_the_hierarchy_a_container_sees_is_respected() {
        let mounts = "40 30 0:28 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
        let found = find("0::/docker/1/leaf\n", mounts);
        assert_eq!(found.0[&Controller::Memory].1, PathBuf::from("/sys/fs/cgroup/leaf"));
    }

    #[test]
    fn a_controller_that_cannot_be_handed_down_is_not_usable() {
        let dir = std::env::temp_dir().join(format!("bitzel-cg-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("cgroup.controllers"), "pids cpu\n").unwrap();
        std::fs::write(dir.join("cgroup.subtree_control"), "pids\n").unwrap();
        assert!(usable(Controller::Pids, Version::V2, &dir));
        assert!(!usable(Controller::Memory, Version::V2, &dir));
        assert!(usable(Controller::Cpu, Version::V2, &dir));
        assert_eq!(std::fs::read_to_string(dir.join("cgroup.subtree_control")).unwrap(), "+cpu");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
