//! The file tree of a task, worked out from its [`TaskSpec`] before anything
//! is mounted. Read by the mounter, by Landlock and by the OCI export.

use crate::Error;
use crate::limits::Resource;
use crate::spec::{Access, Identity, TaskSpec};
use crate::view::{HostView, Resolved, resolve};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Bytes of /tmp where no limit says otherwise.
const TMP_SIZE: u64 = 16 << 30;
/// Files in it.
const TMP_FILES: u64 = 1 << 20;
/// Devices every task has; harmless, and present on any Linux.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
/// Links in /dev that programs expect.
const DEVICE_LINKS: [(&str, &str); 4] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];

/// Something in the task's file tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A file or directory of the host.
    Bind { real: PathBuf, access: Access, is_dir: bool, from: Origin },
    /// An empty, read-only directory or file in its place.
    Empty { is_dir: bool },
    /// A symbolic link.
    Link(PathBuf),
    /// A made-up file.
    File(String),
    /// A tmpfs the task can write to.
    Tmpfs { mode: u32, size: u64, files: u64 },
    /// The processes of the sandbox.
    Proc,
    /// Pseudo terminals of its own.
    Pts,
}

/// Whose a bound path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Part of the host: owners are shown as they are.
    System,
    /// Named by the task: appears as the task's own where ids are mapped.
    Task,
    /// A device node.
    Device,
}

/// The file tree of one task: paths to nodes, parents before children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub nodes: BTreeMap<PathBuf, Node>,
}

/// The ids a task sees itself as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub uid: u32,
    pub gid: u32,
}

impl Plan {
    /// Works out the tree. Looks at the host's paths, opens nothing.
    ///
    /// # Errors
    /// [`Error::Spec`] for paths that are relative, missing, or led astray by
    /// a symbolic link in a directory that tasks write to.
    pub(crate) fn new(spec: &TaskSpec, host: &HostView, ids: Ids) -> Result<Plan, Error> {
        Plan::base(spec, host, ids).with_declared(spec)
    }

    /// What a task declares added to its [`Plan::base`].
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub(crate) fn with_declared(mut self, spec: &TaskSpec) -> Result<Plan, Error> {
        self.add_declared(spec)?;
        self.drop_covered();
        Ok(self)
    }

    /// The tree of a task that declares nothing.
    pub(crate) fn base(spec: &TaskSpec, host: &HostView, ids: Ids) -> Plan {
        let mut plan = Plan::default();
        plan.add_frame(spec, ids);
        plan.add_host(&host.system);
        if spec.network.is_host() {
            plan.add_host(&host.network);
        }
        plan
    }

    fn put(&mut self, path: impl Into<PathBuf>, node: Node) {
        self.nodes.insert(path.into(), node);
    }

    /// /proc, /dev, /tmp and the made-up part of /etc.
    fn add_frame(&mut self, spec: &TaskSpec, ids: Ids) {
        let size = spec.limits.get(Resource::Tmp).unwrap_or(TMP_SIZE);
        let tmpfs = Node::Tmpfs { mode: 0o1777, size, files: TMP_FILES };
        self.put("/proc", Node::Proc);
        self.put("/tmp", tmpfs);
        // One file system for all that is private and short-lived: each costs every task time.
        self.put("/dev/shm", Node::Link("../tmp".into()));
        self.put("/var/tmp", Node::Link("../tmp".into()));
        self.put("/etc/mtab", Node::Link("../proc/self/mounts".into()));
        for name in DEVICES.iter().chain(spec.interactive.then_some(&"tty")) {
            let real = Path::new("/dev").join(name);
            let access = Access::Write;
            self.put(real.clone(), Node::Bind { real, access, is_dir: false, from: Origin::Device });
        }
        for (link, target) in DEVICE_LINKS {
            self.put(link, Node::Link(target.into()));
        }
        if spec.interactive {
            self.put("/dev/pts", Node::Pts);
            self.put("/dev/ptmx", Node::Link("pts/ptmx".into()));
        }
        let Ids { uid, gid } = ids;
        let (mut users, mut groups) =
            ("root:x:0:0:root:/:/bin/sh\n".to_owned(), "root:x:0:\ntty:x:5:\n".to_owned());
        if spec.identity == Identity::User && uid != 0 {
            users += &format!("builder:x:{uid}:{gid}:builder:/:/bin/sh\n");
            groups += &format!("builder:x:{gid}:\n");
        }
        self.put("/etc/passwd", Node::File(users + "nobody:x:65534:65534:nobody:/:/bin/false\n"));
        self.put("/etc/group", Node::File(groups + "nogroup:x:65534:\n"));
        self.put("/etc/hosts", Node::File("127.0.0.1 localhost\n::1 localhost\n".to_owned()));
        let switch = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n";
        self.put("/etc/nsswitch.conf", Node::File(switch.to_owned()));
    }

    fn add_host(&mut self, found: &BTreeMap<PathBuf, Resolved>) {
        for resolved in found.values() {
            self.add_resolved(resolved, Access::Read, Origin::System);
        }
    }

