//! What BitBake's own code parsers found in the texts of `golden/`, recorded from versions 2.8 and 2.18.
//! Where an answer is null they refused the text.

use bitzel_base::CompatLevel;
use bitzel_scan::{PythonRefs, scan_python, scan_shell};
use serde_json::{Map, Value, json};

fn records(text: &'static str) -> impl Iterator<Item = (Value, String)> {
    text.lines().map(|line| {
        let record: Value = serde_json::from_str(line).expect("records are JSON");
        let text = record["text"].as_str().expect("records have a text").to_owned();
        (record, text)
    })
}

#[test]
fn shell_finds_are_those_of_bitbake() {
    let mut count = 0;
    for (record, text) in records(include_str!("golden/shell.jsonl")) {
        for (key, level) in [("2.8", CompatLevel::V2_8), ("2.18", CompatLevel::V2_18)] {
            let found = scan_shell(&text, level).ok().map(|refs| refs.execs);
            assert_eq!(json!(found), record[key], "at level {key}: {text:?}");
            count += 1;
        }
    }
    assert!(count > 2000);
}

#[test]
fn python_finds_are_those_of_bitbake() {
    let mut count = 0;
    for (record, text) in records(include_str!("golden/python.jsonl")) {
        let found = scan_python(&text, CompatLevel::V2_18).ok().map(shown);
        assert_eq!(json!(found), record["finds"], "{text:?}");
        count += 1;
    }
    assert!(count > 800);
}

/// Sets that hold anything.
fn shown(refs: PythonRefs) -> Map<String, Value> {
    let PythonRefs { references, execs, var_execs, contains } = refs;
    let all =
        json!({ "references": references, "execs": execs, "var_execs": var_execs, "contains": contains });
    let Value::Object(all) = all else { unreachable!() };
    all.into_iter().filter(|(_, v)| *v != json!([]) && *v != json!({})).collect()
}
