//! One control group per task: made, limited, joined, read and given back.

use super::detect::{Controller, Controllers, Version};
use crate::limits::{Limits, Resource};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Period of the processor share in microseconds: the kernel's default.
const CPU_PERIOD: u64 = 100_000;

/// What a task used of what its group counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GroupUse {
    /// Peak memory in bytes.
    pub peak_memory: Option<u64>,
    /// Processes killed for lack of memory.
    pub oom_kills: u64,
    /// Forks refused.
    pub forks_refused: u64,
}

/// The groups of this process' tasks. Version 1 groups of ended tasks are used
/// again: making one costs several times what resetting it does.
#[derive(Debug)]
pub(crate) struct Groups {
    pub controllers: Controllers,
    made: u64,
    idle: Vec<Group>,
}

impl Groups {
    pub(crate) fn new(controllers: Controllers) -> Groups {
        Groups { controllers, made: 0, idle: Vec::new() }
    }

    /// A group that holds `limits`; memory is always counted. `None` where the
    /// host offers no controller, or refuses now.
    pub(crate) fn take(&mut self, limits: &Limits) -> Option<Group> {
        let wanted: BTreeSet<Controller> = Controller::ALL
            .into_iter()
            .filter(|controller| match controller {
                Controller::Memory => true,
                Controller::Pids => limits.get(Resource::Pids).is_some(),
                Controller::Cpu => limits.get(Resource::Cpus).is_some(),
            })
            .filter(|controller| self.controllers.0.contains_key(controller))
            .collect();
        if wanted.is_empty() {
            return None;
        }
        let fits = |group: &Group| group.dirs.iter().flat_map(|dir| &dir.controllers).eq(&wanted);
        let mut group = match self.idle.iter().position(fits) {
            Some(index) => self.idle.swap_remove(index),
            None => self.make(&wanted)?,
        };
        group.set(limits).ok().map(|()| group)
    }

    fn make(&mut self, wanted: &BTreeSet<Controller>) -> Option<Group> {
        self.made += 1;
        let name = format!("bitzel-{}-{}", std::process::id(), self.made);
        let mut group = Group { dirs: Vec::new(), limits: None, before: GroupUse::default() };
        for controller in wanted {
            let (version, base) = &self.controllers.0[controller];
            let path = base.join(&name);
            match group.dirs.iter_mut().find(|dir| dir.path == path) {
                Some(dir) => dir.controllers.push(*controller),
                None => {
                    // On failure the directories made so far go with `group`.
                    std::fs::create_dir(&path).ok()?;
                    group.dirs.push(Dir { path, version: *version, controllers: vec![*controller] });
                }
            }
        }
        Some(group)
    }

    /// Takes back the group of an ended task.
    pub(crate) fn give_back(&mut self, group: Group) {
        let reusable = group.dirs.iter().all(|dir| dir.version == Version::V1);
        if reusable && group.reset().is_ok() {
            self.idle.push(group);
        }
    }
}

/// The group of one task; removed when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    dirs: Vec<Dir>,
    /// What has been set.
    limits: Option<Limits>,
    /// Counters when the task started: a group is used more than once.
    before: GroupUse,
}

#[derive(Debug)]
struct Dir {
    path: PathBuf,
    version: Version,
    controllers: Vec<Controller>,
}

impl Drop for Group {
    fn drop(&mut self) {
        for dir in &self.dirs {
            // Fails while a process of a killed task is still dying; nothing is lost but an empty group.
            std::fs::remove_dir(&dir.path).ok();
        }
    }
}

impl Group {
    /// Whether the group holds the limit of a controller.
    pub(crate) fn holds(&self, controller: Controller) -> bool {
        self.dirs.iter().any(|dir| dir.controllers.contains(&controller))
    }

