//! Nodes to values: tags, merge keys, one value for all aliases of a node.

use super::compose::{Document, Kind, Locations, Node, YamlError};
use super::scalar::{self, Tag};
use crate::key::Key;
use crate::value::{Map, Value, float_text};
use std::collections::HashMap;
use std::rc::Rc;

/// The most values a file may stand for, those of its aliases counted each time.
const MAX_VALUES: usize = 100_000;
const CORE: &str = "tag:yaml.org,2002:";

/// Gives every node its meaning.
pub(super) fn construct(root: &Node) -> Result<Document, YamlError> {
    let mut builder = Builder { lines: Locations::default(), values: 0, collections: HashMap::new() };
    let value = builder.value(root, "", root.line)?;
    Ok(Document { value, lines: builder.lines })
}

struct Builder {
    lines: Locations,
    values: usize,
    /// Lists and mappings by the address of their node: an alias is the same value again.
    collections: HashMap<*const Node, Value>,
}

impl Builder {
    /// `line` is where the reader sees the value: its key's line in a mapping.
    fn value(&mut self, node: &Node, pointer: &str, line: u32) -> Result<Value, YamlError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            let problem =
                format!("the file stands for more than {MAX_VALUES} values; are aliases nested in aliases?");
            return Err(YamlError::new(node.line, problem));
        }
        self.lines.0.insert(pointer.to_owned(), line);
        let tag = node.tag.as_deref().filter(|tag| *tag != "!");
        match (&node.kind, tag.map(|tag| tag.strip_prefix(CORE).unwrap_or(tag))) {
            (Kind::Scalar { text, plain }, tag) => scalar_value(node, text, *plain, tag),
            (Kind::Seq(items), None | Some("seq")) => {
                let item =
                    |(i, item): (usize, &Rc<Node>)| self.value(item, &format!("{pointer}/{i}"), item.line);
                let items = items.iter().enumerate().map(item).collect::<Result<Vec<_>, _>>()?;
                Ok(self.shared(node, items.into()))
            }
            (Kind::Map(_), None | Some("map")) => {
                let map = self.mapping(node, pointer)?;
                Ok(self.shared(node, map.into()))
            }
            (Kind::Seq(_), Some("omap" | "pairs")) => Ok(Value::Opaque("an ordered map")),
            (Kind::Map(_), Some("set")) => Ok(Value::Opaque("a set")),
            (_, Some(tag)) => Err(unknown_tag(node, tag)),
        }
    }

    /// The value of a list or mapping that was made of `node` first.
    fn shared(&mut self, node: &Node, value: Value) -> Value {
        self.collections.entry(std::ptr::from_ref(node)).or_insert(value).clone()
    }

    fn mapping(&mut self, node: &Node, pointer: &str) -> Result<Map, YamlError> {
        let mut map = Map::new();
        let mut budget = MAX_VALUES;
        for (key, value) in flatten(node, &mut budget)? {
            let name = self.key(&key)?;
            let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            let value = self.value(&value, &pointer, key.line)?;
            map.insert(name, value);
        }
        Ok(map)
    }

    /// Keys are what PyYAML makes of them: `off:` is a boolean, `10:` a number.
    fn key(&mut self, node: &Node) -> Result<Key, YamlError> {
        let Kind::Scalar { text, plain } = &node.kind else {
            return Err(YamlError::new(node.line, "a list or mapping cannot be a key"));
        };
        let tag = node.tag.as_deref().filter(|tag| *tag != "!");
        if tag.is_none() && *plain && matches!(scalar::resolve(text), Tag::Merge | Tag::Value) {
            return Ok(text.as_str().into());
        }
        match scalar_value(node, text, *plain, tag.map(|tag| tag.strip_prefix(CORE).unwrap_or(tag)))? {
            Value::Str(text) => Ok(text.into()),
            Value::Bool(truth) => Ok(Key::number(if truth { "True" } else { "False" }.to_owned())),
            Value::Int(number) => Ok(Key::number(number.to_string())),
            Value::Float(number) if number.is_finite() => Ok(Key::number(float_text(number))),
            other => {
                let kind = other.kind();
                let problem = format!("the key `{text}` is {kind} in YAML: write `\"{text}\"`");
                Err(YamlError::new(node.line, problem))
            }
        }
    }
}

type Pair = (Rc<Node>, Rc<Node>);

/// The pairs of a mapping, what it merges (`<<`) first.
fn flatten(node: &Node, budget: &mut usize) -> Result<Vec<Pair>, YamlError> {
    let Kind::Map(pairs) = &node.kind else {
        return Err(YamlError::new(node.line, "expected a mapping or a list of mappings for merging (`<<`)"));
    };
    *budget = budget.checked_sub(1 + pairs.len()).ok_or_else(|| {
        YamlError::new(node.line, "the merge keys (`<<`) of this mapping stand for too many values")
    })?;
    let (mut merged, mut own) = (Vec::new(), Vec::new());
    for (key, value) in pairs {
        let is_merge = key.tag.is_none()
            && matches!(&key.kind, Kind::Scalar { text, plain: true } if scalar::resolve(text) == Tag::Merge);
        match (&value.kind, is_merge) {
            (_, false) => own.push((Rc::clone(key), Rc::clone(value))),
            // of several mappings the first wins: it comes last
            (Kind::Seq(items), true) => {
                for item in items.iter().rev() {
                    merged.extend(flatten(item, budget)?);
                }
            }
            (_, true) => merged.extend(flatten(value, budget)?),
        }
    }
    merged.extend(own);
    Ok(merged)
}

