//! What paths were when they were looked at, and whether they still are.

use crate::parallel::in_parallel;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What a path was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Missing,
    /// Only its existence counts.
    Exists,
    File {
        mtime: i64,
        mtime_ns: i64,
        size: u64,
        inode: u64,
        content: u64,
    },
}

/// Which paths of a table are as they were. Each is looked at once.
pub(crate) struct Checked {
    pub(crate) holds: Vec<bool>,
}

impl Checked {
    pub(crate) fn new(paths: &[(String, State)]) -> Checked {
        Checked { holds: in_parallel(paths, |(path, state)| holds(Path::new(path), state)) }
    }

    pub(crate) fn holds(&self, path: u32) -> bool {
        self.holds.get(path as usize).copied().unwrap_or(false)
    }
}

fn holds(path: &Path, state: &State) -> bool {
    let now = fs::metadata(path);
    match (state, now) {
        (State::Missing, now) => now.is_err(),
        (State::Exists, now) => now.is_ok(),
        (State::File { mtime, mtime_ns, size, inode, content }, Ok(now)) => {
            let untouched =
                (now.mtime(), now.mtime_nsec(), now.size(), now.ino()) == (*mtime, *mtime_ns, *size, *inode);
            untouched || (now.size() == *size && fs::read(path).is_ok_and(|bytes| digest(&bytes) == *content))
        }
        _ => false,
    }
}

/// Paths, each once, with what they are now.
pub(crate) struct Table<'s> {
    /// Those that need not be read again.
    pub(crate) known: &'s HashMap<String, State>,
    pub(crate) paths: Vec<(String, State)>,
    numbers: HashMap<(String, bool), u32>,
}

impl<'s> Table<'s> {
    pub(crate) fn new(known: &'s HashMap<String, State>) -> Table<'s> {
        Table { known, paths: Vec::new(), numbers: HashMap::new() }
    }

    /// A path that is as it was.
    pub(crate) fn add_known(&mut self, path: &str, state: &State) -> u32 {
        self.entry(path, matches!(state, State::Exists), || state.clone())
    }

    pub(crate) fn add(&mut self, path: &str) -> u32 {
        let known = self.known;
        // That a path exists says nothing of what it holds.
        let as_it_was = |state: &&State| !matches!(state, State::Exists);
        let state = || known.get(path).filter(as_it_was).cloned().unwrap_or_else(|| look(Path::new(path)));
        self.entry(path, false, state)
    }

    /// `PATH:True` or `PATH:False` of a [file-checksums] flag.
    pub(crate) fn add_checksum(&mut self, word: &str) -> Option<u32> {
        let (path, existed) = word.rsplit_once(':')?;
        let state = if existed == "True" { State::Exists } else { State::Missing };
        Some(self.entry(path, true, || state))
    }

    fn entry(&mut self, path: &str, existence: bool, state: impl FnOnce() -> State) -> u32 {
        let next = u32::try_from(self.paths.len()).expect("fewer than 2^32 paths");
        let number = *self.numbers.entry((path.to_owned(), existence)).or_insert(next);
        if number == next {
            self.paths.push((path.to_owned(), state()));
        }
        number
    }
}

fn look(path: &Path) -> State {
    let Ok(meta) = fs::metadata(path) else { return State::Missing };
    if !meta.is_file() {
        return State::Exists;
    }
    let Ok(bytes) = fs::read(path) else { return State::Missing };
    State::File {
        mtime: meta.mtime(),
        mtime_ns: meta.mtime_nsec(),
        size: meta.size(),
        inode: meta.ino(),
        content: digest(&bytes),
    }
}

/// First 64 bits of the sha256.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_holds_until_the_content_or_the_existence_changes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        fs::write(&file, "one").unwrap();
        let state = look(&file);
        assert!(holds(&file, &state));
        fs::write(&file, "one").unwrap();
        assert!(holds(&file, &state), "same content, new time");
        fs::write(&file, "two").unwrap();
        assert!(!holds(&file, &state));
        let gone = look(&dir.path().join("y"));
        assert!(holds(&dir.path().join("y"), &gone));
        fs::write(dir.path().join("y"), "").unwrap();
        assert!(!holds(&dir.path().join("y"), &gone));
    }
}
