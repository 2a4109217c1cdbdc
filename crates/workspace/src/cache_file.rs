//! The form of the recipe cache's file: a line that names the form, the length of the head, the
//! head, and the records behind one another.
//!
//! The head says all that is asked of every record at each start: what it depends on, and what its
//! variants provide. Records are read only where somebody wants them, and copied as they are
//! where the file is written anew. Digests of all parts tell a file that a crash of the system left
//! half-written; nobody waits for the disk.

use crate::path_states::{State, digest};
use bitzel_base::RecipeInfo;
use bitzel_recipe::protocol::{Configuration, Evaluated};
use bitzel_recipe::{RecipeFile, Record};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// First line. The number changes with the form.
const FORM: &[u8] = b"bitzel recipe cache, form 4\n";
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
    /// Where it lies among the records.
    at: Range<u64>,
    /// Of its bytes.
    digest: u64,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Head<'e> {
    pub(crate) program: String,
    pub(crate) level: String,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) configurations: Cow<'e, [Configuration]>,
    pub(crate) config_paths: Vec<u32>,
    pub(crate) paths: Vec<(String, State)>,
    pub(crate) recipes: Vec<Kept>,
}

/// The records of an open file. It may be replaced meanwhile; these stay.
pub(crate) struct Records {
    file: File,
    start: u64,
}

/// What became of reading a file.
pub(crate) enum Found {
    /// There is none, or one of another form.
    Nothing,
    /// It is damaged.
    Unreadable,
    /// Its head, and where its records are.
    Head(Box<Head<'static>>, Records),
}

/// Reads a file's head.
pub(crate) fn read(path: &Path) -> Found {
    let Ok(mut file) = File::open(path) else { return Found::Nothing };
    let mut form = vec![0; FORM.len()];
    if file.read_exact(&mut form).is_err() || form != FORM {
        let other = form.starts_with(ANY_FORM) || form.first() == Some(&OLD_FORM);
        return if other { Found::Nothing } else { Found::Unreadable };
    }
    match read_head(&mut file) {
        Ok((head, start)) => Found::Head(Box::new(head), Records { file, start }),
        Err(_) => Found::Unreadable,
    }
}

fn read_head(file: &mut File) -> io::Result<(Head<'static>, u64)> {
    let mut number = || -> io::Result<u64> {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    };
    let (length, sum) = (number()?, number()?);
    let start = FORM.len() as u64 + 16 + length;
    let whole = file.metadata()?.len();
    let too_short = || io::Error::from(io::ErrorKind::UnexpectedEof);
    if start > whole {
        return Err(too_short());
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact(&mut bytes)?;
    if digest(&bytes) != sum {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let head: Head = rmp_serde::from_slice(&bytes).map_err(io::Error::other)?;
    let end = head.recipes.iter().map(|kept| kept.at.end).max().unwrap_or_default();
    if end > whole - start { Err(too_short()) } else { Ok((head, start)) }
}

impl Records {
    fn bytes(&self, kept: &Kept) -> io::Result<Vec<u8>> {
        let length = kept.at.end.saturating_sub(kept.at.start);
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, self.start + kept.at.start)?;
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

/// A record to be written.
pub(crate) enum Entry<'e> {
    /// As it stands in the file before; its paths are numbers of the new table.
    Kept(Kept),
    /// A new one: multiconfig, file, paths, record.
    New(&'e str, &'e RecipeFile, Vec<u32>, &'e Record),
}

/// Replaces the file as a whole: whoever reads it meanwhile sees the old one or the new one.
pub(crate) fn write(
    path: &Path,
    mut head: Head<'_>,
    entries: Vec<Entry<'_>>,
    old: Option<&Records>,
) -> io::Result<()> {
    let mut records = Vec::new();
    for entry in entries {
        let start = records.len() as u64;
        match entry {
            Entry::Kept(kept) => {
                let Some(old) = old else { continue };
                records.extend(old.bytes(&kept)?);
                head.recipes.push(Kept { at: start..records.len() as u64, ..kept });
            }
            Entry::New(mc, file, paths, record) => {
                records.extend_from_slice(record.packed());
                head.recipes.push(Kept {
                    mc: mc.to_owned(),
                    file: file.clone(),
                    paths,
                    variants: record.variants.clone(),
                    digest: digest(record.packed()),
                    at: start..records.len() as u64,
                });
            }
        }
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    let head = rmp_serde::to_vec(&head).map_err(io::Error::other)?;
    let mut file = BufWriter::new(File::create(&temporary)?);
    file.write_all(FORM)?;
    file.write_all(&(head.len() as u64).to_le_bytes())?;
    file.write_all(&digest(&head).to_le_bytes())?;
    file.write_all(&head)?;
    file.write_all(&records)?;
    file.flush()?;
    fs::rename(&temporary, path)
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
        match read(path) {
            Found::Head(head, records) => (*head, records),
            Found::Nothing | Found::Unreadable => panic!("{} has no head", path.display()),
        }
    }

    #[test]
    fn what_is_kept_is_the_same_after_the_file_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cache");
        let (a, b) = (recipe("a"), recipe("b"));
        let (first, second) = (record("first"), record("second"));
        let new = vec![Entry::New("", &a, vec![0], &first), Entry::New("", &b, vec![], &second)];
        write(&path, Head::default(), new, None).unwrap();
        let (head, records) = head_of(&path);
        let third = record("third");
        let entries = vec![Entry::New("", &a, vec![], &third), Entry::Kept(head.recipes[1].clone())];
        write(&path, Head::default(), entries, Some(&records)).unwrap();
        assert_eq!(records.get(&head.recipes[0]), Some(evaluated("first")), "an open file stays what it was");
        let (head, records) = head_of(&path);
        let read: Vec<_> = head.recipes.iter().map(|kept| records.get(kept)).collect();
        assert_eq!(read, [Some(evaluated("third")), Some(evaluated("second"))]);
    }

    #[test]
    fn a_damaged_file_is_told_from_one_of_another_form() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cache");
        assert!(matches!(read(&path), Found::Nothing));
        for old in [&b"\x98\x02"[..], b"bitzel recipe cache, form 9\nwhatever it is"] {
            fs::write(&path, old).unwrap();
            assert!(matches!(read(&path), Found::Nothing));
        }
        let a = recipe("a");
        write(&path, Head::default(), vec![Entry::New("", &a, vec![], &record("x"))], None).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in [3, FORM.len() + 4, FORM.len() + 12, FORM.len() + 20, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(matches!(read(&path), Found::Unreadable), "{length} bytes");
        }
        let mut changed = whole.clone();
        changed[FORM.len() + 20] ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(matches!(read(&path), Found::Unreadable));
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        fs::write(&path, changed).unwrap();
        let (head, records) = head_of(&path);
        assert_eq!(records.get(&head.recipes[0]), None);
    }
}
