//! Report mode: a task runs unisolated, and the system calls by which it opens,
//! changes and reaches things are shown to the process that waits for it,
//! which notes those that the sandbox would have refused and lets all go on.
//!
//! Seen are opening, changing and executing files, connecting, and the refused
//! system calls; not seen are mere looks at a file's attributes.

use super::filter::Filter;
use super::sys;
use super::syscalls::{Refused, When, refused};
use crate::outcome::{Refusal, RefusalKind};
use crate::plan::{Node, Plan};
use crate::spec::{Access, Network, TaskSpec};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// What a system call does with a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Depends on the open flags in the argument of this index.
    Open(usize),
    /// As before, with the flags in memory (`struct open_how`).
    OpenHow(usize),
    Change,
    /// Changes nothing where there is something already.
    Make,
    Execute,
}

/// The C library looks there in any program, and does without.
const LOOKED_FOR: [&str; 2] = ["/etc/locale.alias", "/sys/devices/system/cpu/online"];

/// A call with a path: name, number, index of the directory descriptor if it
/// has one, index of the path, use.
type PathCall = (&'static str, i64, Option<usize>, usize, Use);

#[rustfmt::skip]
const PATH_CALLS: &[PathCall] = &[
    ("openat", libc::SYS_openat, Some(0), 1, Use::Open(2)),
    ("openat2", libc::SYS_openat2, Some(0), 1, Use::OpenHow(2)),
    ("execve", libc::SYS_execve, None, 0, Use::Execute),
    ("execveat", libc::SYS_execveat, Some(0), 1, Use::Execute),
    ("mkdirat", libc::SYS_mkdirat, Some(0), 1, Use::Make),
    ("mknodat", libc::SYS_mknodat, Some(0), 1, Use::Make),
    ("unlinkat", libc::SYS_unlinkat, Some(0), 1, Use::Change),
    ("renameat2", libc::SYS_renameat2, Some(0), 1, Use::Change),
    ("renameat2", libc::SYS_renameat2, Some(2), 3, Use::Change),
    ("linkat", libc::SYS_linkat, Some(2), 3, Use::Make),
    ("symlinkat", libc::SYS_symlinkat, Some(1), 2, Use::Make),
    ("fchmodat", libc::SYS_fchmodat, Some(0), 1, Use::Change),
    ("fchownat", libc::SYS_fchownat, Some(0), 1, Use::Change),
    ("utimensat", libc::SYS_utimensat, Some(0), 1, Use::Change),
    ("truncate", libc::SYS_truncate, None, 0, Use::Change),
];

#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLD_PATH_CALLS: &[PathCall] = &[
    ("open", libc::SYS_open, None, 0, Use::Open(1)),
    ("creat", libc::SYS_creat, None, 0, Use::Change),
    ("mkdir", libc::SYS_mkdir, None, 0, Use::Make),
    ("mknod", libc::SYS_mknod, None, 0, Use::Make),
    ("rmdir", libc::SYS_rmdir, None, 0, Use::Change),
    ("unlink", libc::SYS_unlink, None, 0, Use::Change),
    ("rename", libc::SYS_rename, None, 0, Use::Change),
    ("rename", libc::SYS_rename, None, 1, Use::Change),
    ("renameat", libc::SYS_renameat, Some(0), 1, Use::Change),
    ("renameat", libc::SYS_renameat, Some(2), 3, Use::Change),
    ("link", libc::SYS_link, None, 1, Use::Make),
    ("symlink", libc::SYS_symlink, None, 1, Use::Make),
    ("chmod", libc::SYS_chmod, None, 0, Use::Change),
    ("chown", libc::SYS_chown, None, 0, Use::Change),
    ("lchown", libc::SYS_lchown, None, 0, Use::Change),
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_PATH_CALLS: &[PathCall] = &[];

fn path_calls() -> impl Iterator<Item = &'static PathCall> {
    PATH_CALLS.iter().chain(OLD_PATH_CALLS)
}

