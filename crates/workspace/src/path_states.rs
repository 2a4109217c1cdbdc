//! What paths were when they were looked at, and whether they still are.

use crate::parallel::in_parallel;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
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

/// A path and what it was.
pub(crate) type PathState<'p> = (Cow<'p, str>, State);

/// Paths, by number: first files that were read, then what else was looked for, which is far more.
#[derive(Default)]
pub(crate) struct Paths<'p> {
    pub(crate) files: Vec<PathState<'p>>,
    pub(crate) others: Vec<PathState<'p>>,
}

impl<'p> Paths<'p> {
    pub(crate) fn get(&self, number: u32) -> Option<&PathState<'p>> {
        let number = number as usize;
        self.files.get(number).or_else(|| self.others.get(number.checked_sub(self.files.len())?))
    }

    fn iter(&self) -> impl Iterator<Item = &PathState<'p>> {
        self.files.iter().chain(&self.others)
    }
}

/// Which of paths are as they were, by their numbers.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) holds: Vec<bool>,
}

impl Checked {
    /// Looks at each of them, at many at a time.
    pub(crate) fn add(&mut self, paths: &[PathState<'_>]) {
        self.holds.extend(in_parallel(paths, |(path, state)| holds(Path::new(&**path), state)));
    }

    pub(crate) fn all(&self) -> bool {
        self.holds.iter().all(|&holds| holds)
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
pub(crate) struct Table<'o> {
    /// The table before.
    old: &'o Paths<'static>,
    /// Numbers in it of paths that are as they were, and need not be read again.
    known: FxHashMap<(&'o str, bool), u32>,
    /// New numbers of old ones.
    moved: FxHashMap<u32, u32>,
    paths: Paths<'o>,
    /// Of paths that were not known.
    numbers: FxHashMap<(String, bool), u32>,
}

/// Set in the numbers of paths that are no files, until it is known how many files there are.
const OTHER: u32 = 1 << 31;

impl<'o> Table<'o> {
    /// An empty table; `checked` says what of the old one holds.
    pub(crate) fn new(old: &'o Paths<'static>, checked: &Checked) -> Table<'o> {
        let key = |(path, state): &'o PathState<'static>| (&**path, *state == State::Exists);
        let entries = old.iter().map(key).zip(0..).zip(&checked.holds);
        let known = entries.filter_map(|(entry, &holds)| holds.then_some(entry)).collect();
        let (moved, numbers) = (FxHashMap::default(), FxHashMap::default());
        Table { old, known, moved, paths: Paths::default(), numbers }
    }

    /// A path that is as it was, by its number in the old table.
    pub(crate) fn keep(&mut self, old: u32) -> Option<u32> {
        if let Some(&number) = self.moved.get(&old) {
            return Some(number);
        }
        let (path, state) = self.old.get(old)?;
        let number = self.push(Cow::Borrowed(path), state.clone());
        self.moved.insert(old, number);
        Some(number)
    }

    /// A path with what it holds.
    pub(crate) fn add(&mut self, path: &str) -> u32 {
        // That a path exists says nothing of what it holds.
        let known = self.known.get(&(path, false)).copied();
        self.kept_or(known, (path, false), || look(Path::new(path)))
    }

    /// `PATH:True` or `PATH:False` of a [file-checksums] flag.
    pub(crate) fn add_checksum(&mut self, word: &str) -> Option<u32> {
        let (path, existed) = word.rsplit_once(':')?;
        let state = if existed == "True" { State::Exists } else { State::Missing };
        let known = self.known.get(&(path, state == State::Exists)).copied();
        let known = known.filter(|&old| self.old.get(old).is_some_and(|(_, known)| *known == state));
        Some(self.kept_or(known, (path, true), || state))
    }

    fn kept_or(&mut self, known: Option<u32>, key: (&str, bool), state: impl FnOnce() -> State) -> u32 {
        if let Some(number) = known.and_then(|old| self.keep(old)) {
            return number;
        }
        let key = (key.0.to_owned(), key.1);
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        let number = self.push(Cow::Owned(key.0.clone()), state());
        self.numbers.insert(key, number);
        number
    }

    fn push(&mut self, path: Cow<'o, str>, state: State) -> u32 {
        let (paths, mark) = match state {
            State::File { .. } => (&mut self.paths.files, 0),
            State::Missing | State::Exists => (&mut self.paths.others, OTHER),
        };
        let number = u32::try_from(paths.len()).expect("fewer than 2^31 paths");
        paths.push((path, state));
        number | mark
    }

    /// All paths, and what makes numbers given so far those of the whole table.
    pub(crate) fn finish(self) -> (Paths<'o>, impl Fn(&mut Vec<u32>)) {
        let files = u32::try_from(self.paths.files.len()).expect("fewer than 2^31 paths");
        let settle = move |number: &mut u32| {
            if *number & OTHER != 0 {
                *number = (*number & !OTHER) + files;
            }
        };
        (self.paths, move |numbers: &mut Vec<u32>| numbers.iter_mut().for_each(settle))
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

    #[test]
    fn a_table_keeps_what_holds_and_numbers_files_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        fs::write(path("same"), "1").unwrap();
        fs::write(path("changed"), "1").unwrap();
        let empty = Paths::default();
        let mut table = Table::new(&empty, &Checked::default());
        let mut numbers = ["absent", "same", "changed", "same"].map(|name| table.add(&path(name))).to_vec();
        numbers.extend(table.add_checksum(&format!("{}:True", path("changed"))));
        let (paths, settle) = table.finish();
        settle(&mut numbers);
        assert_eq!(numbers, [2, 0, 1, 0, 3]);
        let first = Paths { files: own(paths.files), others: own(paths.others) };

        fs::write(path("changed"), "22").unwrap();
        let mut checked = Checked::default();
        checked.add(&first.files);
        assert!(!checked.all());
        checked.add(&first.others);
        assert_eq!(checked.holds, [true, false, true, true]);
        let mut table = Table::new(&first, &checked);
        let mut numbers: Vec<u32> = [3, 0].iter().filter_map(|&old| table.keep(old)).collect();
        numbers.extend(["changed", "same", "new"].map(|name| table.add(&path(name))));
        numbers.extend(table.add_checksum(&format!("{}:False", path("same"))));
        let (paths, settle) = table.finish();
        settle(&mut numbers);
        let named: Vec<(&str, &State)> = numbers
            .iter()
            .filter_map(|&number| paths.get(number))
            .map(|(path, state)| (path.rsplit('/').next().unwrap(), state))
            .collect();
        let expected = [("changed", &State::Exists), ("same", &first.files[0].1)];
        assert_eq!(named[..2], expected);
        let now = look(Path::new(&path("changed")));
        assert_eq!(named[2..5], [("changed", &now), ("same", &first.files[0].1), ("new", &State::Missing)]);
        assert_eq!(named[5], ("same", &State::Missing));
    }

    fn own(paths: Vec<PathState<'_>>) -> Vec<PathState<'static>> {
        paths.into_iter().map(|(path, state)| (Cow::Owned(path.into_owned()), state)).collect()
    }
}
