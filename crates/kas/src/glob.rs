//! File patterns as Python's `Path.glob` reads them: `*`, `?`, `[...]` within
//! a name, `**` for any folders.

use crate::error::KasError;
use std::path::{Path, PathBuf};

/// The files below `base` that match, sorted. Patterns that lead out of
/// `base` are refused.
pub fn glob(base: &Path, pattern: &str) -> Result<Vec<PathBuf>, KasError> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if pattern.starts_with('/') || parts.is_empty() || parts.contains(&"..") {
        return Err(KasError::User(format!(
            "artifact `{pattern}`: give a pattern below the build directory"
        )));
    }
    let mut found = Vec::new();
    walk(base, &parts, &mut found);
    found.sort();
    found.dedup();
    Ok(found)
}

fn walk(dir: &Path, parts: &[&str], found: &mut Vec<PathBuf>) {
    let Some((first, rest)) = parts.split_first() else {
        if dir.is_file() {
            found.push(dir.to_owned());
        }
        return;
    };
    if *first == "**" {
        walk(dir, rest, found);
    }
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if *first == "**" {
            // links are not followed: they may lead around in circles
            if is_dir {
                walk(&entry.path(), parts, found);
            }
        } else if matches(first.as_bytes(), entry.file_name().as_encoded_bytes()) {
            walk(&entry.path(), rest, found);
        }
    }
}

/// Whether a name matches one part of a pattern (`fnmatch`).
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some(b'*'), _) => {
            let rest = pattern.iter().position(|b| *b != b'*').map_or(&[][..], |at| &pattern[at..]);
            (0..=name.len()).any(|at| matches(rest, &name[at..]))
        }
        (Some(b'?'), Some(_)) => matches(&pattern[1..], &name[1..]),
        (Some(b'['), Some(byte)) => match pattern.iter().skip(2).position(|b| *b == b']') {
            None => *byte == b'[' && matches(&pattern[1..], &name[1..]),
            Some(end) => {
                let end = end + 2;
                in_set(&pattern[1..end], *byte) && matches(&pattern[end + 1..], &name[1..])
            }
        },
        (Some(a), Some(b)) => a == b && matches(&pattern[1..], &name[1..]),
        _ => false,
    }
}

fn in_set(set: &[u8], byte: u8) -> bool {
    let (negated, mut set) = match set.split_first() {
        Some((b'!', rest)) => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    while let Some(first) = set.first() {
        match set {
            [low, b'-', high, ..] => {
                found |= (*low..=*high).contains(&byte);
                set = &set[3..];
            }
            _ => {
                found |= *first == byte;
                set = &set[1..];
            }
        }
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_python() {
        let fits = |pattern: &str, name: &str| matches(pattern.as_bytes(), name.as_bytes());
        assert!(fits("*.img", "a.img") && fits("a?c", "abc") && fits("[a-c]x", "bx") && fits("[!a]x", "bx"));
        assert!(!fits("*.img", "a.img.gz") && !fits("[!b]x", "bx") && !fits("", "x") && fits("**x", "yx"));
    }

    #[test]
    fn files_are_found_below_the_base_only() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a/b/x.img", "a/y.img", "z.txt"] {
            std::fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = |pattern: &str| glob(dir.path(), pattern).unwrap().len();
        assert_eq!((found("**/*.img"), found("a/*.img"), found("*"), found("a/*/x*")), (2, 1, 1, 1));
        assert!(glob(dir.path(), "../x").is_err() && glob(dir.path(), "/etc/*").is_err());
    }
}
