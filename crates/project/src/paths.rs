//! Paths as Python computes them: links followed as far as files exist, and
//! relative paths by text alone.

use std::path::{Component, Path, PathBuf};

/// `path` without `.` and `..`, by its text alone (`os.path.normpath`).
pub fn normalise(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    out
}

/// `path` with every link followed; what does not exist yet is kept by its
/// text (`Path.resolve`).
pub fn resolve(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut existing = path.to_owned();
    loop {
        if let Ok(real) = existing.canonicalize() {
            missing.reverse();
            return normalise(&missing.iter().fold(real, |path, part| path.join(part)));
        }
        let last = existing.components().next_back().map(|c| c.as_os_str().to_owned());
        match (last, existing.parent()) {
            (Some(last), Some(parent)) => {
                missing.push(last);
                existing = parent.to_owned();
            }
            _ => return normalise(path),
        }
    }
}

/// The text that leads from the folder `base` to `path`; both absolute
/// (`os.path.relpath`).
pub fn relative(path: &Path, base: &Path) -> PathBuf {
    let (path, base) = (normalise(path), normalise(base));
    let shared = path.components().zip(base.components()).take_while(|(a, b)| a == b).count();
    let up = base.components().skip(shared).map(|_| Component::ParentDir);
    let out: PathBuf = up.chain(path.components().skip(shared)).collect();
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_those_of_python() {
        let relative =
            |path: &str, base: &str| relative(Path::new(path), Path::new(base)).display().to_string();
        assert_eq!(relative("/w/oe/meta", "/w/build"), "../oe/meta");
        assert_eq!(relative("/w/oe/./.", "/w/build"), "../oe");
        assert_eq!(relative("/w/build", "/w/build"), ".");
        assert_eq!(relative("/x", "/w/build"), "../../x");
    }

    #[test]
    fn missing_parts_are_kept_behind_followed_links() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("root")).unwrap();
        assert_eq!(resolve(&dir.path().join("root/none/x")), Path::new("/none/x"));
        assert_eq!(resolve(&dir.path().join("a/../b")), real.join("b"));
    }
}
