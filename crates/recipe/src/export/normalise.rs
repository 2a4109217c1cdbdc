//! Takes out of texts what only this machine has: paths, user, clock and process ids
//! become placeholders such as `@TOPDIR@`.

use crate::Result;
use crate::layers::python_escape;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where things are on this machine, beyond what variables tell.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// What stands for the BitBake checkout in PATH and file names.
    pub bitbake: String,
    /// `$HOME`.
    pub home: String,
    /// `$USER`.
    pub user: String,
}

/// Replaces machine-specific parts of texts.
#[derive(Clone, Debug, Default)]
pub struct Normaliser {
    /// Longest first.
    paths: Vec<(String, String)>,
    anonymous: Vec<(String, String)>,
    dates: Vec<String>,
    whole: BTreeMap<String, &'static str>,
    places: String,
}

/// Characters that may not follow a path, lest it be part of a longer name.
fn continues_name(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-')
}

/// Looks up the value of a variable of a configuration.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Result<String>;

impl Normaliser {
    /// The rules for the configurations given, default one first: each answers with the
    /// expanded value of a variable, empty where it has none.
    pub fn new(configurations: &[Lookup<'_>], places: &Places) -> Result<Normaliser> {
        let mut result = Normaliser::default();
        let Some(get) = configurations.first() else { return Ok(result) };
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut add = |path: &str, placeholder: String| {
            let real = std::fs::canonicalize(path).map(|p| p.to_string_lossy().into_owned());
            let mut names = vec![path.trim_end_matches('/').to_owned()];
            names.push(real.unwrap_or_else(|_| path.to_owned()).trim_end_matches('/').to_owned());
            names.dedup();
            pairs.extend(names.into_iter().filter(|n| !n.is_empty()).map(|name| (name, placeholder.clone())));
        };
        let core = get("COREBASE")?;
        add(&core, "@COREBASE@".to_owned());
        let real = |path: &str| {
            std::fs::canonicalize(path).map_or_else(|_| path.to_owned(), |p| p.to_string_lossy().into_owned())
        };
        let core_prefix = format!("{}/", real(&core));
        for layer in get("BBLAYERS")?.split_whitespace() {
            if !format!("{}/", real(layer)).starts_with(&core_prefix) {
                let name = layer.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                add(layer, format!("@LAYER:{name}@"));
            }
        }
        add(&get("TOPDIR")?, "@TOPDIR@".to_owned());
        add(&places.bitbake, "@BITBAKEDIR@".to_owned());
        add(&get("DL_DIR")?, "@DL_DIR@".to_owned());
        add(&places.home, "@HOME@".to_owned());
        result.add_paths(&pairs, places);
        for get in configurations {
            let (date, time) = (get("DATE")?, get("TIME")?);
            if !(date.is_empty() && time.is_empty()) {
                result.dates.push(format!("{date}{time}"));
                result.whole.insert(date, "@DATE@");
                result.whole.insert(time, "@TIME@");
            }
        }
        if !places.user.is_empty() {
            result.whole.insert(places.user.clone(), "@USER@");
        }
        Ok(result)
    }

    fn add_paths(&mut self, pairs: &[(String, String)], places: &Places) {
        let mut lines: Vec<String> = pairs.iter().map(|(path, name)| format!("{name}={path}\n")).collect();
        lines.push(format!("@USER@={}\n", places.user));
        lines.sort_unstable();
        self.places = sha20(&lines.concat());
        let mut seen: Vec<&str> = Vec::new();
        for (path, placeholder) in pairs {
            if seen.contains(&path.as_str()) {
                continue;
            }
            seen.push(path);
            self.paths.push((path.clone(), placeholder.clone()));
            let escaped = python_escape(path);
            if escaped != *path {
                self.paths.push((escaped, placeholder.clone()));
            }
            let flat: String = path.chars().map(|c| if "/.+-@%&~".contains(c) { '_' } else { c }).collect();
            self.anonymous.push((flat, placeholder.clone()));
        }
        self.paths.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.0.cmp(&b.0)));
        self.anonymous.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.0.cmp(&b.0)));
    }

    /// A digest of all paths replaced: equal for exports made in the same places.
    pub fn places(&self) -> &str {
        &self.places
    }

    /// The text without what only this machine has.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if let Some(placeholder) = self.whole.get(text) {
            return Cow::Borrowed(placeholder);
        }
        let mut result = self.replace_paths(text);
        for date in &self.dates {
            if result.contains(date.as_str()) {
                result = Cow::Owned(replace_number(&result, date));
            }
        }
        if result.contains("__anon_") {
            result = Cow::Owned(self.replace_anonymous(&result));
        }
        result
    }

    /// The same for all texts of a value, keys included.
    pub fn json(&self, value: &Json) -> Json {
        let text = |text: &str| self.text(text).into_owned();
        match value {
            Json::String(value) => Json::String(text(value)),
            Json::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            Json::Object(map) => {
                Json::Object(map.iter().map(|(key, item)| (text(key), self.json(item))).collect())
            }
            other => other.clone(),
        }
    }

    fn replace_paths<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let mut out: Option<String> = None;
        let mut copied = 0;
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'/', &bytes[at..]) {
            let start = at + found;
            at = start + 1;
            let hit = self.paths.iter().find(|(path, _)| {
                text[start..].starts_with(path.as_str()) && !continues_name(bytes.get(start + path.len()))
            });
            let (end, placeholder) = match hit {
                Some((path, placeholder)) => (start + path.len(), placeholder.as_str()),
                None => match fifo_number(bytes, start) {
                    Some(end) => {
                        let out = out.get_or_insert_with(String::new);
                        out.push_str(&text[copied..start + 6]);
                        out.push_str("@PID@");
                        copied = end;
                        at = end;
                        continue;
                    }
                    None => continue,
                },
            };
            let out = out.get_or_insert_with(String::new);
            out.push_str(&text[copied..start]);
            out.push_str(placeholder);
            copied = end;
            at = end;
        }
        match out {
            None => Cow::Borrowed(text),
            Some(mut out) => {
                out.push_str(&text[copied..]);
                Cow::Owned(out)
            }
        }
    }

    /// Names of anonymous functions hold their file's path with `_` for its separators.
    fn replace_anonymous(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(found) = rest.find("__anon_") {
            let digits = rest[found + 7..].bytes().take_while(u8::is_ascii_digit).count();
            let path_at = found + 7 + digits + 1;
            let path = rest.get(path_at..).unwrap_or_default();
            let hit = (digits > 0 && rest.as_bytes().get(path_at - 1) == Some(&b'_'))
                .then(|| {
                    self.anonymous.iter().find(|(flat, _)| {
                        path.strip_prefix(flat.as_str()).is_some_and(|r| r.starts_with('_'))
                    })
                })
                .flatten();
            match hit {
                Some((flat, placeholder)) => {
                    out.push_str(&rest[..path_at]);
                    out.push_str(placeholder);
                    rest = &rest[path_at + flat.len()..];
                }
                None => {
                    out.push_str(&rest[..found + 7]);
                    rest = &rest[found + 7..];
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// The end of the digits behind `/fifo.` at `start`.
fn fifo_number(bytes: &[u8], start: usize) -> Option<usize> {
    let digits_at = start + 6;
    if !bytes[start..].starts_with(b"/fifo.") {
        return None;
    }
    let digits = bytes[digits_at..].iter().take_while(|b| b.is_ascii_digit()).count();
    (digits > 0).then_some(digits_at + digits)
}

fn replace_number(text: &str, number: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, _) in text.match_indices(number) {
        let end = at + number.len();
        if at < copied || digit(bytes.get(end)) || (at > 0 && digit(bytes.get(at - 1))) {
            continue;
        }
        out.push_str(&text[copied..at]);
        out.push_str("@DATETIME@");
        copied = end;
    }
    out.push_str(&text[copied..]);
    out
}

/// First 20 hex digits of the sha256.
pub(crate) fn sha20(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Normaliser {
        let mut n = Normaliser::default();
        let pairs =
            [("/b/top".to_owned(), "@TOPDIR@".to_owned()), ("/b".to_owned(), "@COREBASE@".to_owned())];
        n.add_paths(&pairs, &Places::default());
        n.dates.push("20260102030405".to_owned());
        n
    }

    #[test]
    fn the_longest_path_wins_and_names_are_not_cut() {
        let n = sample();
        assert_eq!(n.text("x /b/top/a /b/topic /b-1 /b"), "x @TOPDIR@/a @COREBASE@/topic /b-1 @COREBASE@");
    }

    #[test]
    fn clock_pid_and_anonymous_names_are_replaced() {
        let n = sample();
        assert_eq!(n.text("-20260102030405.x 120260102030405"), "-@DATETIME@.x 120260102030405");
        assert_eq!(n.text("/t/fifo.123"), "/t/fifo.@PID@");
        assert_eq!(n.text("__anon_3__b_top_x_bb"), "__anon_3_@TOPDIR@_x_bb");
    }
}
