//! Disks that fill up (BB_DISKMON_DIRS, BB_DISKMON_WARNINTERVAL).

use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// What to do when space runs low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskAction {
    /// Tell, again each time the interval is used up.
    Warn,
    /// Start no further tasks.
    StopTasks,
    /// End all tasks.
    Halt,
}

#[derive(Clone, Debug)]
struct Watched {
    action: DiskAction,
    path: PathBuf,
    min_bytes: Option<u64>,
    min_inodes: Option<u64>,
    /// Values at the last warning.
    warned: [Option<u64>; 2],
    done: bool,
}

/// Watches folders.
#[derive(Clone, Debug, Default)]
pub(crate) struct DiskMonitor {
    watched: Vec<Watched>,
    byte_interval: u64,
    inode_interval: u64,
}

/// A folder is low on something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiskAlarm {
    pub(crate) action: DiskAction,
    pub(crate) text: String,
}

impl DiskMonitor {
    /// By the configuration's variables. Entries are `ACTION,DIR,MINSPACE,MININODES`; the
    /// last two may be empty, and hold K, M or G.
    pub(crate) fn from_settings(get: &dyn Fn(&str) -> Option<String>) -> Result<DiskMonitor> {
        let mut monitor =
            DiskMonitor { byte_interval: 50 << 20, inode_interval: 5 << 10, ..DiskMonitor::default() };
        const INTERVAL: &str = "BB_DISKMON_WARNINTERVAL";
        if let Some(value) = get(INTERVAL).filter(|value| !value.trim().is_empty()) {
            let parts: Vec<&str> = value.trim().split(',').collect();
            let amount = |n: usize| parts.get(n).and_then(|text| amount(text)).unwrap_or(None);
            monitor.byte_interval = amount(0).unwrap_or(monitor.byte_interval);
            monitor.inode_interval = amount(1).unwrap_or(monitor.inode_interval);
        }
        const DIRS: &str = "BB_DISKMON_DIRS";
        for word in get(DIRS).unwrap_or_default().split_whitespace() {
            monitor.watched.push(entry(word).ok_or_else(|| Error::Setting {
                variable: DIRS,
                value: word.to_owned(),
                problem:
                    "expected ACTION,DIR,MINSPACE,MININODES with action HALT, STOPTASKS or WARN".to_owned(),
            })?);
        }
        Ok(monitor)
    }

    /// Whether the build was stopped for want of space.
    pub(crate) fn has_stopped(&self) -> bool {
        self.watched.iter().any(|watched| watched.done)
    }

    /// What is low now. A disk that cannot be asked is passed over.
    pub(crate) fn check(&mut self) -> Vec<DiskAlarm> {
        let intervals = [self.byte_interval, self.inode_interval];
        let mut alarms = Vec::new();
        for watched in &mut self.watched {
            // It may not exist before the first task writes there.
            let found = watched.path.ancestors().find_map(|path| rustix::fs::statvfs(path).ok());
            let Some(disk) = found else { continue };
            let bytes = disk.f_bavail * disk.f_frsize;
            // Some file systems count no inodes.
            let inodes = (disk.f_files > 0).then_some(disk.f_favail);
            alarms.extend(watched.judge([Some(bytes), inodes], intervals));
        }
        alarms
    }
}

impl Watched {
    /// Its text for messages. BitBake: with the device it is on, if that can be told.
    fn name(&self) -> String {
        let device = device_of(&self.path).map(|device| format!(" ({device})"));
        format!("{}{}", self.path.display(), device.unwrap_or_default())
    }

