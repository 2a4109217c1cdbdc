//! JSON project files, and JSON as Python's `json.dump` lays it out.

use crate::key::Key;
use crate::value::{Map, Value, float_text};
use crate::yaml::{Document, YamlError, parse};
use std::fmt::Write;

/// Parses a JSON project file. The lines of its values come from reading it
/// as YAML, of which JSON is nearly a part; where that fails they are unknown.
pub fn parse_json(bytes: &[u8]) -> Result<Document, YamlError> {
    if bytes.len() > crate::yaml::MAX_BYTES {
        let problem = format!("the file has {} bytes, too many to be a project file", bytes.len());
        return Err(YamlError { line: None, problem });
    }
    let json: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|e| YamlError { line: u32::try_from(e.line()).ok(), problem: e.to_string() })?;
    let lines = parse(bytes).map(|document| document.lines).unwrap_or_default();
    Ok(Document { value: from_json(json), lines })
}

/// JSON data as a project value.
pub fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(truth),
        serde_json::Value::Number(number) => match number.as_i128() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::Str(text),
        serde_json::Value::Array(items) => items.into_iter().map(from_json).collect::<Vec<_>>().into(),
        serde_json::Value::Object(map) => {
            map.into_iter().map(|(k, v)| (k.into(), from_json(v))).collect::<Map>().into()
        }
    }
}

/// A project value as JSON data for the schema. What JSON has no word for
/// becomes a number no schema rule accepts.
pub fn to_json(value: &Value) -> serde_json::Value {
    const NO_VALID_VALUE: f64 = 0.5;
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => match i64::try_from(*number) {
            Ok(number) => number.into(),
            Err(_) => (*number as f64).into(),
        },
        Value::Float(number) if number.is_finite() => (*number).into(),
        Value::Float(_) | Value::Opaque(_) => NO_VALID_VALUE.into(),
        Value::Str(text) => text.as_str().into(),
        Value::Seq(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => {
            let name = |key: &Key| match !key.is_text() && map.contains_key(key.as_str()) {
                true => format!("{key} (a number)"),
                false => key.to_string(),
            };
            map.iter().map(|(k, v)| (name(k), to_json(v))).collect::<serde_json::Map<_, _>>().into()
        }
    }
}

/// The JSON text of `value` as `json.dump(value, indent=indent)` writes it,
/// without a line break at the end.
pub fn emit_json(value: &Value, indent: i64, sort: bool) -> String {
    let mut out = String::new();
    write_value(&mut out, value, usize::try_from(indent).unwrap_or(0), sort, 0);
    out
}

fn write_value(out: &mut String, value: &Value, indent: usize, sort: bool, depth: usize) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * depth));
    };
    match value {
        Value::Null | Value::Opaque(_) => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Float(number) if number.is_finite() => out.push_str(&float_text(*number)),
        Value::Float(number) if number.is_nan() => out.push_str("NaN"),
        Value::Float(number) => out.push_str(if *number > 0.0 { "Infinity" } else { "-Infinity" }),
        Value::Str(text) => quote(out, text),
        Value::Seq(items) if items.is_empty() => out.push_str("[]"),
        Value::Seq(items) => {
            for (i, item) in items.iter().enumerate() {
                out.push(if i == 0 { '[' } else { ',' });
                line(out, depth + 1);
                write_value(out, item, indent, sort, depth + 1);
            }
            line(out, depth);
            out.push(']');
        }
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::Map(map) => {
            for (i, (key, value)) in ordered(map, sort).into_iter().enumerate() {
                out.push(if i == 0 { '{' } else { ',' });
                line(out, depth + 1);
                quote(out, key.json_word());
                out.push_str(": ");
                write_value(out, value, indent, sort, depth + 1);
            }
            line(out, depth);
            out.push('}');
        }
    }
}

fn ordered(map: &Map, sort: bool) -> Vec<(&Key, &Value)> {
    let mut pairs: Vec<_> = map.iter().collect();
    if sort {
        pairs.sort_by_key(|(key, _)| *key);
    }
    pairs
}

/// A JSON string in ASCII.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("writing to a string cannot fail");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_that_of_python() {
        let value = parse(b"b: [1, {}]\na: {x: null, \"\\u00e9\": \"\\U0001F600\"}\ne: []\n").unwrap().value;
        let expected = "{\n  \"a\": {\n    \"x\": null,\n    \"\\u00e9\": \"\\ud83d\\ude00\"\n  },\n  \"b\": [\n    1,\n    {}\n  ],\n  \"e\": []\n}";
        assert_eq!(emit_json(&value, 2, true), expected);
    }

    #[test]
    fn lines_of_json_values_are_known() {
        let document = parse_json(b"{\"header\":\n {\"version\":\n  1}}").unwrap();
        assert_eq!(document.lines.line("/header/version"), Some(2));
        assert_eq!(parse_json(b"{\n\"a\": }").unwrap_err().line, Some(2));
    }
}
