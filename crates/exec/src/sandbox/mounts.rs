//! Builds a task's file tree in a new mount namespace and makes it the root.

use super::setup::{SetupError, Step};
use super::sys;
use crate::plan::{Node, Origin, Plan};
use crate::spec::Access;
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat, symlinkat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount_change,
    move_mount, open_tree, unmount,
};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Any directory that is sure to exist: the new tree is put together on it.
/// What it hides has been opened before.
const STAGE: &str = "/usr";
/// The frame holds mount points and small files only.
const FRAME_SIZE: u64 = 16 << 20;

const RDONLY: u64 = libc::MOUNT_ATTR_RDONLY;
const NOSUID: u64 = libc::MOUNT_ATTR_NOSUID;
const NODEV: u64 = libc::MOUNT_ATTR_NODEV;

/// Makes `plan` the root of this process. The process is alone in a new mount
/// namespace and has CAP_SYS_ADMIN over it. `points` are empty places to mount
/// on later, and whether they are directories. With `owner`, paths of the task
/// appear under the ids of that user namespace.
pub(super) fn enter(
    plan: &Plan,
    points: &BTreeMap<PathBuf, bool>,
    owner: Option<BorrowedFd<'_>>,
) -> Result<(), SetupError> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).step("detach the mounts from the host's")?;
    let sources = open_sources(plan, owner)?;
    let frame = attach_new("tmpfs", &tmpfs_options(0o755, FRAME_SIZE, 1 << 14), Path::new(STAGE))?;
    rustix::process::chdir(STAGE).step("enter the new root")?;
    add(plan, sources)?;
    for (path, is_dir) in points {
        make_mount_point(relative(path), *is_dir)
            .step("make the place for")
            .map_err(|error| error.at(path))?;
    }
    make_read_only(&frame)?;
    rustix::process::pivot_root(".", ".").step("pivot_root")?;
    unmount(".", UnmountFlags::DETACH).step("detach the host's root")?;
    rustix::process::chdir("/").step("enter the new root")
}

/// Puts a plan's nodes into the tree below the working directory. `sources`
/// are what [`open_sources`] gave for it.
pub(super) fn add(plan: &Plan, sources: Vec<OwnedFd>) -> Result<(), SetupError> {
    // Mount points take exactly the modes given.
    rustix::process::umask(Mode::empty());
    let (mut frames, mut sources) = (Vec::new(), sources.into_iter());
    for (path, node) in &plan.nodes {
        place(relative(path), node, &mut sources, &mut frames).map_err(|error| error.at(path))?;
    }
    frames.iter().try_for_each(make_read_only)
}

fn make_read_only(frame: &OwnedFd) -> Result<(), SetupError> {
    sys::set_mount_attributes(frame.as_fd(), RDONLY, false).step("make the frame read-only")
}

/// Opens all bound paths, in the plan's order, as mounts of their own, which
/// do not follow what the host mounts from then on.
pub(super) fn open_sources(plan: &Plan, owner: Option<BorrowedFd<'_>>) -> Result<Vec<OwnedFd>, SetupError> {
    let mut sources = Vec::with_capacity(plan.nodes.len());
    for node in plan.nodes.values() {
        let (real, access, from) = match node {
            Node::Bind { real, access, from, .. } => (real.as_path(), *access, *from),
            // A device that must not be opened on this mount (nodev): the name is there, and nothing behind it.
            Node::Empty { is_dir: false } => (Path::new("/dev/null"), Access::Hidden, Origin::System),
            _ => continue,
        };
        sources.push(open_source(real, access, from, owner).map_err(|error| error.at(real))?);
    }
    Ok(sources)
}

fn open_source(
    real: &Path,
    access: Access,
    from: Origin,
    owner: Option<BorrowedFd<'_>>,
) -> Result<OwnedFd, SetupError> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let mount = if from != Origin::Task {
        open_tree(CWD, real, flags).step("bind")?
    } else {
        let path = sys::open_without_links(real).step("open")?;
        open_tree(&path, c"", flags | OpenTreeFlags::AT_EMPTY_PATH).step("bind")?
    };
    let set = match (from, access) {
        (Origin::Device, _) => 0,
        (_, Access::Write) => NOSUID | NODEV,
        _ => NOSUID | NODEV | RDONLY,
    };
    sys::set_mount_attributes(mount.as_fd(), set, true).step("set the attributes of")?;
    if let (Origin::Task, Some(namespace)) = (from, owner) {
        sys::map_mount_ids(mount.as_fd(), namespace).step("map the ids of")?;
    }
    Ok(mount)
}

