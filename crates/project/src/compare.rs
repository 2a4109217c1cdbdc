//! Two configurations compared key by key, and which file set a key.

use crate::config::Config;
use crate::file::ConfigFile;
use crate::value::{Map, Value};
use indexmap::IndexMap;
use std::path::PathBuf;

/// Dotted key to old and new value; null where a side has none.
pub type Changes = IndexMap<String, (Value, Value)>;

/// What differs, in the order of the first configuration.
pub fn changes(old: &Map, new: &Map) -> Changes {
    let mut out = Changes::new();
    compare(old, new, "", &mut out);
    out
}

fn compare(old: &Map, new: &Map, prefix: &str, out: &mut Changes) {
    let dotted = |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    for (key, old_value) in old {
        match (old_value, new.get(key)) {
            (Value::Map(a), Some(Value::Map(b))) => compare(a, b, &dotted(key), out),
            (a, Some(b)) if a == b => {}
            (a, b) => {
                out.insert(dotted(key), (a.clone(), b.cloned().unwrap_or_default()));
            }
        }
    }
    for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        out.insert(dotted(key), (Value::Null, value.clone()));
    }
}

/// The configuration `kas diff` compares: includes removed, overrides laid
/// over the top level.
pub fn comparable(config: &Config) -> Map {
    let mut map = config.flattened();
    let overrides = map.get("overrides").and_then(Value::as_map).cloned().unwrap_or_default();
    if !overrides.is_empty() {
        map.extend(overrides);
        map.shift_remove("overrides");
    }
    map
}

/// One file that has a say about a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// Counted from 1, where known.
    pub line: Option<u32>,
    /// What the file says.
    pub value: Value,
}

/// The files that say something about `key` (keys joined by dots), in the
/// order of merging: the last one wins, mappings are merged.
pub fn origins(files: &[ConfigFile], key: &str) -> Vec<Origin> {
    let mut out = Vec::new();
    for file in files {
        let root = Value::from(file.config.clone());
        if let Some((value, pointer)) = walk(&root, key, String::new()) {
            let line = file.lines.line(&pointer);
            out.push(Origin { file: file.path.clone(), line, value: value.clone() });
        }
    }
    out
}

/// Keys may hold dots themselves, so every split is tried.
fn walk<'a>(value: &'a Value, key: &str, pointer: String) -> Option<(&'a Value, String)> {
    if key.is_empty() {
        return Some((value, pointer));
    }
    let dots = key.match_indices('.').map(|(at, _)| at).chain([key.len()]);
    dots.rev().find_map(|at| {
        let part = &key[..at];
        let rest = key.get(at + 1..).unwrap_or_default();
        let pointer = format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"));
        walk(value.child(part)?, rest, pointer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::new_lock;
    use crate::yaml::parse;

    #[test]
    fn changes_name_added_removed_and_changed_keys() {
        let map = |text: &str| parse(text.as_bytes()).unwrap().value.as_map().unwrap().clone();
        let changes = changes(&map("a: 1\nb: {c: [1], d: x}\n"), &map("b: {c: [2], d: x}\ne: 3\n"));
        let keys: Vec<_> = changes.keys().map(String::as_str).collect();
        assert_eq!(keys, ["a", "b.c", "e"]);
        assert_eq!(changes["a"], (Value::Int(1), Value::Null));
    }

    #[test]
    fn origins_tell_file_line_and_value_even_of_keys_with_dots() {
        let file = |name: &str, text: &str| {
            let mut file = new_lock(name.into());
            let document = parse(text.as_bytes()).unwrap();
            file.config = document.value.as_map().unwrap().clone();
            file.lines = document.lines;
            file
        };
        let files = [
            file("a.yml", "repos:\n  x.y:\n    branch: one\n"),
            file("b.yml", "machine: m\n"),
            file("c.yml", "repos: {x.y: {branch: two}}\n"),
        ];
        let got = origins(&files, "repos.x.y.branch");
        let got: Vec<_> =
            got.iter().map(|o| (o.file.to_str().unwrap(), o.line, o.value.as_str().unwrap())).collect();
        assert_eq!(got, [("a.yml", Some(3), "one"), ("c.yml", Some(1), "two")]);
        assert!(origins(&files, "repos.none").is_empty());
    }
}
