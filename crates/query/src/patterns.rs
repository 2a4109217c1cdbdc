//! Patterns with `*` and `?` over names.

use std::collections::BTreeMap;

/// Names and the nodes they stand for.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameTable {
    names: BTreeMap<String, Vec<u32>>,
}

impl NameTable {
    pub(crate) fn add(&mut self, name: &str, node: u32) {
        let list = self.names.entry(name.to_owned()).or_default();
        if !list.contains(&node) {
            list.push(node);
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Nodes of a name, or of all names a pattern matches.
    pub(crate) fn find(&self, word: &str) -> Vec<u32> {
        if let Some(nodes) = self.names.get(word) {
            return nodes.clone();
        }
        if !word.contains(['*', '?']) {
            return Vec::new();
        }
        let pattern: Vec<char> = word.chars().collect();
        let hits = self.names.iter().filter(|(name, _)| matches(&pattern, name));
        hits.flat_map(|(_, nodes)| nodes).copied().collect()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}

/// `*` stands for any text, `?` for one character.
fn matches(pattern: &[char], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last `*` was, and how much text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_any_text() {
        let hit = |pattern: &str, text| matches(&pattern.chars().collect::<Vec<_>>(), text);
        assert!(
            hit("*-native", "m4-native") && hit("a*b*c", "axxbyybc") && hit("*", "") && hit("a?c", "abc")
        );
        assert!(!hit("*-native", "m4") && !hit("a*b", "abc") && !hit("?", ""));
    }
}
