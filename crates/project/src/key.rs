//! The keys of mappings: texts, but for ids that YAML takes for numbers.

use crate::value::float_word;
use indexmap::Equivalent;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// A key of a mapping. Patches and header texts are numbered at times (`10:`),
/// which kas takes, sorts and shows as a number; `1` and `"1"` are two keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// For numbers and booleans what Python's `str()` makes of them.
    text: String,
    is_text: bool,
}

impl Key {
    /// The key of a number or boolean.
    pub(crate) fn number(text: String) -> Key {
        Key { text, is_text: false }
    }

    /// Whether it is a text, as all names are.
    pub fn is_text(&self) -> bool {
        self.is_text
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As JSON writes it, without quotes.
    pub(crate) fn json_word(&self) -> &str {
        match self.text.as_str() {
            "True" if !self.is_text => "true",
            "False" if !self.is_text => "false",
            text => text,
        }
    }

    /// As YAML writes a key that is no text.
    pub(crate) fn yaml_word(&self) -> String {
        match self.json_word() {
            word @ ("true" | "false") => word.to_owned(),
            number if number.contains('e') => float_word(self.size()),
            number => number.to_owned(),
        }
    }

    /// What it counts among numbers.
    fn size(&self) -> f64 {
        match self.text.as_str() {
            "True" => 1.0,
            "False" => 0.0,
            number => number.parse().unwrap_or(f64::NAN),
        }
    }
}

impl Ord for Key {
    // DIFFERS: kas cannot sort numbers among texts and ends in a traceback
    fn cmp(&self, other: &Key) -> Ordering {
        let numbers = match self.is_text || other.is_text {
            true => Ordering::Equal,
            false => self.size().total_cmp(&other.size()),
        };
        self.is_text.cmp(&other.is_text).then(numbers).then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

// texts hash as `str` does, so that they can be looked up without a copy
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        key.is_text && key.text == *self
    }
}

impl Equivalent<Key> for String {
    fn equivalent(&self, key: &Key) -> bool {
        self.as_str().equivalent(key)
    }
}

impl PartialEq<str> for Key {
    fn eq(&self, text: &str) -> bool {
        text.equivalent(self)
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key::from(text.to_owned())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Key {
        Key { text, is_text: true }
    }
}

#[cfg(test)]
mod tests {
    use crate::json::emit_json;
    use crate::value::Value;
    use crate::yaml::{EmitOptions, emit, parse};

    const TEXT: &str = "b: x\n20: x\n3: x\n'3': x\non: x\n1.5: x\n0001: x\n1.0e+20: x\n'True': x\n";

    #[test]
    fn numbers_are_keys_of_their_own_and_come_back_as_they_went() {
        let value = parse(TEXT.as_bytes()).unwrap().value;
        let keys: Vec<&str> = value.as_map().unwrap().keys().map(|key| key.as_str()).collect();
        assert_eq!(keys, ["b", "20", "3", "3", "True", "1.5", "1", "1e+20", "True"]);
        assert_eq!(value.get("3"), Some(&Value::from("x")));
        assert_eq!(value.get("20"), None);
        let text = emit(&value, &EmitOptions::default());
        assert_eq!(text, "b: x\n20: x\n3: x\n'3': x\ntrue: x\n1.5: x\n1: x\n1.0e+20: x\n'True': x\n");
        assert_eq!(parse(text.as_bytes()).unwrap().value, value);
    }

    #[test]
    fn numbers_are_sorted_by_size_and_before_texts() {
        let value = parse(b"b: x\n20: x\n3: x\n'3': x\n").unwrap().value;
        let sorted = emit(&value, &EmitOptions { sort: true, ..EmitOptions::default() });
        assert_eq!(sorted, "3: x\n20: x\n'3': x\nb: x\n");
        assert_eq!(
            emit_json(&parse(b"20: x\n3: x\n").unwrap().value, 0, true),
            "{\n\"3\": \"x\",\n\"20\": \"x\"\n}"
        );
    }
}
