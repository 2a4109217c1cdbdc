//! MD5 checksums of the files a task reads: `[file-checksums]`.

use md5::{Digest, Md5};
use rustc_hash::FxHashMap;
use std::fmt::Write;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file and the MD5 of its content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileChecksum {
    /// Path; below a listed folder as `FOLDER/./REST`.
    pub path: String,
    /// 32 hex digits.
    pub md5: String,
}

impl FileChecksum {
    /// The name the file is signed under: the text after `/./` (with `./`
    /// before it), else the last component.
    pub fn name(&self) -> String {
        match self.path.split("/./").nth(1) {
            Some(rest) => format!("./{rest}"),
            None => self.path.rsplit('/').next().unwrap_or(&self.path).to_owned(),
        }
    }
}

/// A file that could not be read; the task is signed without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to get the checksum of `{path}`: {reason}")]
pub struct ChecksumWarning {
    /// The file.
    pub path: String,
    /// The system's message.
    pub reason: String,
}

/// A `[file-checksums]` text that cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` in [file-checksums] has neither `:True` nor `:False` after the path")]
pub struct InvalidFileFlag(pub String);

/// Version control folders; their content never counts.
const NOT_WALKED: [&str; 8] = [".bzr", ".git", ".hg", ".osc", ".p4", ".repo", ".svn", "CVS"];

/// Computes checksums and remembers them by path as long as time of change,
/// size and inode stay the same.
#[derive(Clone, Debug, Default)]
pub struct FileChecksums {
    known: FxHashMap<String, (Stat, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    mtime: (i64, i64),
    size: u64,
    inode: u64,
    device: u64,
}

impl Stat {
    fn of(meta: &Metadata) -> Stat {
        Stat {
            mtime: (meta.mtime(), meta.mtime_nsec()),
            size: meta.size(),
            inode: meta.ino(),
            device: meta.dev(),
        }
    }
}

/// The `PATH:True` and `PATH:False` entries of a `[file-checksums]` text. Paths
/// may hold blanks; the flag says whether the file was there when the recipe
/// was read.
///
/// # Errors
/// Text without flag.
pub fn entries(text: &str) -> Result<Vec<(&str, bool)>, InvalidFileFlag> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let ends = |flag: &str| {
            rest.match_indices(flag)
                .map(|(at, _)| at)
                .find(|at| rest[at + flag.len()..].chars().next().is_none_or(char::is_whitespace))
        };
        let (at, flag) = match (ends(":True"), ends(":False")) {
            (Some(t), Some(f)) if f < t => (f, false),
            (Some(t), _) => (t, true),
            (None, Some(f)) => (f, false),
            (None, None) => return Err(InvalidFileFlag(rest.to_owned())),
        };
        found.push((&rest[..at], flag));
        let after = at + if flag { ":True".len() } else { ":False".len() };
        rest = rest[after..].trim_start();
    }
    Ok(found)
}

impl FileChecksums {
    /// The files a `[file-checksums]` text stands for, sorted by checksum and
    /// path, and the ones that could not be read. Patterns are expanded, folders
    /// walked; entries that did not exist are left out.
    ///
    /// # Errors
    /// [`InvalidFileFlag`].
    pub fn compute(
        &mut self,
        text: &str,
    ) -> Result<(Vec<FileChecksum>, Vec<ChecksumWarning>), InvalidFileFlag> {
        let mut files = Vec::new();
        let mut warnings = Vec::new();
        for (path, existed) in entries(text)? {
            if !existed {
                continue;
            }
            for path in expand(path) {
                self.add(&path, &mut files, &mut warnings);
            }
        }
        files.sort_by(|a, b| (&a.md5, &a.path).cmp(&(&b.md5, &b.path)));
        Ok((files, warnings))
    }

    fn add(&mut self, path: &str, files: &mut Vec<FileChecksum>, warnings: &mut Vec<ChecksumWarning>) {
        if Path::new(path).is_dir() {
            let base = path.trim_end_matches('/');
            for below in walk(base, "") {
                self.add_file(format!("{base}/./{below}"), files, warnings);
            }
        } else {
            self.add_file(path.to_owned(), files, warnings);
        }
    }

