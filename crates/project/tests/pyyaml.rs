//! YAML is read and written as PyYAML does it: compared with recorded answers
//! of PyYAML 6 (and, for the layout, of kas' dumper).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bitzel_project::{EmitOptions, Map, Value, emit, parse};
use serde_json::Value as Json;

/// Where the parser is more lenient than PyYAML: it follows YAML 1.2 here,
/// and nothing that works with PyYAML changes its meaning.
const LENIENT: [&str; 1] = ["\ta: 1\n"];

fn recorded() -> Json {
    serde_json::from_str(include_str!("pyyaml.json")).unwrap()
}

fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json[key].as_array().unwrap()
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => serde_json::json!({ "int": number.to_string() }),
        Value::Float(number) if number.is_infinite() => {
            serde_json::json!({ "float": if *number > 0.0 { "inf" } else { "-inf" } })
        }
        Value::Float(number) if number.is_nan() => serde_json::json!({ "float": "nan" }),
        Value::Float(number) => serde_json::json!({ "float": format!("{number:?}") }),
        Value::Str(text) => text.as_str().into(),
        Value::Opaque(what) => serde_json::json!({ "opaque": what }),
        Value::Seq(items) => items.iter().map(as_json).collect(),
        Value::Map(map) => {
            let pairs: Vec<Json> =
                map.iter().map(|(k, v)| serde_json::json!([k.as_str(), as_json(v)])).collect();
            serde_json::json!({ "map": pairs })
        }
    }
}

#[test]
fn documents_mean_what_they_mean_to_pyyaml() {
    let recorded = recorded();
    let mut differences = Vec::new();
    for case in list(&recorded, "parse") {
        let text = case["yaml"].as_str().unwrap();
        let got = parse(text.as_bytes());
        let same = match (&got, case.get("value")) {
            (Ok(document), Some(value)) => as_json(&document.value) == *value,
            (Err(_), None) => true,
            (Ok(_), None) => LENIENT.contains(&text),
            (Err(_), Some(_)) => false,
        };
        if !same {
            differences.push(format!("{text:?}: {got:?}, PyYAML: {:?}", case.get("value")));
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn texts_are_laid_out_as_by_pyyaml() {
    let recorded = recorded();
    let mut differences = Vec::new();
    for case in list(&recorded, "emit") {
        let text = case["text"].as_str().unwrap();
        let short: String = text.chars().take(60).collect();
        let text = Value::from(text);
        let inner: Map = [("m".into(), text.clone())].into_iter().collect();
        let mut map = Map::new();
        map.insert("k".into(), text.clone());
        map.insert("l".into(), vec![text, inner.into()].into());
        map.insert(short.into(), "v".into());
        let got = emit(&map.into(), &EmitOptions::default());
        if got != case["yaml"].as_str().unwrap() {
            differences.push(format!("got\n{got}PyYAML\n{}", case["yaml"].as_str().unwrap()));
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn nesting_is_laid_out_as_by_pyyaml() {
    let text = "{a: {}, b: [], c: null, d: [null, [], {}, [1, [2]], {x: {y: 1}}], e: true, f: {g: [{h: 1, i: [2]}]}}";
    let value = parse(text.as_bytes()).unwrap().value;
    for case in list(&recorded(), "layout") {
        let options = EmitOptions { indent: case["indent"].as_i64().unwrap(), ..EmitOptions::default() };
        assert_eq!(emit(&value, &options), case["yaml"].as_str().unwrap(), "indent {}", options.indent);
    }
}

#[test]
fn aliases_are_written_where_kas_writes_them() {
    let recorded = recorded();
    let mut differences = Vec::new();
    for case in list(&recorded, "aliases") {
        let value = parse(case["yaml"].as_str().unwrap().as_bytes()).unwrap().value;
        for (indent, key) in [(2, "kas"), (4, "indented")] {
            let options = EmitOptions { indent, kas_aliases: true, ..EmitOptions::default() };
            let (got, kas) = (emit(&value, &options), case[key].as_str().unwrap());
            if got != kas {
                differences.push(format!("{}got\n{got}kas\n{kas}", case["yaml"].as_str().unwrap()));
            }
        }
        let whole = emit(&value, &EmitOptions::default());
        assert_eq!(parse(whole.as_bytes()).unwrap().value, value, "{whole}");
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

proptest::proptest! {
    #[test]
    fn what_is_written_is_read_again(texts in proptest::collection::vec("[ -~\\n\\té\\u{2028}]{0,120}", 1..4), key in "[a-z -~]{1,30}") {
        let list = Value::from(texts.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>());
        let map: Map = [(key.into(), list)].into_iter().collect();
        let text = emit(&map.clone().into(), &EmitOptions::default());
        proptest::prop_assert_eq!(parse(text.as_bytes()).map(|d| d.value), Ok(Value::from(map)), "{}", text);
    }

    #[test]
    fn no_bytes_make_the_parser_fail_otherwise_than_with_an_error(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
        let _ = bitzel_project::parse_json(&bytes);
    }
}
