//! Which of the host's files every task sees, and how paths with symbolic
//! links in them are taken apart. Looks at the host, changes nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Directories of the host that every task can read: programs and libraries.
const SYSTEM: [&str; 10] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
    "/etc/alternatives",
];

/// What programs need of /etc. The rest of it (users, keys, host names,
/// services' secrets) does not exist; passwd and the like are made up.
const CONFIGURATION: [&str; 9] = [
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/services",
    "/etc/protocols",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls",
    "/etc/pki/ca-trust",
    "/etc/crypto-policies",
];

/// What finds other hosts; only for tasks with the host's network.
const NETWORK: [&str; 3] = ["/etc/resolv.conf", "/etc/hosts", "/etc/gai.conf"];

/// A path of the host with its symbolic links taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The path without symbolic links.
    pub real: PathBuf,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Links met on the way and what they say, in order.
    pub links: Vec<(PathBuf, PathBuf)>,
}

/// Follows the symbolic links of an absolute path.
///
/// # Errors
/// Those of lstat(2) and readlink(2); `InvalidInput` for a relative path,
/// `FilesystemLoop` after 40 links.
pub(crate) fn resolve(path: &Path) -> io::Result<Resolved> {
    if !path.is_absolute() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path is not absolute"));
    }
    let mut todo: Vec<PathBuf> = components(path);
    let (mut real, mut links, mut is_dir) = (PathBuf::from("/"), Vec::new(), true);
    while let Some(part) = todo.pop() {
        if part == Path::new("..") {
            real.pop();
            continue;
        }
        let next = real.join(&part);
        let meta = next.symlink_metadata()?;
        if !meta.is_symlink() {
            is_dir = meta.is_dir();
            real = next;
            continue;
        }
        let target = next.read_link()?;
        if links.len() == 40 {
            return Err(rustix::io::Errno::LOOP.into());
        }
        if target.is_absolute() {
            real = PathBuf::from("/");
        }
        todo.extend(components(&target));
        links.push((next, target));
    }
    Ok(Resolved { real, is_dir, links })
}

/// The named components, last first.
fn components(path: &Path) -> Vec<PathBuf> {
    path.components()
        .rev()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| PathBuf::from(part.as_os_str()))
        .collect()
}

/// The host's files that every task sees read-only, found once and used for
/// all tasks.
#[derive(Clone, Debug, Default)]
pub struct HostView {
    pub(crate) system: BTreeMap<PathBuf, Resolved>,
    pub(crate) network: BTreeMap<PathBuf, Resolved>,
}

impl HostView {
    /// Looks for the system directories and configuration files of this host.
    pub fn probe() -> HostView {
        let existing = |list: &[&str]| -> BTreeMap<PathBuf, Resolved> {
            list.iter()
                .filter_map(|path| Some((PathBuf::from(path), resolve(Path::new(path)).ok()?)))
                .collect()
        };
        let mut system = existing(&SYSTEM);
        system.extend(existing(&CONFIGURATION));
        HostView { system, network: existing(&NETWORK) }
    }

    /// Whether a path (absolute, links resolved) is one of the host's that
    /// every task may read.
    pub fn covers(&self, path: &Path, network: bool) -> bool {
        let more = self.network.iter().filter(|_| network);
        self.system
            .iter()
            .chain(more)
            .any(|(name, found)| path.starts_with(name) || path.starts_with(&found.real))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_in_the_middle_of_a_path_are_followed_and_listed() {
        let top = std::env::temp_dir().join(format!("bitzel-view-{}", std::process::id()));
        std::fs::create_dir_all(top.join("real/inner")).unwrap();
        let top = top.canonicalize().unwrap();
        symlink("real", top.join("link")).unwrap();
        symlink(top.join("link/inner"), top.join("far")).unwrap();
        let found = resolve(&top.join("far")).unwrap();
        assert_eq!(found.real, top.join("real/inner"));
        assert!(found.is_dir);
        assert_eq!(
            found.links,
            [(top.join("far"), top.join("link/inner")), (top.join("link"), "real".into())]
        );
        symlink("loop", top.join("loop")).unwrap();
        assert!(resolve(&top.join("loop")).is_err());
        assert!(resolve(Path::new("relative")).is_err());
        std::fs::remove_dir_all(top).unwrap();
    }
}