fn unknown_tag(node: &Node, tag: &str) -> YamlError {
    YamlError::new(node.line, format!("the tag `{tag}` is not allowed here; remove it"))
}

fn scalar_value(node: &Node, text: &str, plain: bool, tag: Option<&str>) -> Result<Value, YamlError> {
    let resolved = match tag {
        None if plain || node.tag.is_some() => scalar::resolve(text),
        None | Some("str") => Tag::Str,
        Some("null") => Tag::Null,
        Some("bool") => Tag::Bool,
        Some("int") => Tag::Int,
        Some("float") => Tag::Float,
        Some("timestamp") => Tag::Timestamp,
        Some("binary") => return Ok(Value::Opaque("binary data")),
        Some(tag) => return Err(unknown_tag(node, tag)),
    };
    let invalid = |what: &str| YamlError::new(node.line, format!("`{text}` is no {what} that can be used"));
    match resolved {
        Tag::Null => Ok(Value::Null),
        Tag::Bool => scalar::boolean(text).map(Value::Bool).ok_or_else(|| invalid("boolean")),
        Tag::Int => scalar::int(text).map(Value::Int).ok_or_else(|| invalid("whole number")),
        Tag::Float => scalar::float(text).map(Value::Float).ok_or_else(|| invalid("number")),
        Tag::Timestamp => Ok(Value::Opaque("a date")),
        Tag::Str => Ok(Value::Str(text.to_owned())),
        Tag::Merge | Tag::Value => Err(YamlError::new(
            node.line,
            format!("a plain `{text}` has a special meaning in YAML: put it in quotes"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::value::Value;
    use crate::yaml::parse;

    fn value(text: &str) -> Value {
        parse(text.as_bytes()).unwrap().value
    }

    fn problem(text: &str) -> (Option<u32>, String) {
        let error = parse(text.as_bytes()).unwrap_err();
        (error.line, error.problem)
    }

    #[test]
    fn merge_keys_come_first_and_own_keys_win() {
        let merged = value("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  w: 0\n  <<: [*a, *b]\n  x: 9\n");
        let merged = merged.get("c").unwrap().as_map().unwrap();
        assert_eq!(merged.keys().collect::<Vec<_>>(), ["y", "z", "x", "w"]);
        assert_eq!(merged["x"], Value::Int(9));
        assert_eq!(merged["y"], Value::Int(2));
    }

    #[test]
    fn the_last_of_two_equal_keys_wins() {
        assert_eq!(value("a: 1\na: 2\n").get("a"), Some(&Value::Int(2)));
    }

    #[test]
    fn a_key_that_is_no_text_and_no_number_is_refused_with_its_line() {
        for key in ["~", "2024-01-01", ".inf"] {
            let (line, problem) = problem(&format!("layers:\n  {key}: disabled\n"));
            assert_eq!(line, Some(2));
            assert!(problem.contains(&format!("`\"{key}\"`")), "{problem}");
        }
    }

    #[test]
    fn nested_aliases_are_stopped_before_they_eat_the_memory() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let before = level - 1;
            let refs = vec![format!("*a{before}"); 10].join(", ");
            text += &format!("a{level}: &a{level} [{refs}]\n");
        }
        assert!(problem(&text).1.contains("aliases"));
    }

    #[test]
    fn nested_merges_are_stopped_too() {
        let mut text = String::from("a0: &a0 {k: 1}\n");
        for level in 1..40 {
            let before = level - 1;
            text += &format!("a{level}: &a{level}\n  <<: [*a{before}, *a{before}]\n");
        }
        assert!(problem(&text).1.contains("stand"), "{text}");
    }

    #[test]
    fn self_reference_depth_and_tags_are_refused() {
        assert!(problem("a: &a [*a]\n").1.contains("alias"));
        assert!(problem(&"[".repeat(200)).0.is_some());
        assert!(problem("a: !!python/object/apply:os.system [x]\n").1.contains("tag"));
        assert!(problem("a: =\n").1.contains("quotes"));
        assert!(problem("--- a\n--- b\n").1.contains("single document"));
        assert!(problem("a: \u{7}\n").1.contains("special character"));
    }

    #[test]
    fn lines_are_those_of_the_keys() {
        let document = parse(b"header:\n  version: 1\nrepos:\n  a/b:\n    url: x\n").unwrap();
        assert_eq!(document.lines.line("/repos/a~1b/url"), Some(5));
        assert_eq!(document.lines.line("/repos/a~1b/none"), Some(4));
    }
}
