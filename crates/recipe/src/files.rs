//! Metadata files: reading them once per process, finding them along paths, and
//! noting every path that was looked at, those that do not exist included.

use crate::{Error, Result};
use bitzel_base::CompatLevel;
use bitzel_data::{DataStore, Value};
use bitzel_syntax::{FileKind, Parse};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// Path; is it read as configuration; as the base configuration itself.
type ParseKey = (Rc<str>, bool, bool);

/// What shows that a file is another one: device, node, size, time of the last change in ns.
type Stamp = (u64, u64, u64, i128);

/// What a file was when it was taken apart; none of one that was not there.
type Parsed = (Option<Stamp>, Rc<Parse>);

/// Files read and taken apart so far. A file is read once, until [`FileCache::forget_changed`].
#[derive(Default)]
pub struct FileCache {
    parsed: RefCell<FxHashMap<ParseKey, Parsed>>,
}

impl FileCache {
    /// The statements of a file.
    pub(crate) fn parse(
        &self,
        path: &str,
        kind: FileKind,
        level: CompatLevel,
        base_config: bool,
    ) -> Result<Rc<Parse>> {
        let key = (Rc::from(path), kind == FileKind::Conf, base_config);
        if let Some((_, parse)) = self.parsed.borrow().get(&key) {
            return Ok(parse.clone());
        }
        // Taken before reading: a change meanwhile shows at the next look.
        let stamp = stamp(path);
        let text = read_text(path)?;
        let parse = Rc::new(bitzel_syntax::parse(&text, kind, level, base_config));
        self.parsed.borrow_mut().insert(key, (stamp, parse.clone()));
        Ok(parse)
    }

    /// Files that were changed since they were read are read again when they are next asked for.
    pub(crate) fn forget_changed(&self) {
        self.parsed.borrow_mut().retain(|(path, ..), (known, _)| known.is_some() && *known == stamp(path));
    }
}

fn stamp(path: &str) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(path).ok()?;
    let changed = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    Some((meta.dev(), meta.ino(), meta.size(), changed))
}

fn read_text(path: &str) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => Error::NotFound { file: path.to_owned(), searched: None },
        _ => Error::Unreadable { path: path.into(), cause, way: String::new() },
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|&&b| b == b'\n').count() + 1;
        Error::NotUtf8 { path: path.into(), line, way: String::new() }
    })
}

/// Makes a path absolute and takes `.` and `..` out of its text, without looking at the disk.
pub fn normalise(path: &str, base: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{base}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Looks for `item` in the folders of a `:` list. Answers with the file, if there is
/// one, and all paths looked at, the one found included.
pub fn which(search: &str, item: &str, cwd: &str) -> (Option<String>, Vec<String>) {
    let mut looked = Vec::new();
    for dir in search.split(':') {
        let mut next = if item.starts_with('/') || dir.is_empty() {
            item.to_owned()
        } else {
            format!("{}/{item}", dir.strip_suffix('/').unwrap_or(dir))
        };
        looked.push(next.clone());
        if Path::new(&next).exists() {
            if !next.starts_with('/') {
                next = normalise(&next, cwd);
            }
            return (Some(next), looked);
        }
    }
    (None, looked)
}

/// Name of the variable that lists the files a store depends on.
pub const DEPENDS: &str = "__depends";

/// Notes that the result depends on `path`, whether it exists or not.
pub fn mark_dependency(d: &DataStore, path: &str, cwd: &str) {
    let path = match path.strip_prefix("./") {
        Some(rest) => format!("{cwd}/{rest}"),
        None => path.to_owned(),
    };
    let known = d.peek(DEPENDS, |value| {
        value.as_list().is_some_and(|list| list.iter().any(|item| first(item) == Some(&path)))
    });
    if !known.unwrap_or(false) {
        let mtime = modified(&path);
        d.push_to_list(DEPENDS, Value::List(Rc::new(vec![Value::str(&path), Value::Int(mtime)])));
    }
}

/// Is `path` among the files the store depends on?
pub(crate) fn depends_on(d: &DataStore, path: &str) -> bool {
    d.peek(DEPENDS, |value| {
        value.as_list().is_some_and(|list| list.iter().any(|item| first(item) == Some(path)))
    })
    .unwrap_or(false)
}

/// The paths in `__base_depends` and `__depends`.
pub fn dependencies(d: &DataStore, variable: &str) -> Vec<String> {
    d.peek(variable, |value| {
        value
            .as_list()
            .map(|list| list.iter().filter_map(|item| first(item).map(str::to_owned)).collect())
            .unwrap_or_default()
    })
    .unwrap_or_default()
}

fn first(item: &Value) -> Option<&str> {
    item.as_list()?.first()?.as_str().map(|text| &**text)
}

/// Seconds since 1970 of the last change, 0 where there is no file.
fn modified(path: &str) -> i64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map_or(0, |meta| meta.mtime())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalise_takes_dots_out() {
        assert_eq!(normalise("/a/./b/../c", "/"), "/a/c");
        assert_eq!(normalise("x//y", "/base"), "/base/x/y");
    }

    #[test]
    fn which_tells_all_it_looked_at() {
        let dir = std::env::temp_dir();
        let dir = dir.to_str().unwrap();
        let (found, looked) = which(&format!("/nonexistent-a:{dir}/nonexistent-b"), "x.inc", "/");
        assert_eq!(found, None);
        assert_eq!(looked, ["/nonexistent-a/x.inc".to_owned(), format!("{dir}/nonexistent-b/x.inc")]);
    }
}