    fn add_resolved(&mut self, resolved: &Resolved, access: Access, from: Origin) {
        for (link, target) in &resolved.links {
            self.nodes.entry(link.clone()).or_insert_with(|| Node::Link(target.clone()));
        }
        let Resolved { real, is_dir, .. } = resolved;
        self.put(real.clone(), Node::Bind { real: real.clone(), access, is_dir: *is_dir, from });
    }

    fn add_declared(&mut self, spec: &TaskSpec) -> Result<(), Error> {
        let fail = |message: String| Error::Spec { task: spec.name.clone(), message };
        let lists = [
            (&spec.writable, Access::Write),
            (&spec.read_only, Access::Read),
            (&spec.hidden, Access::Hidden),
        ];
        let declared: std::collections::BTreeSet<&PathBuf> =
            lists.iter().flat_map(|(list, _)| list.iter()).collect();
        for path in declared {
            if !is_plain(path) {
                let what = "expected an absolute path other than `/`, without `..`";
                return Err(fail(format!("`{}`: {what}", path.display())));
            }
            let access = spec.declared(path).expect("the path is in one of the lists");
            let resolved = match resolve(path) {
                Ok(resolved) => resolved,
                Err(_) if access == Access::Hidden => continue,
                Err(error) => {
                    let help = "create it first, or take it out of the task's lists";
                    return Err(fail(format!("declared path `{}`: {error}; {help}", path.display())));
                }
            };
            self.refuse_planted_link(spec, path, &resolved).map_err(fail)?;
            match access {
                Access::Hidden => self.put(resolved.real, Node::Empty { is_dir: resolved.is_dir }),
                _ => self.add_resolved(&resolved, access, Origin::Task),
            }
        }
        Ok(())
    }

    /// A task may replace a directory in its work tree by a symbolic link to a
    /// place it must not see; if a later task declares the directory, the link
    /// would open that place. So links below writable directories do not count.
    fn refuse_planted_link(&self, spec: &TaskSpec, path: &Path, resolved: &Resolved) -> Result<(), String> {
        let planted = resolved.links.iter().find(|(link, _)| {
            spec.writable.iter().any(|dir| link.starts_with(dir) && link != dir)
                || self.nodes.iter().any(|(dir, node)| {
                    link.starts_with(dir) && matches!(node, Node::Bind { access: Access::Write, .. })
                })
        });
        match planted {
            None => Ok(()),
            Some((link, target)) => Err(format!(
                "declared path `{}` leads through the symbolic link `{}` -> `{}` in a directory that tasks write to; \
                 remove the link, or declare its target",
                path.display(),
                link.display(),
                target.display()
            )),
        }
    }

    /// Takes out what an enclosing node already provides.
    fn drop_covered(&mut self) {
        let mut way = Way::default();
        for (path, node) in std::mem::take(&mut self.nodes) {
            let above = way.nearest(&path).and_then(|dir| self.nodes.get(dir));
            let covered = match (above, &node) {
                (Some(Node::Bind { .. }), Node::Link(_) | Node::File(_)) => true,
                (Some(Node::Bind { access: a, from: f, .. }), Node::Bind { access, from, .. }) => {
                    a == access && f == from
                }
                // What nothing shows needs no hiding.
                (above, Node::Empty { .. }) => !matches!(above, Some(Node::Bind { .. })),
                (Some(Node::Empty { .. }), Node::Link(_)) => true,
                _ => false,
            };
            if !covered {
                way.keep(&path);
                self.put(path, node);
            }
        }
    }

    /// Paths of the host that appear as the task's own, in order.
    pub(crate) fn task_paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.nodes.values().filter_map(|node| match node {
            Node::Bind { real, from: Origin::Task, .. } => Some(real),
            _ => None,
        })
    }

    /// Paths the task can change, in order.
    pub(crate) fn writable(&self) -> impl Iterator<Item = (&PathBuf, &Node)> {
        self.nodes.iter().filter(|(_, node)| {
            matches!(
                node,
                Node::Bind { access: Access::Write, .. } | Node::Tmpfs { .. } | Node::Proc | Node::Pts
            )
        })
    }
}

/// The way from the root down to where a walk through paths, parents first, has come: what of it
/// has been kept.
#[derive(Debug, Default)]
pub(crate) struct Way(Vec<PathBuf>);

impl Way {
    /// The nearest directory above `path` that was kept.
    pub(crate) fn nearest(&mut self, path: &Path) -> Option<&Path> {
        while self.0.last().is_some_and(|dir| !path.starts_with(dir)) {
            self.0.pop();
        }
        self.0.last().map(PathBuf::as_path)
    }

    /// Keeps the path the walk has come to.
    pub(crate) fn keep(&mut self, path: &Path) {
        self.0.push(path.to_owned());
    }
}

fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    parts.next() == Some(Component::RootDir)
        && path != Path::new("/")
        && parts.all(|part| matches!(part, Component::Normal(_)))
}
