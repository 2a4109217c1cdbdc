//! The form of the recipe cache's file: a line that names the form, the records behind one another, the
//! files that were read, the head, and lengths and digests of these two. Kept records are written while new
//! ones are still being made; the files, which say most often that something changed, are looked at while the
//! head is still being read.
//!
//! The head says all that is asked of every record at each start: what it depends on, and what its
//! variants provide. Records are read only where somebody wants them, and copied as they are
//! where the file is written anew. Digests of all parts tell a file that a crash of the system left
//! half-written; nobody waits for the disk.

use crate::path_states::{PathState, digest};
use bitzel_base::RecipeInfo;
use bitzel_recipe::protocol::{Configuration, Evaluated};
use bitzel_recipe::{RecipeFile, Record};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// First line. The number changes with the form.
const FORM: &[u8] = b"bitzel recipe cache, form 5\n";
/// How long a number is.
const NUMBER: u64 = 8;
/// How files of all forms begin.
const ANY_FORM: &[u8] = b"bitzel recipe cache, form ";
/// How files of the first two forms began.
const OLD_FORM: u8 = 0x98;

/// What the head says of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) mc: String,
    pub(crate) file: RecipeFile,
    /// Numbers in the table of paths.
    pub(crate) paths: Vec<u32>,
    /// See [`Record`].
    pub(crate) variants: Vec<(String, RecipeInfo)>,
    /// Where it lies in the file.
    at: Range<u64>,
    /// Of its bytes.
    digest: u64,
}

impl Kept {
    /// The same with numbers of another table.
    pub(crate) fn with_paths(&self, paths: Vec<u32>) -> Kept {
        Kept {
            mc: self.mc.clone(),
            file: self.file.clone(),
            paths,
            variants: self.variants.clone(),
            at: self.at.clone(),
            digest: self.digest,
        }
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Head<'e> {
    pub(crate) program: String,
    pub(crate) level: String,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) configurations: Cow<'e, [Configuration]>,
    pub(crate) config_paths: Vec<u32>,
    /// All but the files that were read, whose numbers are lower.
    pub(crate) paths: Vec<PathState<'e>>,
    pub(crate) recipes: Vec<Kept>,
}

/// The records of an open file. It may be replaced meanwhile; these stay.
pub(crate) struct Records {
    file: File,
}

/// A file of which the head is still to be read.
pub(crate) struct Opened {
    file: File,
    /// The files that were read for the records.
    pub(crate) files: Vec<PathState<'static>>,
    /// Where the head is, and its digest.
    head: (Range<u64>, u64),
    /// Where the records end.
    end: u64,
}

/// What became of opening a file.
pub(crate) enum Found {
    /// There is none, or one of another form.
    Nothing,
    /// It is damaged.
    Unreadable,
    /// It begins well.
    Opened(Opened),
}

/// Opens a file and reads which files its records depend on.
pub(crate) fn open(path: &Path) -> Found {
    let Ok(mut file) = File::open(path) else { return Found::Nothing };
    let mut form = vec![0; FORM.len()];
    if file.read_exact(&mut form).is_err() || form != FORM {
        let other = form.starts_with(ANY_FORM) || form.first() == Some(&OLD_FORM);
        return if other { Found::Nothing } else { Found::Unreadable };
    }
    open_parts(file).map_or(Found::Unreadable, Found::Opened)
}

fn open_parts(file: File) -> io::Result<Opened> {
    let too_short = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = file.metadata()?.len().checked_sub(4 * NUMBER).ok_or_else(too_short)?;
    let number = |place: u64| -> io::Result<u64> {
        let mut bytes = [0; NUMBER as usize];
        file.read_exact_at(&mut bytes, end + place * NUMBER)?;
        Ok(u64::from_le_bytes(bytes))
    };
    let before = |end: u64, length: u64| end.checked_sub(length).ok_or_else(too_short);
    let head = before(end, number(2)?)?..end;
    let files = before(head.start, number(0)?)?..head.start;
    if files.start < FORM.len() as u64 {
        return Err(too_short());
    }
    let read = part(&file, &files, number(1)?)?;
    Ok(Opened { head: (head, number(3)?), end: files.start, files: read, file })
}

