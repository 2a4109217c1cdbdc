//! Watches a running task for limits that no kernel mechanism at hand
//! enforces, from inside of the task's namespaces.

use crate::limits::{Limits, Resource};
use crate::outcome::LimitHit;
use crate::plan::{Node, Plan};
use crate::spec::{Access, TaskSpec};
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Time between two looks, and between them when a limit is near.
const SLOW: Duration = Duration::from_millis(200);
const FAST: Duration = Duration::from_millis(20);
/// Trees are walked this often at least, but for no more than a twentieth of the time.
const WALK: Duration = Duration::from_secs(2);

/// One process as /proc/PID/stat shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub pid: i32,
    pub parent: i32,
    pub name: String,
    pub zombie: bool,
    pub cpu_ms: u64,
    pub threads: u64,
    pub rss: u64,
}

/// All processes this process can see, by id.
pub(super) fn processes() -> BTreeMap<i32, Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, parse_stat(pid, &stat)?))
        })
        .collect()
}

/// Children, grandchildren and so on of process `root`.
pub(super) fn descendants(root: i32) -> Vec<Process> {
    let all = processes();
    let below = |mut pid: i32| {
        // Bounded: parents change while /proc is read, so a loop could show up.
        for _ in 0..1000 {
            match all.get(&pid) {
                Some(process) if process.parent == root => return true,
                Some(process) => pid = process.parent,
                None => return false,
            }
        }
        false
    };
    all.values().filter(|process| process.pid != root && below(process.pid)).cloned().collect()
}

fn parse_stat(pid: i32, stat: &str) -> Option<Process> {
    // The name is in parentheses and may hold any character.
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        name,
        zombie: fields.first() == Some(&"Z"),
        // Clock ticks of 10 ms: USER_HZ is 100 on all architectures Linux runs on.
        cpu_ms: (number(11)? + number(12)?) * 10,
        threads: number(17)?,
        rss: number(21)? * rustix::param::page_size() as u64,
    })
}

/// Limits to look after, and what has been seen so far.
pub(super) struct Watch {
    limits: Limits,
    /// A control group sees to memory.
    memory_is_held: bool,
    trees: Vec<PathBuf>,
    started: SystemTime,
    /// Device of a tree to bytes and files its file system had in use at first, and when last walked.
    baseline: BTreeMap<u64, (u64, u64)>,
    walked: (u64, u64),
    used: (u64, u64),
    next_walk: Instant,
    pace: Duration,
}

impl Watch {
    pub(super) fn new(spec: &TaskSpec, plan: Option<&Plan>, memory_is_held: bool) -> Watch {
        let trees = match plan {
            Some(plan) => plan
                .nodes
                .iter()
                .filter(|(_, node)| matches!(node, Node::Bind { access: Access::Write, is_dir: true, .. }))
                .map(|(path, _)| path.clone())
                .collect(),
            None => spec.writable.clone(),
        };
        let mut watch = Watch {
            limits: spec.limits.clone(),
            memory_is_held,
            trees,
            started: SystemTime::now(),
            baseline: BTreeMap::new(),
            walked: (0, 0),
            used: (0, 0),
            next_walk: Instant::now() + WALK,
            pace: SLOW,
        };
        if watch.limits.get(Resource::Disk).is_some() || watch.limits.get(Resource::Files).is_some() {
            watch.baseline = watch.in_use();
        }
        watch
    }

    /// When to look next; `None` where there is nothing to look after.
    pub(super) fn pace(&self) -> Option<Duration> {
        let memory = self.limits.get(Resource::Memory).is_some() && !self.memory_is_held;
        let others = [Resource::Pids, Resource::CpuTime, Resource::Disk, Resource::Files];
        (memory || others.iter().any(|&resource| self.limits.get(resource).is_some())).then_some(self.pace)
    }

    /// Looks, and tells of a limit that is exceeded. `waited_ms` is the CPU
    /// time of processes that have already been waited for. The `last` look,
    /// when the task has ended, misses nothing on disk.
    pub(super) fn look(&mut self, waited_ms: u64, last: bool) -> Option<LimitHit> {
        self.pace = SLOW;
        self.processes(waited_ms, last).or_else(|| self.trees(last))
    }

    fn exceeded(&mut self, resource: Resource, used: u64) -> Option<LimitHit> {
        let limit = self.limits.get(resource)?;
        if used > limit / 2 {
            self.pace = FAST;
        }
        (used >= limit).then_some(LimitHit { resource, limit, used })
    }

    fn processes(&mut self, waited_ms: u64, last: bool) -> Option<LimitHit> {
        let wanted = [Resource::Memory, Resource::Pids, Resource::CpuTime];
        if !wanted.iter().any(|&resource| self.limits.get(resource).is_some()) {
            return None;
        }
        // Who is left when the task has ended is killed.
        let running = if last { Vec::new() } else { descendants(std::process::id() as i32) };
        let sum = |of: fn(&Process) -> u64| running.iter().map(of).sum::<u64>();
        // The kernel's own limit is set one above, so that going over can be seen.
        self.exceeded(Resource::Pids, sum(|p| p.threads).saturating_sub(1))
            .or_else(|| self.exceeded(Resource::CpuTime, waited_ms + sum(|p| p.cpu_ms)))
            .or_else(
                || if self.memory_is_held { None } else { self.exceeded(Resource::Memory, sum(|p| p.rss)) },
            )
    }