fn place(
    path: &Path,
    node: &Node,
    sources: &mut impl Iterator<Item = OwnedFd>,
    frames: &mut Vec<OwnedFd>,
) -> Result<(), SetupError> {
    match node {
        Node::Bind { .. } | Node::Empty { is_dir: false } => {
            let is_dir = &matches!(node, Node::Bind { is_dir: true, .. });
            let mount = sources.next().expect("one source was opened for every bind");
            make_mount_point(path, *is_dir).step("make the mount point")?;
            attach(&mount, path)
        }
        Node::Empty { is_dir: true } => {
            let mount = attach_new("tmpfs", &tmpfs_options(0o555, FRAME_SIZE, 1 << 10), path)?;
            frames.push(mount);
            Ok(())
        }
        Node::Link(target) => {
            make_parents(path).step("make the directory of")?;
            symlinkat(target, CWD, path).step("link")
        }
        Node::File(text) => {
            make_parents(path).step("make the directory of")?;
            write_new(path, text).step("write")
        }
        Node::Tmpfs { mode, size, files } => {
            make_mount_point(path, true).step("make the mount point")?;
            attach_new("tmpfs", &tmpfs_options(*mode, *size, *files), path).map(drop)
        }
        Node::Proc => {
            make_mount_point(path, true).step("make the mount point")?;
            attach_new("proc", &[], path).map(drop)
        }
        Node::Pts => {
            make_mount_point(path, true).step("make the mount point")?;
            let options =
                [("newinstance", None), ("ptmxmode", Some("0666".into())), ("mode", Some("0620".into()))];
            attach_new("devpts", &options, path).map(drop)
        }
    }
}

type MountOption = (&'static str, Option<String>);

fn tmpfs_options(mode: u32, size: u64, files: u64) -> [MountOption; 3] {
    [
        ("mode", Some(format!("{mode:o}"))),
        ("size", Some(size.to_string())),
        ("nr_inodes", Some(files.to_string())),
    ]
}

/// Mounts a new file system at `path`, which must exist.
fn attach_new(kind: &str, options: &[MountOption], path: &Path) -> Result<OwnedFd, SetupError> {
    let mount = (|| -> io::Result<OwnedFd> {
        let config = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        for (name, value) in options {
            match value {
                Some(value) => fsconfig_set_string(config.as_fd(), *name, value.as_str())?,
                None => fsconfig_set_flag(config.as_fd(), *name)?,
            }
        }
        fsconfig_create(config.as_fd())?;
        let mut attributes = MountAttrFlags::MOUNT_ATTR_NOSUID;
        if kind != "devpts" {
            attributes |= MountAttrFlags::MOUNT_ATTR_NODEV;
        }
        if kind == "proc" {
            attributes |= MountAttrFlags::MOUNT_ATTR_NOEXEC;
        }
        Ok(fsmount(config.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
    })()
    .step(&format!("make a new {kind}"))?;
    attach(&mount, path)?;
    Ok(mount)
}

fn attach(mount: &OwnedFd, path: &Path) -> Result<(), SetupError> {
    move_mount(mount, c"", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).step("mount")
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").expect("plans hold absolute paths only")
}

/// Makes a directory or an empty file to mount on, where it is missing.
fn make_mount_point(path: &Path, is_dir: bool) -> io::Result<()> {
    if is_dir {
        return make_directories(path);
    }
    match openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(_) => Ok(()),
        Err(rustix::io::Errno::NOENT) => {
            make_parents(path)?;
            write_new(path, "")
        }
        Err(error) => Err(error.into()),
    }
}

fn make_parents(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => make_directories(parent),
        _ => Ok(()),
    }
}

fn make_directories(path: &Path) -> io::Result<()> {
    match mkdirat(CWD, path, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(rustix::io::Errno::NOENT) => {
            make_parents(path)?;
            Ok(mkdirat(CWD, path, Mode::from_raw_mode(0o755))?)
        }
        // The enclosing file system is read-only and has the directory, or cannot get it.
        Err(rustix::io::Errno::ROFS) if path.is_dir() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = openat(CWD, path, flags, Mode::from_raw_mode(0o644))?;
    if !text.is_empty() {
        rustix::io::write(&file, text.as_bytes())?;
    }
    Ok(())
}