/// A part of a file, if its digest is right.
fn part<T: DeserializeOwned>(file: &File, at: &Range<u64>, sum: u64) -> io::Result<T> {
    let mut bytes = vec![0; usize::try_from(at.end - at.start).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, at.start)?;
    if digest(&bytes) != sum {
        return Err(io::ErrorKind::InvalidData.into());
    }
    rmp_serde::from_slice(&bytes).map_err(io::Error::other)
}

impl Opened {
    /// Reads the head.
    pub(crate) fn head(&self) -> io::Result<Head<'static>> {
        let head: Head = part(&self.file, &self.head.0, self.head.1)?;
        let last = head.recipes.iter().map(|kept| kept.at.end).max().unwrap_or_default();
        if last > self.end { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(head) }
    }

    /// The files, and where records are.
    pub(crate) fn into_parts(self) -> (Vec<PathState<'static>>, Records) {
        (self.files, Records { file: self.file })
    }
}

impl Records {
    fn bytes(&self, kept: &Kept) -> io::Result<Vec<u8>> {
        let length = kept.at.end.saturating_sub(kept.at.start);
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, kept.at.start)?;
        Ok(bytes)
    }

    /// A record; None for a damaged one.
    pub(crate) fn get(&self, kept: &Kept) -> Option<Evaluated> {
        let bytes = self.bytes(kept).ok()?;
        if digest(&bytes) != kept.digest {
            return None;
        }
        Record::unpack(&bytes).ok()
    }
}

/// A file that is being written beside the one it replaces.
pub(crate) struct Writer {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    /// Of what is written.
    end: u64,
}

