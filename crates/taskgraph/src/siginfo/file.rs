//! Siginfo files on disk: zstd-compressed JSON with sorted keys.

use crate::siginfo::error::SiginfoError;
use crate::siginfo::record::Siginfo;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// More than this is no signature but an attack or an accident.
const LIMIT: u64 = 256 << 20;

/// `STAMP.do_x.sigdata.UNIHASH`.
pub fn sigdata_path(stamp: &str, task: &str, unihash: &str) -> PathBuf {
    PathBuf::from(format!("{stamp}.{task}.sigdata.{unihash}"))
}

/// `STAMP.do_x.sigbasedata.BASEHASH`.
pub fn sigbasedata_path(stamp: &str, task: &str, basehash: &str) -> PathBuf {
    PathBuf::from(format!("{stamp}.{task}.sigbasedata.{basehash}"))
}

/// Reads a siginfo, sigdata or sigbasedata file.
///
/// # Errors
/// [`SiginfoError`].
pub fn read_siginfo(path: &Path) -> Result<Siginfo, SiginfoError> {
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|source| SiginfoError::Io { path: name.clone(), source })?;
    siginfo_from_bytes(&bytes, &name)
}

/// Reads the content of such a file; `name` is for messages.
///
/// # Errors
/// [`SiginfoError`].
pub fn siginfo_from_bytes(bytes: &[u8], name: &str) -> Result<Siginfo, SiginfoError> {
    let not_zstd = |source| SiginfoError::NotZstd { path: name.to_owned(), source };
    let decoder = zstd::Decoder::new(bytes).map_err(not_zstd)?;
    let mut text = Vec::new();
    decoder.take(LIMIT + 1).read_to_end(&mut text).map_err(not_zstd)?;
    if text.len() as u64 > LIMIT {
        return Err(SiginfoError::TooLarge { path: name.to_owned(), limit: LIMIT });
    }
    serde_json::from_slice(&text).map_err(|source| SiginfoError::Format { path: name.to_owned(), source })
}

/// The content of a siginfo file.
pub fn siginfo_to_bytes(info: &Siginfo) -> Vec<u8> {
    compress_siginfo(&json(info))
}

/// Writes a siginfo file; a reader never sees half of it.
///
/// # Errors
/// [`SiginfoError::Io`].
pub fn write_siginfo(path: &Path, info: &Siginfo) -> Result<(), SiginfoError> {
    let bytes = siginfo_to_bytes(info);
    let write = || -> io::Result<()> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix("sigtask.").tempfile_in(folder)?;
        file.write_all(&bytes)?;
        // BitBake: readable for all and writable for the group, as shared caches need it.
        file.as_file().set_permissions(fs::Permissions::from_mode(0o664))?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| SiginfoError::Io { path: path.display().to_string(), source })
}

/// A part of the text of such a file: no blanks and nothing but ASCII, as Python writes it.
pub fn siginfo_json(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut out, AsciiOnly))
        .expect("writing to memory cannot fail");
    out
}

/// The content of a file with this text.
pub fn compress_siginfo(json: &[u8]) -> Vec<u8> {
    // All at once: knowing the size it takes far smaller tables, which costs more than compressing.
    zstd::bulk::compress(json, 0).expect("compressing memory to memory cannot fail")
}

/// Whether a file with this content has this text.
pub fn is_siginfo_of(content: &[u8], json: &[u8]) -> bool {
    zstd::bulk::decompress(content, json.len()).is_ok_and(|text| text == json)
}

/// With its keys sorted.
fn json(info: &Siginfo) -> Vec<u8> {
    let value = serde_json::to_value(info).expect("a record of texts is JSON");
    // All maps within are sorted by themselves; this one holds fields of two structs.
    let sorted: BTreeMap<String, serde_json::Value> =
        serde_json::from_value(value).expect("a record is an object");
    siginfo_json(&sorted)
}

struct AsciiOnly;

impl serde_json::ser::Formatter for AsciiOnly {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.bytes().position(|byte| !byte.is_ascii()) {
            let (plain, other) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut chars = other.chars();
            for unit in chars.next().into_iter().flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec()) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::siginfo::{SigRuntime, SigValue};

    fn sample() -> Siginfo {
        Siginfo {
            basehash: Some("b".into()),
            task: "do_x".into(),
            taskdeps: ["V".to_owned()].into(),
            gendeps: [("V".to_owned(), ["X".to_owned()].into())].into(),
            varvals: [
                ("V".to_owned(), SigValue::text("ä\u{1f600}\n")),
                ("N".to_owned(), SigValue(serde_json::Value::Null)),
            ]
            .into(),
            runtime: Some(SigRuntime { runtaskdeps: vec!["p:do_a".into()], ..SigRuntime::default() }),
            ..Siginfo::default()
        }
    }

    #[test]
    fn content_is_known_by_its_text_however_it_was_compressed() {
        let harder = zstd::bulk::compress(b"{\"a\":1}", 19).unwrap();
        assert!(is_siginfo_of(&compress_siginfo(b"{\"a\":1}"), b"{\"a\":1}"));
        assert!(is_siginfo_of(&harder, b"{\"a\":1}"));
        for other in [&b"{\"a\":2}"[..], b"{\"a\":1", b"{\"a\":1} ", b""] {
            assert!(!is_siginfo_of(&harder, other));
        }
        assert!(!is_siginfo_of(b"rubbish", b"{\"a\":1}"));
    }

    #[test]
    fn what_is_written_is_read_and_is_ascii_with_sorted_keys() {
        let text = String::from_utf8(json(&sample())).unwrap();
        assert!(
            text.is_ascii()
                && text.starts_with(r#"{"basehash":"b","basehash_ignore_vars":{"_set_object":[]},"#),
            "{text}"
        );
        assert!(text.contains(r#""V":"\u00e4\ud83d\ude00\n""#), "{text}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b.do_x.sigdata.1");
        write_siginfo(&path, &sample()).unwrap();
        assert_eq!(read_siginfo(&path).unwrap(), sample());
    }

    #[test]
    fn base_data_has_no_runtime_part_and_old_names_are_read() {
        let base = Siginfo { runtime: None, ..sample() };
        let bytes = siginfo_to_bytes(&base);
        assert_eq!(siginfo_from_bytes(&bytes, "x").unwrap(), base);
        let old = zstd::encode_all(
            &br#"{"task":"do_x","basewhitelist":{"_set_object":["A"]},"taskwhitelist":null}"#[..],
            0,
        )
        .unwrap();
        assert!(siginfo_from_bytes(&old, "x").unwrap().basehash_ignore_vars.contains("A"));
    }

    #[test]
    fn truncated_and_foreign_files_are_refused_by_name() {
        let bytes = siginfo_to_bytes(&sample());
        let cut = siginfo_from_bytes(&bytes[..bytes.len() - 3], "cut.sigdata").unwrap_err();
        assert!(matches!(cut, SiginfoError::NotZstd { .. }) && cut.to_string().contains("cut.sigdata"));
        assert!(matches!(siginfo_from_bytes(b"(dp0", "p"), Err(SiginfoError::NotZstd { .. })));
        let foreign = zstd::encode_all(&b"[1]"[..], 0).unwrap();
        assert!(matches!(siginfo_from_bytes(&foreign, "f"), Err(SiginfoError::Format { .. })));
    }
}
