//! Which part of a task's file tree is the same for many tasks, so that it can
//! be made once. Works on plans, touches nothing.

use crate::plan::{Node, Plan, Way};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A plan taken apart: together the two give the same tree as the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Division {
    pub shared: Shared,
    /// What each task gets anew, parents before children.
    pub own: Plan,
}

/// What many tasks have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    pub plan: Plan,
    /// Empty places where tasks mount what is theirs; whether they are directories.
    pub points: BTreeMap<PathBuf, bool>,
}

impl Plan {
    /// Takes the plan apart; `base` is that of a task which declares nothing.
    pub(crate) fn divide(self, base: &Plan) -> Division {
        let (mut shared, mut own) = (Shared::default(), Plan::default());
        let mut below_own = Way::default();
        for (path, node) in self.nodes {
            let same = matches!(node, Node::Bind { .. } | Node::Link(_) | Node::File(_))
                && base.nodes.get(&path) == Some(&node);
            if same && below_own.nearest(&path).is_none() {
                shared.plan.nodes.insert(path, node);
            } else {
                below_own.keep(&path);
                own.nodes.insert(path, node);
            }
        }
        let tops: BTreeSet<PathBuf> = shared.plan.nodes.keys().map(|path| top_of(path)).collect();
        let mut framed = Plan::default();
        let mut above = Way::default();
        for (path, node) in own.nodes {
            if above.nearest(&path).is_none() && !shared.plan.is_bound(&path) {
                let top = top_of(&path);
                if path != top && !tops.contains(&top) {
                    // A file system of the task's own: names in it are no other task's to see.
                    shared.points.insert(top.clone(), true);
                    above.keep(&top);
                    framed.nodes.insert(top, Node::Empty { is_dir: true });
                } else if let Some(is_dir) = node.mount_point() {
                    shared.points.insert(path.clone(), is_dir);
                } else {
                    shared.plan.nodes.insert(path, node);
                    continue;
                }
            }
            above.keep(&path);
            framed.nodes.insert(path, node);
        }
        Division { shared, own: framed }
    }

    /// Whether a directory above the path is the host's.
    fn is_bound(&self, path: &Path) -> bool {
        path.ancestors().skip(1).any(|dir| matches!(self.nodes.get(dir), Some(Node::Bind { .. })))
    }
}

impl Node {
    /// Whether the node is mounted on a directory; `None` if it is not mounted at all.
    fn mount_point(&self) -> Option<bool> {
        match self {
            Node::Bind { is_dir, .. } | Node::Empty { is_dir } => Some(*is_dir),
            Node::Tmpfs { .. } | Node::Proc | Node::Pts => Some(true),
            Node::Link(_) | Node::File(_) => None,
        }
    }
}

/// The first component of an absolute path.
fn top_of(path: &Path) -> PathBuf {
    path.components().take(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Origin;
    use crate::spec::Access;

    fn bind(path: &str, from: Origin) -> (PathBuf, Node) {
        let access = if from == Origin::Task { Access::Write } else { Access::Read };
        (path.into(), Node::Bind { real: path.into(), access, is_dir: true, from })
    }

    fn plan(nodes: impl IntoIterator<Item = (PathBuf, Node)>) -> Plan {
        Plan { nodes: nodes.into_iter().collect() }
    }

    fn base() -> Plan {
        let tmp = Node::Tmpfs { mode: 0o1777, size: 1, files: 1 };
        plan([
            ("/bin".into(), Node::Link("usr/bin".into())),
            ("/etc/passwd".into(), Node::File("root".into())),
            ("/proc".into(), Node::Proc),
            ("/tmp".into(), tmp),
            bind("/etc/ssl", Origin::System),
            bind("/usr", Origin::System),
        ])
    }

    fn with(more: impl IntoIterator<Item = (PathBuf, Node)>) -> Plan {
        plan(base().nodes.into_iter().chain(more))
    }

    fn names<'a>(nodes: impl IntoIterator<Item = &'a PathBuf>) -> Vec<&'a str> {
        nodes.into_iter().map(|path| path.to_str().unwrap()).collect()
    }

    #[test]
    fn what_is_the_same_for_all_is_shared_and_the_rest_has_a_place() {
        let work = with([bind("/home/me/work", Origin::Task), bind("/tmp/cache", Origin::Task)]);
        let parts = work.divide(&base());
        assert_eq!(names(parts.shared.plan.nodes.keys()), ["/bin", "/etc/passwd", "/etc/ssl", "/usr"]);
        assert_eq!(names(parts.shared.points.keys()), ["/home", "/proc", "/tmp"]);
        assert_eq!(names(parts.own.nodes.keys()), ["/home", "/home/me/work", "/proc", "/tmp", "/tmp/cache"]);
        assert_eq!(parts.own.nodes[Path::new("/home")], Node::Empty { is_dir: true });
        let other = with([bind("/home/you/work", Origin::Task)]).divide(&base());
        assert_eq!(other.shared, parts.shared, "one place serves all below the same top");
    }

    #[test]
    fn what_a_task_changes_of_the_common_part_is_its_own_with_all_below() {
        let parts = with([bind("/etc", Origin::Task)]).divide(&base());
        assert_eq!(names(parts.shared.plan.nodes.keys()), ["/bin", "/usr"]);
        assert_eq!(names(parts.own.nodes.keys()), ["/etc", "/etc/passwd", "/etc/ssl", "/proc", "/tmp"]);
        let parts = with([bind("/usr", Origin::Task)]).divide(&base());
        assert_eq!(names(parts.shared.plan.nodes.keys()), ["/bin", "/etc/passwd", "/etc/ssl"]);
        assert_eq!(names(parts.shared.points.keys()), ["/proc", "/tmp", "/usr"]);
    }

    #[test]
    fn places_in_common_directories_are_made_there() {
        let link = ("/link".into(), Node::Link("home/me".into()));
        let parts =
            with([bind("/etc/own", Origin::Task), bind("/usr/lib", Origin::Task), link]).divide(&base());
        assert_eq!(
            names(parts.shared.plan.nodes.keys()),
            ["/bin", "/etc/passwd", "/etc/ssl", "/link", "/usr"]
        );
        assert_eq!(names(parts.shared.points.keys()), ["/etc/own", "/proc", "/tmp"]);
        assert_eq!(names(parts.own.nodes.keys()), ["/etc/own", "/proc", "/tmp", "/usr/lib"]);
    }
}