/// The filter that shows the calls of interest.
pub(crate) fn filter(allowed: &[String]) -> Filter {
    let mut calls: Vec<Refused> = refused()
        .filter(|call| !call.absent && !allowed.iter().any(|name| name == call.name))
        .copied()
        .collect();
    let mut seen = BTreeSet::new();
    let connect = ("connect", libc::SYS_connect);
    for (name, number) in path_calls().map(|call| (call.0, call.1)).chain([connect]) {
        if seen.insert(number) {
            let reason = "shown, not refused";
            calls.push(Refused { name, number, when: When::Always, absent: false, reason });
        }
    }
    Filter::shown(calls)
}

/// Watches one task.
pub(super) struct Observer<'a> {
    spec: &'a TaskSpec,
    plan: &'a Plan,
    listener: OwnedFd,
    /// What the task has made in directories that would be private.
    own: BTreeSet<PathBuf>,
    pub refusals: BTreeSet<Refusal>,
}

impl<'a> Observer<'a> {
    pub(super) fn new(spec: &'a TaskSpec, plan: &'a Plan, listener: OwnedFd) -> Observer<'a> {
        Observer { spec, plan, listener, own: BTreeSet::new(), refusals: BTreeSet::new() }
    }

    pub(super) fn listener(&self) -> &OwnedFd {
        &self.listener
    }

    /// Handles one call that waits. Call it when the listener is readable.
    pub(super) fn look(&mut self) {
        let Some(call) = sys::receive_call(&self.listener) else { return };
        self.judge(&call);
        sys::let_go_on(&self.listener, &call);
    }

    fn judge(&mut self, call: &sys::ShownCall) {
        let mut known = false;
        for &(_, number, dir, path, usage) in path_calls().filter(|entry| entry.1 == call.number) {
            debug_assert_eq!(number, call.number);
            known = true;
            if let Some(refusal) = self.judge_path(call, dir, path, usage) {
                self.refusals.insert(refusal);
            }
        }
        if call.number == libc::SYS_connect {
            self.refusals.extend(self.judge_address(call));
        } else if !known {
            let name = refused().find(|entry| entry.number == call.number).map_or("", |entry| entry.name);
            self.refusals.insert(Refusal { kind: RefusalKind::Syscall, what: name.into() });
        }
    }

    fn judge_path(
        &mut self,
        call: &sys::ShownCall,
        dir: Option<usize>,
        path: usize,
        usage: Use,
    ) -> Option<Refusal> {
        let text = call.string(path)?;
        let base = match dir.map(|index| call.arguments[index] as i32) {
            _ if text.is_absolute() => PathBuf::from("/"),
            None | Some(libc::AT_FDCWD) => std::fs::read_link(format!("/proc/{}/cwd", call.pid)).ok()?,
            Some(fd) => std::fs::read_link(format!("/proc/{}/fd/{fd}", call.pid)).ok()?,
        };
        let full = settle(&base.join(text), call.pid)?;
        let change = match usage {
            Use::Change | Use::Make => true,
            Use::Execute => false,
            Use::Open(index) => writes(call.arguments[index]),
            Use::OpenHow(index) => writes(call.number_at(index)?),
        };
        let kind = match usage {
            _ if change => RefusalKind::Write,
            Use::Execute => RefusalKind::Execute,
            _ => RefusalKind::Read,
        };
        let granted = match self.private_entry(&full) {
            Some(entry) if self.own.contains(&entry) => Access::Write,
            // The host's /tmp has it, the sandbox's would not.
            Some(entry) if entry.exists() => Access::Hidden,
            Some(entry) => {
                self.own.extend(change.then_some(entry));
                Access::Write
            }
            None => access(self.plan, &full),
        };
        // What is not there is not there in the sandbox either.
        let is_idle = match usage {
            Use::Make => full.symlink_metadata().is_ok(),
            _ if change => false,
            _ => !full.exists() || LOOKED_FOR.iter().any(|path| full == Path::new(path)),
        };
        if is_idle {
            return None;
        }
        let needed = if change { Access::Write } else { Access::Read };
        (granted < needed).then_some(Refusal { kind, what: full })
    }

    /// The entry of a private directory, such as /tmp, that a path is in.
    fn private_entry(&self, path: &Path) -> Option<PathBuf> {
        let (dir, node) = path.ancestors().find_map(|dir| Some((dir, self.plan.nodes.get(dir)?)))?;
        let entry = path.strip_prefix(dir).ok()?.components().next()?;
        // On the way to something that is mounted there.
        let leads_on = self.plan.nodes.keys().any(|node| node != path && node.starts_with(path));
        (matches!(node, Node::Tmpfs { .. }) && !leads_on).then(|| dir.join(entry))
    }

    fn judge_address(&self, call: &sys::ShownCall) -> Option<Refusal> {
        let bytes = call.bytes(1, (call.arguments[2] as usize).min(128))?;
        let family = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
        let port = || Some(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
        let inet = match i32::from(family) {
            libc::AF_INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?)),
            libc::AF_INET6 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?)),
            libc::AF_UNIX => {
                let name = bytes.get(2..)?;
                let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
                let path = PathBuf::from(std::str::from_utf8(&name[..end]).ok()?);
                let path = path.is_absolute().then_some(path).filter(|path| path.exists())?;
                let refusal = Refusal { kind: RefusalKind::Network, what: path };
                return (access(self.plan, &refusal.what) < Access::Read).then_some(refusal);
            }
            _ => return None,
        };
        let held = match self.spec.network {
            Network::None => true,
            Network::Loopback => !inet.is_loopback(),
            Network::Host | Network::HostListen => false,
        };
        let port = port()?;
        held.then(|| Refusal { kind: RefusalKind::Network, what: format!("{inet} port {port}").into() })
    }
}