    fn add_file(&mut self, path: String, files: &mut Vec<FileChecksum>, warnings: &mut Vec<ChecksumWarning>) {
        match self.md5(&path) {
            Ok(md5) => files.push(FileChecksum { path, md5 }),
            Err(error) => warnings.push(ChecksumWarning { path, reason: error.to_string() }),
        }
    }

    fn md5(&mut self, path: &str) -> io::Result<String> {
        let stat = Stat::of(&fs::metadata(path)?);
        if let Some((known, md5)) = self.known.get(path)
            && *known == stat
        {
            return Ok(md5.clone());
        }
        let mut file = fs::File::open(path)?;
        let mut hasher = Md5::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                n => hasher.update(&buffer[..n]),
            }
        }
        let md5 = hex(&hasher.finalize());
        self.known.insert(path.to_owned(), (stat, md5.clone()));
        Ok(md5)
    }
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
    }
    text
}

/// Files below a folder, relative, sorted. Links to folders are not followed,
/// links to nothing are passed over.
fn walk(base: &str, below: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(Path::new(base).join(below)) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let relative = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if !NOT_WALKED.contains(&name.as_str()) {
                found.extend(walk(base, &relative));
            }
        } else if entry.path().is_file() {
            found.push(relative);
        }
    }
    found.sort();
    found
}

/// The existing paths a pattern with `*`, `?` or `[` stands for, sorted; other
/// texts stand for themselves.
fn expand(pattern: &str) -> Vec<String> {
    if !pattern.contains(['*', '?', '[']) {
        return vec![pattern.to_owned()];
    }
    let Ok(paths) = glob::glob_with(
        pattern,
        glob::MatchOptions {
            require_literal_leading_dot: true,
            require_literal_separator: true,
            ..Default::default()
        },
    ) else {
        return Vec::new();
    };
    let mut found: Vec<String> =
        paths.flatten().filter_map(|path| path.into_os_string().into_string().ok()).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_may_hold_blanks_and_need_flags() {
        let text = "  /a/b c.txt:True\n /d:False /e:Truely:True ";
        assert_eq!(entries(text).unwrap(), [("/a/b c.txt", true), ("/d", false), ("/e:Truely", true)]);
        assert!(entries("/a").is_err());
        assert!(entries(" ").unwrap().is_empty());
    }

    #[test]
    fn names_are_relative_below_a_marked_folder() {
        let name = |path: &str| FileChecksum { path: path.into(), md5: String::new() }.name();
        assert_eq!(name("/x/y.patch"), "y.patch");
        assert_eq!(name("/x/./y/z"), "./y/z");
        assert_eq!(name("/x/sub/./d2/./k"), "./d2");
    }

    #[test]
    fn folders_are_walked_without_version_control() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap().to_owned();
        for (file, text) in
            [("d/a", "1\n"), ("d/.git/x", "x"), ("d/CVS/x", "x"), ("d/s/b", "3\n"), ("q.txt", "1\n")]
        {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        std::os::unix::fs::symlink("nowhere", dir.path().join("d/dangling")).unwrap();
        std::os::unix::fs::symlink("../q.txt", dir.path().join("d/link")).unwrap();
        let text = format!("{root}/d:True {root}/*.txt:True {root}/gone:True {root}/never:False");
        let mut checksums = FileChecksums::default();
        let (files, warnings) = checksums.compute(&text).unwrap();
        let found: Vec<(String, &str)> = files.iter().map(|f| (f.name(), &f.md5[..4])).collect();
        let expected = [("./s/b", "6d7f"), ("./a", "b026"), ("./link", "b026"), ("q.txt", "b026")];
        assert_eq!(found, expected.map(|(name, md5)| (name.to_owned(), md5)));
        assert_eq!(warnings.len(), 1);
        fs::write(dir.path().join("d/a"), "longer than before\n").unwrap();
        assert_ne!(checksums.compute(&text).unwrap().0, files);
    }
}
