//! The checksums recipes use, all from one pass over the bytes.

use crate::error::FetchError;
use md5::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

/// Checksums of a file, in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksums {
    /// MD5.
    pub md5: String,
    /// SHA-256.
    pub sha256: String,
    /// SHA-1.
    pub sha1: String,
    /// SHA-384.
    pub sha384: String,
    /// SHA-512.
    pub sha512: String,
}

impl Checksums {
    /// Of a file.
    pub fn of_file(path: &Path) -> Result<Checksums, FetchError> {
        let mut hasher = Hasher::default();
        let mut file = std::fs::File::open(path).map_err(FetchError::io("open", path))?;
        hasher.update_from(&mut file).map_err(FetchError::io("read", path))?;
        Ok(hasher.finish())
    }

    /// Go's hash of a file that is no module archive (golang.org/x/mod/sumdb/dirhash, of one `go.mod`).
    pub fn goh1_of_plain_file(&self) -> String {
        hex(&sha2::Sha256::digest(format!("{}  go.mod\n", self.sha256)))
    }

    /// By the names recipes have (`md5`, `sha256`, ...), without `sum`.
    pub fn by_name(&self) -> [(&'static str, &str); 5] {
        [
            ("md5", self.md5.as_str()),
            ("sha256", self.sha256.as_str()),
            ("sha1", self.sha1.as_str()),
            ("sha384", self.sha384.as_str()),
            ("sha512", self.sha512.as_str()),
        ]
    }

    /// The first of the expected checksums that these are not: its name, the one found, the one expected.
    /// Names that are not computed here do not count.
    pub fn mismatch(&self, expected: &BTreeMap<String, String>) -> Option<(&'static str, String, String)> {
        self.by_name().into_iter().find_map(|(name, found)| {
            let wanted = expected.get(name)?;
            (!wanted.eq_ignore_ascii_case(found)).then(|| (name, found.to_owned(), wanted.clone()))
        })
    }
}

/// Computes all checksums of a stream.
#[derive(Clone, Default)]
pub struct Hasher {
    md5: md5::Md5,
    sha256: sha2::Sha256,
    sha1: sha1::Sha1,
    sha384: sha2::Sha384,
    sha512: sha2::Sha512,
}

impl Hasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha256.update(bytes);
        self.sha1.update(bytes);
        self.sha384.update(bytes);
        self.sha512.update(bytes);
    }

    /// Takes in all that can be read.
    pub fn update_from(&mut self, reader: &mut impl Read) -> std::io::Result<()> {
        let mut buffer = vec![0; 1 << 17];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(()),
                count => self.update(&buffer[..count]),
            }
        }
    }

    /// The checksums of all bytes taken in.
    pub fn finish(self) -> Checksums {
        Checksums {
            md5: hex(&self.md5.finalize()),
            sha256: hex(&self.sha256.finalize()),
            sha1: hex(&self.sha1.finalize()),
            sha384: hex(&self.sha384.finalize()),
            sha512: hex(&self.sha512.finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_well_known_empty_file() {
        let sums = Hasher::default().finish();
        assert_eq!(sums.md5, "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(sums.sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(sums.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert!(sums.sha384.starts_with("38b060a751ac9638") && sums.sha512.starts_with("cf83e1357eefb8bd"));
    }

    #[test]
    fn the_hash_of_a_go_mod_file_is_what_bitbake_computes() {
        // Recorded from BitBake 2.18 for the content `hello /a.bin`.
        let mut hasher = Hasher::default();
        hasher.update(b"hello /a.bin");
        assert_eq!(
            hasher.finish().goh1_of_plain_file(),
            "418f2abb7719f71e05212441e840a32c53767e1d29689d53aef29ca2943fafa7"
        );
    }

    #[test]
    fn a_mismatch_names_the_first_wrong_kind_and_ignores_case() {
        let sums = Hasher::default().finish();
        let right = BTreeMap::from([("md5".to_owned(), sums.md5.to_uppercase())]);
        assert_eq!(sums.mismatch(&right), None);
        let wrong =
            BTreeMap::from([("sha256".to_owned(), "0".repeat(64)), ("goh1".to_owned(), "x".to_owned())]);
        assert_eq!(sums.mismatch(&wrong).map(|m| m.0), Some("sha256"));
    }
}
