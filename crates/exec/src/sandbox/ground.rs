//! What the sandboxes of many tasks have in common, made once: the shared part
//! of the file tree, in a mount namespace that each task copies, the host name,
//! and networks without anybody in them. Making all that anew would cost each
//! task more than its own part does.

use super::setup::{SetupError, Step};
use super::{beside, mounts, namespaces, sys};
use crate::plan::{Node, Origin, Plan};
use crate::share::{Division, Shared};
use rustix::thread::{LinkNameSpaceType, UnshareFlags};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Grounds that are kept; builds need one or two.
const KEPT: usize = 8;

/// A mount namespace with a shared tree as its root, and a namespace of names.
#[derive(Debug)]
pub(super) struct Ground {
    mounts: OwnedFd,
    names: OwnedFd,
}

/// What a task takes of the common.
pub(super) struct Footing<'a> {
    pub ground: &'a Ground,
    /// The task's own part of the tree.
    pub own: Plan,
    /// A network nobody is in.
    pub network: Option<BorrowedFd<'a>>,
}

/// All that has been made.
#[derive(Debug, Default)]
pub(super) struct Grounds {
    grounds: Vec<(Shared, Files, Ground)>,
    /// The network of tasks without one, of which there is one at a time. They cannot change it and
    /// leave no process in it, so none can tell it from new.
    network: Option<OwnedFd>,
    /// This process has the namespaces it makes sandboxes from.
    settled: bool,
}

impl Grounds {
    /// The ground for a task's tree, and the task's place on it. The process must have CAP_SYS_ADMIN
    /// over its own namespaces.
    pub(super) fn footing(
        &mut self,
        division: Division,
        without_network: bool,
    ) -> Result<Footing<'_>, SetupError> {
        let Division { shared, own } = division;
        let files = files(&shared);
        let index = match self.grounds.iter().position(|(known, then, _)| *known == shared && *then == files)
        {
            Some(index) => index,
            None => {
                if self.grounds.len() == KEPT {
                    self.grounds.remove(0);
                }
                let ground = Ground::make(&shared)?;
                self.grounds.push((shared, files, ground));
                self.grounds.len() - 1
            }
        };
        if without_network && self.network.is_none() {
            let [network] = namespaces::hold(libc::CLONE_NEWNET, || Ok(()), |_| Ok(()), ["net"])?;
            self.network = Some(network);
        }
        let network = self.network.as_ref().filter(|_| without_network).map(AsFd::as_fd);
        Ok(Footing { ground: &self.grounds[index].2, own, network })
    }

    /// Whether [`Grounds::settle`] has happened.
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// Moves this process, an ordinary user's, to user and mount namespaces in which it stays who
    /// it is and sees what it saw, and may make sandboxes.
    pub(super) fn settle(&mut self, map: impl Fn() -> Result<(), SetupError>) -> Result<(), SetupError> {
        if self.settled {
            return Ok(());
        }
        let settle = || {
            sys::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS).step("make namespaces (user)")?;
            map()
        };
        // There is no way back, and some hosts let a namespace be made but not used: another process
        // tries it first.
        let mut tried = Ok(());
        let pid = beside::run(0, || tried = settle()).step("start a process")?;
        sys::wait(pid, 0).step("wait for namespaces")?;
        tried.and_then(|()| settle())?;
        self.settled = true;
        Ok(())
    }
}

/// Device and inode of the host's single files in a tree.
type Files = Vec<Option<(u64, u64)>>;

/// What the names of a tree's files stand for now: the host replaces some of them while a build runs,
/// as resolv.conf when it moves to another network.
fn files(shared: &Shared) -> Files {
    let real = |node: &Node| match node {
        Node::Bind { real, is_dir: false, from: Origin::System, .. } => {
            Some(real.metadata().ok().map(|meta| (meta.dev(), meta.ino())))
        }
        _ => None,
    };
    shared.plan.nodes.values().filter_map(real).collect()
}

impl Ground {
    fn make(shared: &Shared) -> Result<Ground, SetupError> {
        let new = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWUTS;
        let [mounts, names] = namespaces::hold(new, || build(shared), |_| Ok(()), ["mnt", "uts"])?;
        Ok(Ground { mounts, names })
    }

    /// Moves this process onto a copy of the tree, and to the host's name.
    pub(super) fn enter(&self) -> Result<(), SetupError> {
        namespaces::enter(self.names.as_fd(), LinkNameSpaceType::HostNameAndNISDomainName)?;
        namespaces::enter(self.mounts.as_fd(), LinkNameSpaceType::Mount)?;
        sys::unshare(UnshareFlags::NEWNS).step("make namespaces (mount)")
    }
}

impl Footing<'_> {
    /// Builds a task's tree, of which `sources` were opened before.
    pub(super) fn enter(&self, owner: Option<BorrowedFd<'_>>) -> Result<(), SetupError> {
        if let Some(network) = self.network {
            namespaces::enter(network, LinkNameSpaceType::Network)?;
        }
        let sources = mounts::open_sources(&self.own, owner)?;
        self.ground.enter()?;
        mounts::add(&self.own, sources)
    }
}

/// Runs in the process whose namespaces become the ground.
fn build(shared: &Shared) -> Result<(), SetupError> {
    rustix::system::sethostname(b"localhost").step("set the host name")?;
    let mut plan = shared.plan.clone();
    // A user may mount a /proc only where there is one to be seen; this one shows no process.
    plan.nodes.insert(PathBuf::from("/proc"), Node::Proc);
    mounts::enter(&plan, &shared.points, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Access;

    #[test]
    fn a_file_that_was_replaced_is_another_one() {
        let dir = std::env::temp_dir().join(format!("bitzel-ground-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("resolv.conf");
        std::fs::write(&file, "here").unwrap();
        let (access, from) = (Access::Read, Origin::System);
        let node = Node::Bind { real: file.clone(), access, is_dir: false, from };
        let mut shared = Shared::default();
        shared.plan.nodes.insert("/etc/resolv.conf".into(), node);
        let before = files(&shared);
        std::fs::write(&file, "changed").unwrap();
        assert_eq!(files(&shared), before, "what is written to it shows in its mounts");
        std::fs::write(dir.join("new"), "there").unwrap();
        std::fs::rename(dir.join("new"), &file).unwrap();
        assert_ne!(files(&shared), before);
        std::fs::remove_dir_all(dir).unwrap();
        assert_eq!(files(&shared), [None]);
    }

    #[test]
    fn a_process_whose_ids_cannot_be_mapped_stays_where_it_is() {
        let namespaces =
            || ["user", "mnt"].map(|kind| std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap());
        let before = namespaces();
        let mut grounds = Grounds::default();
        let refused = SetupError { step: "write the id maps".to_owned(), errno: libc::EPERM };
        assert!(grounds.settle(|| Err(refused.clone())).is_err());
        assert_eq!((namespaces(), grounds.is_settled()), (before, false));
    }
}
