//! One project file: found, read, parsed and checked by itself.

use crate::error::{Note, ProjectError};
use crate::json::parse_json;
use crate::schema::Schema;
use crate::value::{Map, Value};
use crate::yaml::{Document, Locations, MAX_BYTES, parse};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a file is to its project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Role {
    /// The first file of the command line; only it may hold `_source_dir`.
    pub main: bool,
    /// Comes from another repository: read, never written.
    pub external: bool,
    /// A lock file.
    pub lock: bool,
}

/// A project file that follows the schema.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Where it was read from.
    pub path: PathBuf,
    /// What it says.
    pub config: Map,
    /// Where it says so.
    pub lines: Locations,
    /// What it is to the project.
    pub role: Role,
}

impl ConfigFile {
    /// Reads and checks `path`.
    pub fn load(
        path: &Path,
        role: Role,
        schema: &Schema,
        notes: &mut Vec<Note>,
    ) -> Result<ConfigFile, ProjectError> {
        let document = read_document(path)?;
        let mut problems = schema.check(&document);
        let in_schema = problems.is_empty();
        problems.extend(schema.unusable(&document));
        problems.sort();
        if !problems.is_empty() {
            return Err(ProjectError::Invalid { file: path.to_owned(), problems, in_schema });
        }
        let Value::Map(config) = document.value else {
            let problem = "Configuration file does not contain a dictionary as base type".to_owned();
            return Err(ProjectError::Load { file: path.to_owned(), problem });
        };
        let config = Arc::unwrap_or_clone(config);
        let file = ConfigFile { path: path.to_owned(), config, lines: document.lines, role };
        if file.config.get("proxy_config").is_some_and(|proxy| !proxy.is_falsy()) {
            let text = "Obsolete proxy_config detected. This has no effect and will be rejected soon.";
            notes.push(Note::Warning(text.to_owned()));
        }
        if role.main && file.config.get("build_system").and_then(Value::as_str) == Some("isar") {
            let text = "The semantics of build_system: isar might change in the future. Please use \
                        'isar-privileged' or 'isar-rootless'.";
            notes.push(Note::Warning(text.to_owned()));
        }
        if !role.main && file.source_dir().is_some() {
            let problem = "'_source_dir' is only allowed in the top-level kas configuration".to_owned();
            return Err(ProjectError::Load { file: path.to_owned(), problem });
        }
        Ok(file)
    }

    /// `_source_dir`: the folder that stands in for the main repository.
    pub fn source_dir(&self) -> Option<&str> {
        self.config.get("_source_dir").and_then(Value::as_str)
    }

    /// The format version; `"0.10"` was version 1.
    pub fn version(&self) -> i128 {
        match self.config.get("header").and_then(|header| header.get("version")) {
            Some(Value::Int(version)) => *version,
            Some(Value::Float(version)) => *version as i128,
            _ => 1,
        }
    }
}

/// Parses a file by its extension, as kas does.
fn read_document(path: &Path) -> Result<Document, ProjectError> {
    let load = |problem: String| ProjectError::Load { file: path.to_owned(), problem };
    let at = |line: Option<u32>| line.map(|line| format!("Error in line {line}")).unwrap_or_default();
    match path.extension().and_then(|e| e.to_str()) {
        Some("json") => parse_json(&read_limited(path)?).map_err(|e| {
            load(format!("Configuration file is not valid JSON: {}: {}", at(e.line), e.problem))
        }),
        Some("yml" | "yaml") => parse(&read_limited(path)?).map_err(|e| {
            load(format!("Configuration file is not valid YAML: {} ({})", at(e.line), e.problem))
        }),
        _ => Err(load("Config file extension not recognized".to_owned())),
    }
}

/// The bytes of a regular file, refused when it is no project file by size.
fn read_limited(path: &Path) -> Result<Vec<u8>, ProjectError> {
    let load = |problem: String| ProjectError::Load { file: path.to_owned(), problem };
    let data = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => load("Configuration file not found".to_owned()),
        _ => load(format!("Configuration file cannot be read ({e})")),
    })?;
    if !data.is_file() {
        return Err(load("Configuration file is no regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file =
        std::fs::File::open(path).map_err(|e| load(format!("Configuration file cannot be read ({e})")))?;
    let limit = MAX_BYTES as u64 + 1;
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|e| load(format!("Configuration file cannot be read ({e})")))?;
    if bytes.len() > MAX_BYTES {
        return Err(load(format!("Configuration file is larger than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

/// The lock file beside a project file: `NAME.lock.EXT`.
pub fn lock_path(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    file.with_file_name(format!("{stem}.lock{extension}"))
}