    fn judge(&mut self, free: [Option<u64>; 2], intervals: [u64; 2]) -> Vec<DiskAlarm> {
        let mut alarms = Vec::new();
        for (n, minimum) in [self.min_bytes, self.min_inodes].into_iter().enumerate() {
            let (Some(minimum), Some(free)) = (minimum, free[n]) else { continue };
            if free >= minimum || self.done {
                continue;
            }
            let again = self.warned[n].is_none_or(|last| last.saturating_sub(free) >= intervals[n]);
            if self.action == DiskAction::Warn && !again {
                continue;
            }
            self.warned[n] = Some(free);
            self.done = self.action != DiskAction::Warn;
            let path = self.name();
            let text = if n == 0 {
                format!(
                    "The free space of {path} is running low ({:.3}GB left)",
                    free as f64 / f64::from(1 << 30)
                )
            } else {
                format!("The free inode of {path} is running low ({:.3}K left)", free as f64 / 1024.0)
            };
            alarms.push(DiskAlarm { action: self.action, text });
        }
        alarms
    }
}

/// The device that a folder, or the nearest above it that exists, is on: as /proc/self/mountinfo
/// names it, see proc_pid_mountinfo(5).
fn device_of(path: &Path) -> Option<String> {
    let stat = path.ancestors().find_map(|path| rustix::fs::stat(path).ok())?;
    let number = format!("{}:{}", rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find(|line| line.split(' ').nth(2) == Some(&number))?;
    Some(mount.split_once(" - ")?.1.split(' ').nth(1)?.to_owned())
}

fn entry(word: &str) -> Option<Watched> {
    let mut parts = word.split(',');
    let action = match parts.next()? {
        "WARN" => DiskAction::Warn,
        "STOPTASKS" => DiskAction::StopTasks,
        "HALT" | "ABORT" => DiskAction::Halt,
        _ => return None,
    };
    let path = PathBuf::from(parts.next().filter(|path| !path.is_empty())?);
    let min_bytes = amount(parts.next().unwrap_or(""))?;
    let min_inodes = amount(parts.next().unwrap_or(""))?;
    if parts.next().is_some() || (min_bytes.is_none() && min_inodes.is_none()) {
        return None;
    }
    Some(Watched { action, path, min_bytes, min_inodes, warned: [None; 2], done: false })
}

/// `1.5G` and the like; empty for none. The outer `None` is for what is no amount.
fn amount(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    let (digits, factor) = match text.char_indices().next_back()? {
        (at, 'K' | 'k') => (&text[..at], 1u64 << 10),
        (at, 'M' | 'm') => (&text[..at], 1 << 20),
        (at, 'G' | 'g') => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let number: f64 = digits.trim().parse().ok().filter(|number: &f64| *number >= 0.0)?;
    Some(Some((number * factor as f64) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read() {
        let watched = entry("STOPTASKS,/tmp,1G,100K").unwrap();
        assert_eq!(watched.min_bytes, Some(1 << 30));
        assert_eq!(watched.min_inodes, Some(100 << 10));
        assert!(entry("HALT,/tmp,,1K").is_some());
        assert!(entry("PANIC,/tmp,1G,1K").is_none());
        assert!(entry("WARN,/tmp,,").is_none());
        assert!(entry("WARN,,1G").is_none());
    }

    #[test]
    fn warnings_come_again_when_the_interval_is_used_up() {
        let mut watched = entry("WARN,/tmp,1G").unwrap();
        let intervals = [100 << 20, 1];
        assert_eq!(watched.judge([Some(900 << 20), None], intervals).len(), 1);
        assert_eq!(watched.judge([Some(850 << 20), None], intervals).len(), 0);
        assert_eq!(watched.judge([Some(700 << 20), None], intervals).len(), 1);
        let mut stop = entry("STOPTASKS,/tmp,1G").unwrap();
        assert_eq!(stop.judge([Some(2 << 30), None], intervals).len(), 0);
        let alarm = stop.judge([Some(1), None], intervals).remove(0);
        assert_eq!(alarm.action, DiskAction::StopTasks);
        assert!(alarm.text.starts_with("The free space of /tmp"), "{}", alarm.text);
        assert!(alarm.text.contains(" is running low ("), "{}", alarm.text);
    }
}
