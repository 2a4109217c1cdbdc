//! What a task is to the executor: a command, its environment, and all it may
//! see, change and use. Says nothing about how that is enforced.

use crate::Limits;
use bitzel_base::SourceLoc;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One task to run. Paths are absolute and mean the same inside and outside
/// of the sandbox; everything not named here (and not part of the host's
/// system directories, see [`crate::HostView`]) does not exist for the task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskSpec {
    /// Name in messages, usually `RECIPE:do_task`.
    pub name: String,
    /// Where the task is written, for the list that `report` mode gives.
    pub location: Option<SourceLoc>,
    /// Program (absolute, or found in the `PATH` of [`TaskSpec::env`]) and its
    /// arguments. Empty for a callback.
    pub argv: Vec<String>,
    /// The whole environment: nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// Working directory.
    pub cwd: PathBuf,
    /// Directories (or files) the task may change: WORKDIR first.
    pub writable: Vec<PathBuf>,
    /// Files and directories the task may read beside the host's system ones.
    pub read_only: Vec<PathBuf>,
    /// Files and directories to blank out below those of the other lists.
    pub hidden: Vec<PathBuf>,
    /// What of the network there is.
    pub network: Network,
    /// As whom the task runs.
    pub identity: Identity,
    /// Set for `fakeroot` tasks run under pseudo.
    pub fakeroot: Option<Fakeroot>,
    /// Resource limits.
    pub limits: Limits,
    /// File mode creation mask; inherited where none.
    pub umask: Option<u32>,
    /// Refused system calls this task may use all the same (a policy's doing).
    pub syscalls: Vec<String>,
    /// The task talks to a terminal: keep the session and give it a /dev/pts.
    pub interactive: bool,
    /// File descriptors above 2 a callback keeps; all others are closed.
    pub keep_fds: Vec<i32>,
}

/// What of the network a task gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Nothing at all, not even a loopback interface that is up.
    #[default]
    None,
    /// A loopback interface of its own: servers and clients of the task meet.
    Loopback,
    /// The host's network for clients (`[network] = "1"`): abstract UNIX
    /// sockets of the host stay out of reach, and so does listening on TCP ports.
    Host,
    /// As [`Network::Host`], and the task may listen (a policy's doing).
    HostListen,
}

impl Network {
    /// The task shares the host's network namespace.
    pub fn is_host(self) -> bool {
        matches!(self, Network::Host | Network::HostListen)
    }
}

/// As whom a task runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// As the user who builds; if that is root, as an ordinary id to whom the
    /// task's directories appear as its own (id-mapped mounts).
    #[default]
    User,
    /// As uid 0 of a user namespace with the ids 0..65535, so that `chown` and
    /// set-id bits work without pseudo. Needs root, or `newuidmap` and a
    /// range in /etc/subuid and /etc/subgid.
    MappedRoot,
}

/// How a pseudo server is brought to write down its database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fakeroot {
    /// Command that stops the server after the task, such as
    /// `["/path/to/pseudo", "-S"]`; runs with `env`.
    pub stop: Vec<String>,
    /// Its environment (`PSEUDO_PREFIX`, `PSEUDO_LOCALSTATEDIR`, ...).
    pub env: BTreeMap<String, String>,
}

/// How much of the isolation is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Tasks are isolated; what is undeclared is out of reach.
    #[default]
    Enforce,
    /// Tasks run unisolated; what `Enforce` would have refused is listed.
    Report,
    /// Tasks run unisolated.
    Off,
}

impl std::str::FromStr for Mode {
    type Err = String;
    fn from_str(text: &str) -> Result<Mode, String> {
        match text.trim() {
            "enforce" => Ok(Mode::Enforce),
            "report" => Ok(Mode::Report),
            "off" => Ok(Mode::Off),
            _ => Err("expected `enforce`, `report` or `off`".to_owned()),
        }
    }
}

/// What a task may do with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// It does not exist for the task.
    Hidden,
    /// It can be read and executed.
    Read,
    /// It can be changed.
    Write,
}

impl TaskSpec {
    /// What the lists of this spec say of `path` (absolute, without `.` and
    /// `..`): the longest listed prefix decides. `None` where no list names it.
    pub fn declared(&self, path: &Path) -> Option<Access> {
        let lists = [
            (&self.writable, Access::Write),
            (&self.read_only, Access::Read),
            (&self.hidden, Access::Hidden),
        ];
        let mut best: Option<(usize, Access)> = None;
        for (list, access) in lists {
            for entry in list.iter().filter(|entry| path.starts_with(entry)) {
                let depth = entry.components().count();
                // Of two equal entries the stricter one holds.
                if best.is_none_or(|(d, a)| depth > d || (depth == d && access < a)) {
                    best = Some((depth, access));
                }
            }
        }
        best.map(|(_, access)| access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_listed_prefix_decides() {
        let spec = TaskSpec {
            writable: vec!["/w".into()],
            read_only: vec!["/w/sysroot".into(), "/layer".into()],
            hidden: vec!["/layer/.git".into()],
            ..TaskSpec::default()
        };
        for (path, want) in [
            ("/w/a", Some(Access::Write)),
            ("/w/sysroot/usr", Some(Access::Read)),
            ("/layer/conf", Some(Access::Read)),
            ("/layer/.git/config", Some(Access::Hidden)),
            ("/layers", None),
        ] {
            assert_eq!(spec.declared(Path::new(path)), want, "{path}");
        }
    }
}
