//! Processes below this one, as /proc shows them.

use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, wait};
use std::fs;
use std::time::{Duration, Instant};

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: i32,
    parent: i32,
    name: String,
    command: String,
}

impl Process {
    /// Holds evaluated recipes, or forks those that do.
    pub fn is_host(&self) -> bool {
        self.command.contains("bitzel_host") && !self.is_task()
    }

    /// Runs a task: named `RECIPE:TASK`.
    pub fn is_task(&self) -> bool {
        self.name.contains(':')
    }
}

/// This process as the one that orphans below it fall to.
pub struct Family(i32);

impl Family {
    /// From now on whoever loses its parent becomes a child of this process.
    pub fn adopt() -> Family {
        let own = rustix::process::getpid();
        set_child_subreaper(Some(own)).unwrap();
        Family(own.as_raw_nonzero().get())
    }

    /// All processes below one.
    pub fn below(&self, top: i32) -> Vec<Process> {
        let all: Vec<Process> =
            fs::read_dir("/proc").unwrap().flatten().filter_map(|e| read(e.file_name().to_str()?)).collect();
        let mut found: Vec<Process> = Vec::new();
        let mut open = vec![top];
        while let Some(parent) = open.pop() {
            for process in all.iter().filter(|process| process.parent == parent) {
                open.push(process.pid);
                found.push(process.clone());
            }
        }
        found
    }

    /// Who is still there once `patience` is over.
    pub fn left_after(&self, patience: Duration) -> Vec<Process> {
        let start = Instant::now();
        loop {
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
            let left = self.below(self.0);
            if left.is_empty() || start.elapsed() >= patience {
                return left;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Kills a process; false if it is gone.
pub fn kill(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
}

fn read(pid: &str) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (start, rest) = stat.rsplit_once(')')?;
    let name = start.split_once('(')?.1.to_owned();
    let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
    let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    Some(Process { pid: pid.parse().ok()?, parent, name, command })
}