    /// Opens what a process writes `0` to in order to join.
    pub(crate) fn doors(&self) -> io::Result<Vec<OwnedFd>> {
        use rustix::fs::{Mode, OFlags, open};
        let open = |dir: &Dir| {
            open(dir.path.join("cgroup.procs"), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
                .map_err(Into::into)
        };
        self.dirs.iter().map(open).collect()
    }

    fn set(&mut self, limits: &Limits) -> io::Result<()> {
        if self.limits.as_ref() == Some(limits) {
            return Ok(());
        }
        let number =
            |value: Option<u64>, none: &str| value.map_or(none.to_owned(), |value| value.to_string());
        for dir in &self.dirs {
            for controller in &dir.controllers {
                let write = |file: &str, text: &str| std::fs::write(dir.path.join(file), text);
                // One above, so that going over the limit can be told from reaching it.
                let pids = limits.get(Resource::Pids).map(|pids| pids + 1);
                let quota = limits.get(Resource::Cpus).map(|cpus| cpus * CPU_PERIOD / 1000);
                let memory = limits.get(Resource::Memory);
                match (controller, dir.version) {
                    (Controller::Pids, _) => write("pids.max", &number(pids, "max"))?,
                    (Controller::Cpu, Version::V2) => {
                        write("cpu.max", &format!("{} {CPU_PERIOD}", number(quota, "max")))?;
                    }
                    (Controller::Cpu, Version::V1) => write("cpu.cfs_quota_us", &number(quota, "-1"))?,
                    (Controller::Memory, Version::V2) => {
                        write("memory.max", &number(memory, "max"))?;
                        // Swapping in place of failing would hide the limit; absent without swap.
                        write("memory.swap.max", if memory.is_some() { "0" } else { "max" }).ok();
                        write("memory.oom.group", "0").ok();
                    }
                    (Controller::Memory, Version::V1) => {
                        let swap = "memory.memsw.limit_in_bytes";
                        write(swap, "-1").ok();
                        write("memory.limit_in_bytes", &number(memory, "-1"))?;
                        if memory.is_some() {
                            write(swap, &number(memory, "-1")).ok();
                        }
                    }
                }
            }
        }
        self.limits = Some(limits.clone());
        Ok(())
    }

    /// What was used since the task started, which is over.
    pub(crate) fn used(&mut self) -> GroupUse {
        let now = self.counters();
        let before = std::mem::replace(&mut self.before, now);
        GroupUse {
            oom_kills: now.oom_kills.saturating_sub(before.oom_kills),
            forks_refused: now.forks_refused.saturating_sub(before.forks_refused),
            ..now
        }
    }

    fn counters(&self) -> GroupUse {
        let mut used = GroupUse::default();
        for dir in &self.dirs {
            for controller in &dir.controllers {
                let (peak, events) = match (controller, dir.version) {
                    (Controller::Memory, Version::V2) => ("memory.peak", "memory.events"),
                    (Controller::Memory, Version::V1) => ("memory.max_usage_in_bytes", "memory.oom_control"),
                    (Controller::Pids, _) => {
                        used.forks_refused = keyed(&dir.path.join("pids.events"), "max");
                        continue;
                    }
                    (Controller::Cpu, _) => continue,
                };
                used.peak_memory = std::fs::read_to_string(dir.path.join(peak))
                    .ok()
                    .and_then(|text| text.trim().parse().ok());
                used.oom_kills = keyed(&dir.path.join(events), "oom_kill");
            }
        }
        used
    }

    /// Makes the group as new. Fails while it has processes.
    fn reset(&self) -> io::Result<()> {
        for dir in &self.dirs {
            if !std::fs::read(dir.path.join("cgroup.procs"))?.is_empty() {
                return Err(io::ErrorKind::ResourceBusy.into());
            }
            if dir.controllers.contains(&Controller::Memory) {
                std::fs::write(dir.path.join("memory.max_usage_in_bytes"), "0")?;
            }
        }
        Ok(())
    }
}

/// The number after `key` in a file of `key number` lines; 0 where there is none.
fn keyed(path: &Path, key: &str) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(name, _)| *name == key).and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2_group(name: &str) -> (PathBuf, Groups) {
        let base = std::env::temp_dir().join(format!("bitzel-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&base).unwrap();
        let all = Controller::ALL.map(|controller| (controller, (Version::V2, base.clone())));
        (base, Groups::new(Controllers(all.into())))
    }

    #[test]
    fn limits_are_written_in_the_form_of_version_2() {
        let (base, mut groups) = v2_group("limits");
        let limits = Limits::none()
            .with(Resource::Memory, 1 << 20)
            .with(Resource::Pids, 10)
            .with(Resource::Cpus, 1500);
        let group = groups.take(&limits).unwrap();
        let read = |file: &str| std::fs::read_to_string(group.dirs[0].path.join(file)).unwrap();
        assert_eq!(group.dirs.len(), 1);
        assert_eq!(
            (read("memory.max"), read("pids.max"), read("cpu.max")),
            ("1048576".into(), "11".into(), "150000 100000".into())
        );
        std::fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn counters_of_version_2_are_read() {
        let (base, mut groups) = v2_group("counters");
        let mut group = groups.take(&Limits::none().with(Resource::Pids, 1)).unwrap();
        for (file, text) in [
            ("memory.peak", "4096\n"),
            ("memory.events", "low 0\noom 3\noom_kill 2\n"),
            ("pids.events", "max 7\n"),
        ] {
            std::fs::write(group.dirs[0].path.join(file), text).unwrap();
        }
        let used = group.used();
        assert_eq!(used, GroupUse { peak_memory: Some(4096), oom_kills: 2, forks_refused: 7 });
        let again = group.used();
        assert_eq!(again, GroupUse { peak_memory: Some(4096), oom_kills: 0, forks_refused: 0 });
        std::fs::remove_dir_all(base).unwrap();
    }
}
