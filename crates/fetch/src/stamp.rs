//! `.done` stamps: the checksums of a finished download, in the form BitBake reads.

use crate::checksum::Checksums;
use crate::error::FetchError;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Writes the stamp of a download: a pickled dictionary (protocol 2) of all checksums, in BitBake's order,
/// so that the same file gives the same stamp whoever fetched it.
pub fn write_stamp(path: &Path, checksums: &Checksums, goh1: &str) -> Result<(), FetchError> {
    let entries = [("goh1", goh1)].into_iter().chain(checksums.by_name());
    let bytes = pickle(entries);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // Who holds the lock of the download writes alone; what a killed one left is written over.
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(&bytes)?;
        drop(file);
        std::fs::rename(&temporary, path)
    };
    write().map_err(FetchError::io("write the stamp", path))
}

/// A dictionary of short texts (shorter than 2^31 bytes) as Python's pickle protocol 2 has it.
fn pickle<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    // PROTO 2, EMPTY_DICT, BINPUT 0, MARK.
    let mut out = b"\x80\x02}q\x00(".to_vec();
    let mut memo = 1u8;
    for (key, value) in entries {
        for text in [key, value] {
            // BINUNICODE, then BINPUT with the next number: what Python's own pickler writes.
            out.push(b'X');
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(&[b'q', memo]);
            memo += 1;
        }
    }
    // SETITEMS, STOP.
    out.extend_from_slice(b"u.");
    out
}

/// Whether a file may be a zip archive, whose Go hash is of the files in it: the end of a zip holds a signature.
pub fn maybe_zip(path: &Path) -> Result<bool, FetchError> {
    // A zip ends with a record of 22 bytes and a comment of at most 64 KiB.
    const TAIL: u64 = 22 + (1 << 16);
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(tail)
    };
    let tail = read().map_err(FetchError::io("read", path))?;
    Ok(tail.windows(4).any(|window| window == b"PK\x05\x06"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_has_the_very_bytes_of_pythons_pickle() {
        // Recorded: pickle.Pickler(f, 2).dump({"a": "b", "c": "d"}).
        let expected = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01X\x01\x00\x00\x00bq\x02X\x01\x00\x00\x00cq\x03X\x01\x00\x00\x00dq\x04u.";
        assert_eq!(pickle([("a", "b"), ("c", "d")].into_iter()), expected);
    }

    #[test]
    fn only_zip_archives_look_like_zip_archives() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, b"PK\x05\x06 and eighteen bytes").unwrap();
        assert!(maybe_zip(&path).unwrap());
        std::fs::write(&path, b"tar or so").unwrap();
        assert!(!maybe_zip(&path).unwrap());
    }
}
