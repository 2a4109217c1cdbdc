//! Files of JSON lines, compressed as they are written, and bodies kept once.

use super::normalise::{Normaliser, sha20};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// A zstd file of JSON lines.
pub struct LinesFile {
    encoder: zstd::Encoder<'static, File>,
    /// Bytes before compression.
    pub written: u64,
}

impl LinesFile {
    /// Makes the file; `level` is zstd's. Readers need a window of 128 MiB.
    pub fn create(path: &Path, level: i32) -> io::Result<LinesFile> {
        let mut encoder = zstd::Encoder::new(File::create(path)?, level)?;
        encoder.long_distance_matching(true)?;
        encoder.window_log(27)?;
        Ok(LinesFile { encoder, written: 0 })
    }

    /// Adds a line.
    pub fn line(&mut self, value: &serde_json::Value) -> io::Result<()> {
        let mut text = serde_json::to_vec(value)?;
        text.push(b'\n');
        self.written += text.len() as u64;
        self.encoder.write_all(&text)
    }

    /// Completes the file.
    pub fn finish(self) -> io::Result<u64> {
        self.encoder.finish()?.sync_all()?;
        Ok(self.written)
    }
}

/// Function bodies, each written once and named by its digest.
pub struct Blobs {
    file: LinesFile,
    seen: HashSet<String>,
}

impl Blobs {
    /// Bodies go to `file`.
    pub fn new(file: LinesFile) -> Blobs {
        Blobs { file, seen: HashSet::new() }
    }

    /// The name of a body.
    pub fn put(&mut self, body: &str, normaliser: &Normaliser) -> io::Result<String> {
        let body = normaliser.text(body);
        let name = sha20(&body);
        if self.seen.insert(name.clone()) {
            self.file.line(&serde_json::json!({ "h": name, "b": body }))?;
        }
        Ok(name)
    }

    /// Completes the file.
    pub fn finish(self) -> io::Result<u64> {
        self.file.finish()
    }
}
