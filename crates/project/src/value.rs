//! The data of a project file: what PyYAML's `safe_load` would give, with the
//! order of keys kept.

use crate::key::Key;
use indexmap::IndexMap;
use std::sync::Arc;

/// A mapping in the order of the file.
pub type Map = IndexMap<Key, Value>;

/// One node of a project file. Lists and mappings that are one by an alias or a
/// merge key (`<<`) share their memory; who changes one gets a copy of it.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// `null`, `~` or nothing.
    #[default]
    Null,
    /// `true`, `yes`, `on` and their opposites.
    Bool(bool),
    /// A whole number; larger ones than fit are refused when read.
    Int(i128),
    /// A number with a decimal point.
    Float(f64),
    /// Text.
    Str(String),
    /// YAML has it, project files have no use for it (a date, binary data, a
    /// set); the words name it in error messages.
    Opaque(&'static str),
    /// A list.
    Seq(Arc<Vec<Value>>),
    /// A mapping.
    Map(Arc<Map>),
}

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The mapping, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The mapping, if it is one, of this place alone.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Value::Map(map) => Some(Arc::make_mut(map)),
            _ => None,
        }
    }

    /// The value under `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// As [`Value::get`], also for a key that is a number with this text.
    pub fn child(&self, key: &str) -> Option<&Value> {
        self.as_map()?.iter().find(|(own, _)| own.as_str() == key).map(|(_, value)| value)
    }

    /// The value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// What Python calls false: null, false, 0, nothing in it.
    pub fn is_falsy(&self) -> bool {
        match self {
            Value::Null | Value::Bool(false) | Value::Int(0) => true,
            Value::Float(number) => *number == 0.0,
            Value::Str(text) => text.is_empty(),
            Value::Seq(items) => items.is_empty(),
            Value::Map(map) => map.is_empty(),
            Value::Bool(true) | Value::Int(_) | Value::Opaque(_) => false,
        }
    }

    /// Whether both are one mapping in two places.
    pub fn is_same(&self, other: &Value) -> bool {
        matches!((self, other), (Value::Map(a), Value::Map(b)) if Arc::ptr_eq(a, b))
    }

    /// A mapping of these keys, in this order.
    pub fn mapping<'k>(pairs: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
        pairs.into_iter().map(|(key, value)| (key.into(), value)).collect::<Map>().into()
    }

    /// The kind of value in words for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Str(_) => "a text",
            Value::Opaque(what) => what,
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.to_owned())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::Seq(Arc::new(items))
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Value {
        Value::Map(Arc::new(map))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Str(text)
    }
}

/// A finite number as Python's `repr()` writes it.
pub(crate) fn float_text(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        None => text,
        Some((digits, power)) => match power.strip_prefix('-') {
            Some(power) => format!("{digits}e-{power:0>2}"),
            None => format!("{digits}e+{power:0>2}"),
        },
    }
}

/// As [`float_text`], so that YAML 1.1 does not take it for a text.
pub(crate) fn float_word(number: f64) -> String {
    let text = float_text(number);
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

/// Merges `update` into `base` as kas does: mappings key by key, everything
/// else (lists, texts, null) replaced as a whole. Keys keep the place where
/// they were first seen.
pub fn merge(base: &mut Map, update: &Map) {
    for (key, value) in update {
        match (base.get_mut(key), value) {
            (Some(Value::Map(old)), Value::Map(new)) => merge(Arc::make_mut(old), new),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn map(text: &str) -> Map {
        parse(text.as_bytes()).unwrap().value.as_map().unwrap().clone()
    }

    #[test]
    fn merging_keeps_first_seen_order_and_replaces_lists_whole() {
        let mut base = map("a: 1\nb: {x: 1, y: [1, 2]}\n");
        merge(&mut base, &map("c: 3\nb: {y: [3], z: null}\na: {k: v}\n"));
        assert_eq!(base, map("a: {k: v}\nb: {x: 1, y: [3], z: null}\nc: 3\n"));
        assert_eq!(base.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        let words = [1.0, 1e16, 1.5e16, 5e-5, -2.5e-7, 0.0001].map(float_word);
        assert_eq!(words, ["1.0", "1.0e+16", "1.5e+16", "5.0e-05", "-2.5e-07", "0.0001"]);
        assert_eq!(float_text(1e16), "1e+16");
    }

    #[test]
    fn null_replaces_a_mapping_but_keeps_the_key() {
        let mut base = map("repos: {a: {url: x}}\n");
        merge(&mut base, &map("repos: {a: null}\n"));
        assert_eq!(base["repos"].get("a"), Some(&Value::Null));
    }
}