/// Whether open flags ask for more than reading.
fn writes(flags: u64) -> bool {
    const WRITING: i32 = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
    flags & WRITING as u64 != 0
}

/// What the sandbox would grant of a path without links.
fn access(plan: &Plan, path: &Path) -> Access {
    match path.ancestors().find_map(|dir| plan.nodes.get(dir)) {
        Some(Node::Bind { access, .. }) => *access,
        Some(Node::Empty { .. }) => Access::Hidden,
        Some(Node::Tmpfs { .. } | Node::Proc | Node::Pts) => Access::Write,
        Some(Node::File(_) | Node::Link(_)) => Access::Read,
        // A directory on the way to something that is there.
        None if plan.nodes.keys().any(|node| node.starts_with(path)) => Access::Read,
        None => Access::Hidden,
    }
}

/// The path with links resolved as far as it exists, seen by process `pid`.
fn settle(path: &Path, pid: i32) -> Option<PathBuf> {
    let own = path.strip_prefix("/proc/self").or_else(|_| path.strip_prefix("/proc/thread-self")).ok();
    let path = own.map_or(path.to_owned(), |rest| Path::new("/proc").join(pid.to_string()).join(rest));
    if path.starts_with("/proc") {
        return Some(path);
    }
    if let Ok(real) = path.canonicalize() {
        return Some(real);
    }
    let name = path.components().next_back().filter(|part| matches!(part, Component::Normal(_)))?;
    Some(path.parent()?.canonicalize().ok()?.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HostView;
    use crate::plan::Ids;

    #[test]
    fn the_plan_tells_what_would_have_been_refused() {
        let top = std::env::temp_dir().join(format!("bitzel-observe-{}", std::process::id()));
        for dir in ["work", "layer/.git", "home"] {
            std::fs::create_dir_all(top.join(dir)).unwrap();
        }
        let top = top.canonicalize().unwrap();
        let spec = TaskSpec {
            writable: vec![top.join("work")],
            read_only: vec![top.join("layer")],
            hidden: vec![top.join("layer/.git")],
            ..TaskSpec::default()
        };
        let plan = Plan::new(&spec, &HostView::probe(), Ids { uid: 1, gid: 1 }).unwrap();
        for (path, want) in [
            (top.join("work/a/b"), Access::Write),
            (top.join("layer/conf"), Access::Read),
            (top.join("layer/.git/config"), Access::Hidden),
            (PathBuf::from("/usr/bin/sh"), Access::Read),
            (PathBuf::from("/etc/shadow"), Access::Hidden),
            (PathBuf::from("/etc/passwd"), Access::Read),
            (PathBuf::from("/dev/null"), Access::Write),
            (PathBuf::from("/dev/kmsg"), Access::Hidden),
        ] {
            assert_eq!(access(&plan, &path), want, "{}", path.display());
        }
        std::fs::remove_dir_all(top).unwrap();
    }
}