impl Writer {
    pub(crate) fn begin(path: &Path) -> io::Result<Writer> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let temporary = path.with_extension(format!("new-{}", std::process::id()));
        let mut file = BufWriter::new(File::create(&temporary)?);
        file.write_all(FORM)?;
        Ok(Writer { path: path.to_owned(), temporary, file, end: FORM.len() as u64 })
    }

    /// Copies records of another file as they are, and says where they are now.
    pub(crate) fn keep(&mut self, old: &Records, kept: &mut [Kept]) -> io::Result<()> {
        // Neighbours are copied at once.
        for part in kept.chunk_by_mut(|one, next| one.at.end == next.at.start) {
            let from = part.first().map_or(0, |kept| kept.at.start);
            let to = part.last().map_or(from, |kept| kept.at.end);
            let mut file = &old.file;
            file.seek(SeekFrom::Start(from))?;
            if io::copy(&mut file.take(to - from), &mut self.file)? != to - from {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            for kept in part {
                kept.at = self.end + kept.at.start - from..self.end + kept.at.end - from;
            }
            self.end += to - from;
        }
        Ok(())
    }

    /// Writes a record, and says what the head says of it.
    pub(crate) fn add(
        &mut self,
        mc: &str,
        file: &RecipeFile,
        paths: Vec<u32>,
        record: &Record,
    ) -> io::Result<Kept> {
        self.file.write_all(record.packed())?;
        let start = self.end;
        self.end += record.packed().len() as u64;
        Ok(Kept {
            mc: mc.to_owned(),
            file: file.clone(),
            paths,
            variants: record.variants.clone(),
            digest: digest(record.packed()),
            at: start..self.end,
        })
    }

    /// Replaces the file as a whole: whoever reads it meanwhile sees the old one or the new one.
    pub(crate) fn finish(mut self, files: &[PathState<'_>], head: &Head<'_>) -> io::Result<()> {
        let files = rmp_serde::to_vec(files).map_err(io::Error::other)?;
        let head = rmp_serde::to_vec(head).map_err(io::Error::other)?;
        self.file.write_all(&files)?;
        self.file.write_all(&head)?;
        for part in [files, head] {
            self.file.write_all(&(part.len() as u64).to_le_bytes())?;
            self.file.write_all(&digest(&part).to_le_bytes())?;
        }
        self.file.flush()?;
        fs::rename(&self.temporary, &self.path)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Gone if all went well.
        drop(fs::remove_file(&self.temporary));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(name: &str) -> Evaluated {
        Evaluated { files: vec![name.to_owned()], ..Evaluated::default() }
    }

    fn record(name: &str) -> Record {
        Record::pack(&evaluated(name)).unwrap()
    }

    fn recipe(name: &str) -> RecipeFile {
        RecipeFile { path: name.to_owned(), ..RecipeFile::default() }
    }

    fn head_of(path: &Path) -> (Head<'static>, Records) {
        let Found::Opened(opened) = open(path) else { panic!("{} cannot be opened", path.display()) };
        (opened.head().unwrap(), opened.into_parts().1)
    }

    fn is_unreadable(path: &Path) -> bool {
        match open(path) {
            Found::Nothing => false,
            Found::Unreadable => true,
            Found::Opened(opened) => opened.head().is_err(),
        }
    }

    fn written(path: &Path, records: &[(&RecipeFile, &Record)]) {
        let mut writer = Writer::begin(path).unwrap();
        let mut head = Head::default();
        for (file, record) in records {
            head.recipes.push(writer.add("", file, vec![], record).unwrap());
        }
        writer.finish(&[], &head).unwrap();
    }

    #[test]
    fn what_is_kept_is_the_same_after_the_file_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cache");
        let names = ["a", "b", "c", "d"];
        let files = names.map(recipe);
        let records = names.map(record);
        written(&path, &files.iter().zip(&records).collect::<Vec<_>>());
        let (head, before) = head_of(&path);
        let mut kept: Vec<Kept> = [0, 2, 3].map(|number| head.recipes[number].clone()).to_vec();
        let mut writer = Writer::begin(&path).unwrap();
        writer.keep(&before, &mut kept).unwrap();
        let new = writer.add("", &files[1], vec![], &record("new")).unwrap();
        kept.insert(1, new);
        writer.finish(&[], &Head { recipes: kept, ..Head::default() }).unwrap();
        assert_eq!(before.get(&head.recipes[1]), Some(evaluated("b")), "an open file stays what it was");
        let (head, records) = head_of(&path);
        let read: Vec<_> = head.recipes.iter().map(|kept| records.get(kept)).collect();
        assert_eq!(read, ["a", "new", "c", "d"].map(|name| Some(evaluated(name))));
    }

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cache");
        written(&path, &[(&recipe("a"), &record("a"))]);
        let mut writer = Writer::begin(&path).unwrap();
        writer.add("", &recipe("b"), vec![], &record("b")).unwrap();
        drop(writer);
        let (head, records) = head_of(&path);
        assert_eq!(records.get(&head.recipes[0]), Some(evaluated("a")));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_told_from_one_of_another_form() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cache");
        assert!(matches!(open(&path), Found::Nothing));
        for old in [&b"\x98\x02"[..], b"bitzel recipe cache, form 9\nwhatever it is"] {
            fs::write(&path, old).unwrap();
            assert!(matches!(open(&path), Found::Nothing));
        }
        let packed = record("x").packed().len();
        written(&path, &[(&recipe("a"), &record("x"))]);
        let whole = fs::read(&path).unwrap();
        for length in [3, FORM.len(), FORM.len() + 12, FORM.len() + packed, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(is_unreadable(&path), "{length} bytes");
        }
        for at in [FORM.len() + packed, whole.len() - 33, whole.len() - 25, whole.len() - 9, whole.len() - 1]
        {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, changed).unwrap();
            assert!(is_unreadable(&path), "byte {at}");
        }
        let mut changed = whole.clone();
        changed[FORM.len() + packed - 1] ^= 1;
        fs::write(&path, changed).unwrap();
        let (head, records) = head_of(&path);
        assert_eq!(records.get(&head.recipes[0]), None);
    }
}