    /// Bytes and files in use, by file system of the trees.
    fn in_use(&self) -> BTreeMap<u64, (u64, u64)> {
        self.trees
            .iter()
            .filter_map(|tree| {
                let device = tree.metadata().ok()?.dev();
                let stat = rustix::fs::statvfs(tree).ok()?;
                let bytes = stat.f_blocks.saturating_sub(stat.f_bfree) * stat.f_frsize;
                Some((device, (bytes, stat.f_files.saturating_sub(stat.f_ffree))))
            })
            .collect()
    }

    /// The file system's own counts are cheap but count everybody's files: when
    /// they have grown enough for the task to be over its limit, the task's
    /// trees are walked for what changed since it started. Others remove files
    /// meanwhile, which hides that: so also now and then, and in the end.
    fn trees(&mut self, last: bool) -> Option<LimitHit> {
        let (disk, files) = (self.limits.get(Resource::Disk), self.limits.get(Resource::Files));
        if disk.is_none() && files.is_none() {
            return None;
        }
        let mut grown = (0, 0);
        for (device, (bytes, count)) in self.in_use() {
            let (bytes_before, count_before) = self.baseline.get(&device).copied().unwrap_or_default();
            grown.0 += bytes.saturating_sub(bytes_before);
            grown.1 += count.saturating_sub(count_before);
        }
        let near = |limit: Option<u64>, grown: u64, walked: u64, used: u64| {
            limit.is_some_and(|limit| used + grown.saturating_sub(walked) >= limit)
        };
        let began = Instant::now();
        if !last
            && began < self.next_walk
            && !near(disk, grown.0, self.walked.0, self.used.0)
            && !near(files, grown.1, self.walked.1, self.used.1)
        {
            return None;
        }
        self.walked = grown;
        self.used = self.trees.iter().fold((0, 0), |sum, tree| {
            let (bytes, count) = changed_since(tree, self.started);
            (sum.0 + bytes, sum.1 + count)
        });
        self.next_walk = Instant::now() + WALK.max(began.elapsed() * 20);
        self.exceeded(Resource::Disk, self.used.0).or_else(|| self.exceeded(Resource::Files, self.used.1))
    }
}

/// Bytes and number of files below `tree` that were made or changed since.
fn changed_since(tree: &Path, since: SystemTime) -> (u64, u64) {
    let since = since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // File systems keep time in ticks of a few ms: one tick is granted.
    let since = since.saturating_sub(Duration::from_millis(10));
    let is_new = |meta: &Metadata| {
        Duration::new(meta.ctime().max(0) as u64, meta.ctime_nsec().clamp(0, 999_999_999) as u32) >= since
    };
    let (mut bytes, mut count) = (0, 0);
    let mut todo = vec![tree.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if is_new(&meta) {
                bytes += meta.blocks() * 512;
                count += 1;
            }
            if meta.is_dir() {
                todo.push(entry.path());
            }
        }
    }
    (bytes, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn the_last_look_sees_files_that_the_file_system_does_not_show_to_have_grown() {
        let top = std::env::temp_dir().join(format!("bitzel-watch-{}", std::process::id()));
        std::fs::create_dir_all(&top).unwrap();
        let limits = Limits::none().with(Resource::Files, 10);
        let spec = TaskSpec { writable: vec![top.clone()], limits, ..TaskSpec::default() };
        let mut watch = Watch::new(&spec, None, false);
        // As if others had removed very many files since the task began.
        for counts in watch.baseline.values_mut() {
            *counts = (u64::MAX, u64::MAX);
        }
        (0..20).for_each(|number| std::fs::write(top.join(number.to_string()), "").unwrap());
        assert!(watch.look(0, false).is_none());
        let hit = watch.look(0, true).unwrap();
        assert_eq!((hit.resource, hit.limit, hit.used), (Resource::Files, 10, 20));
        std::fs::remove_dir_all(top).unwrap();
    }

    #[test]
    fn a_process_name_may_hold_parentheses_and_spaces() {
        let stat = "7 (a) b (c) S 3 7 7 0 -1 4194560 1 2 0 0 12 34 0 0 20 0 5 0 99 1000 25 1 1 1";
        let process = parse_stat(7, stat).unwrap();
        assert_eq!((process.name.as_str(), process.parent, process.cpu_ms), ("a) b (c", 3, 460));
        assert_eq!((process.threads, process.rss), (5, 25 * rustix::param::page_size() as u64));
    }

    #[test]
    fn this_process_is_a_descendant_of_its_parent() {
        let me = std::process::id() as i32;
        let parent = processes()[&me].parent;
        assert!(descendants(parent).iter().any(|process| process.pid == me));
    }
}
