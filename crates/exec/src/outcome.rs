//! What is known of a task that ran. A failed task is a value.

use crate::limits::Resource;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The end of a task and what it used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskOutcome {
    /// How the task's first process ended.
    pub status: ExitStatus,
    /// The limit that ended the task, if one did.
    pub limit: Option<LimitHit>,
    /// What it used.
    pub usage: Usage,
    /// For the task's log: degradations of the isolation in force, processes
    /// left behind and killed, and the like.
    pub notes: Vec<String>,
    /// Those of the notes that say where the isolation was less than full.
    pub degradations: Vec<String>,
    /// In `report` mode: what `enforce` would have refused.
    pub refusals: BTreeSet<Refusal>,
}

impl TaskOutcome {
    /// Exit code 0 and no limit hit.
    pub fn success(&self) -> bool {
        self.limit.is_none() && self.status == ExitStatus::Code(0)
    }

    /// One line for the log of a failed task.
    pub fn explain(&self) -> String {
        match &self.limit {
            Some(hit) => format!("{}; {hit}", self.status),
            None => self.status.to_string(),
        }
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExitStatus {
    /// It exited with a code.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// The caller cancelled it.
    Cancelled,
}

impl ExitStatus {
    /// From the status word of waitpid(2).
    pub(crate) fn from_wait(status: i32) -> ExitStatus {
        if libc::WIFSIGNALED(status) {
            ExitStatus::Signal(libc::WTERMSIG(status))
        } else {
            ExitStatus::Code(libc::WEXITSTATUS(status))
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ExitStatus::Code(code) => write!(f, "exit code {code}"),
            ExitStatus::Signal(libc::SIGSYS) => write!(
                f,
                "ended by signal SIGSYS: it used a system call interface the sandbox does not offer (32-bit programs)"
            ),
            ExitStatus::Signal(signal) => write!(f, "ended by signal {signal}"),
            ExitStatus::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// A limit and what was used when it was hit, in the resource's unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitHit {
    /// Which one.
    pub resource: Resource,
    /// The limit.
    pub limit: u64,
    /// The use; 0 where the kernel does not tell.
    pub used: u64,
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitHit { resource, limit, used } = self;
        write!(f, "{} limit of {} was hit", resource.describe(), resource.show(*limit))?;
        if *used > 0 {
            write!(f, " (used {})", resource.show(*used))?;
        }
        write!(f, "; raise it by `{}` or the task flag `{}`", resource.variable(), resource.flag())
    }
}

/// Resources a task used. Fields the host cannot tell are `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// From start to end.
    pub wall: Duration,
    /// CPU in user mode, of all processes of the task that were waited for.
    pub user: Duration,
    /// CPU in the kernel, building the sandbox included.
    pub system: Duration,
    /// Largest resident set of any one process, in bytes.
    pub max_rss: u64,
    /// Peak memory of the whole task in bytes (control group).
    pub peak_memory: Option<u64>,
    /// Bytes read from block devices.
    pub read_bytes: u64,
    /// Bytes written to block devices.
    pub written_bytes: u64,
}

/// Something `enforce` would have refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refusal {
    /// What the task did.
    pub kind: RefusalKind,
    /// The path, or the system call's or address' text.
    pub what: PathBuf,
}

/// What kind of thing a task did that it should not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// Read, or looked for, an undeclared file.
    Read,
    /// Changed a file outside of the writable directories.
    Write,
    /// Executed an undeclared program.
    Execute,
    /// Used the network without `[network]`.
    Network,
    /// Used a system call on the refused list.
    Syscall,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            RefusalKind::Read => "reads undeclared",
            RefusalKind::Write => "writes to undeclared",
            RefusalKind::Execute => "executes undeclared",
            RefusalKind::Network => "without [network], uses",
            RefusalKind::Syscall => "uses refused system call",
        };
        write!(f, "{verb} `{}`", self.what.display())
    }
}
