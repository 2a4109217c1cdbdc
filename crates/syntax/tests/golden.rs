//! What BitBake's parser makes of small texts, as recorded by `record.py`, against ours.

use bitzel_base::CompatLevel;
use bitzel_syntax::{AssignOp, FileKind, Parse, Severity, Statement, StatementKind, parse};
use serde_json::{Value, json};

fn check(topic: &str, about: &str) {
    let topic: Value = serde_json::from_str(topic).expect("golden files are JSON");
    assert_eq!(topic["about"], about);
    let cases = topic["cases"].as_array().expect("a list");
    assert!(!cases.is_empty());
    for case in cases {
        let answer = &case["2.18"];
        check_case(case, CompatLevel::V2_18, answer);
        check_case(case, CompatLevel::V2_8, case.get("2.8").unwrap_or(answer));
    }
}

fn check_case(case: &Value, level: CompatLevel, recorded: &Value) {
    let file = case["file"].as_str().expect("a name");
    let text = case["text"].as_str().expect("a text");
    let kind = FileKind::of_name(file).expect("a BitBake file");
    let parsed = parse(text, kind, level, case["base"] == true);
    assert_eq!(answer(&parsed, file), *recorded, "at {level:?}, file {file}:\n{text}");
    assert_eq!(parsed.syntax().text(), text);
}

/// What BitBake says of a file: it gives up at the first error, and then has no statements.
fn answer(parsed: &Parse, file: &str) -> Value {
    let mut messages = Vec::new();
    let mut gave_up = false;
    for diagnostic in parsed.diagnostics() {
        let text = diagnostic.message(file).to_string();
        match diagnostic.severity() {
            Severity::Warning => messages.push(json!(["WARNING", text])),
            Severity::Fatal => messages.push(json!(["CRITICAL", text])),
            Severity::Error if text.contains("only a backslash") => {
                messages.push(json!(["ERROR", "IndexError"]))
            }
            Severity::Error => {
                messages.push(json!(["ERROR", format!("ParseError at {file}:{}: {text}", diagnostic.line)]));
            }
        }
        if diagnostic.severity() > Severity::Warning {
            // BitBake: this one is found after the statements are evaluated.
            gave_up = !text.ends_with("is never closed");
            break;
        }
    }
    let mut answer = json!({});
    if !gave_up && !parsed.statements().is_empty() {
        answer["statements"] = parsed.statements().iter().map(describe).collect();
    }
    if !messages.is_empty() {
        answer["messages"] = messages.into();
    }
    answer
}

fn describe(statement: &Statement) -> Value {
    use StatementKind::*;
    let line = statement.line;
    match &statement.kind {
        Assign { export, name, flag, op, value } => {
            json!(["assign", line, export, &**name, flag.as_deref(), operator(*op), &**value])
        }
        Export(name) => json!(["export", line, &**name]),
        Unset(name) => json!(["unset", line, &**name]),
        UnsetFlag(name, flag) => json!(["unset flag", line, &**name, &**flag]),
        Include { what, required: true } => json!(["require", line, &**what]),
        Include { what, required: false } => json!(["include", line, &**what]),
        IncludeAll(what) => json!(["include_all", line, &**what]),
        Inherit(names) => json!(["inherit", line, &**names]),
        InheritDefer(names) => json!(["inherit_defer", line, &**names]),
        Function { name, python, fakeroot, body, body_line } => {
            json!(["function", line, &**name, python, fakeroot, &**body, body_line])
        }
        Def { name, text, body_line } => json!(["def", line, &**name, &**text, body_line]),
        AddTask { tasks, after, before } => {
            let words = |list: &[std::sync::Arc<str>]| -> Value {
                list.iter().flat_map(|text| text.split_whitespace()).collect()
            };
            json!(["addtask", line, words(tasks), words(after), words(before)])
        }
        DelTask(names) => json!(["deltask", line, &**names]),
        AddHandler(names) => json!(["addhandler", line, split(names)]),
        ExportFunctions(names) => json!(["EXPORT_FUNCTIONS", line, split(names)]),
        AddPyLib(dir, namespace) => json!(["addpylib", line, &**dir, &**namespace]),
        AddFragments { prefix, variable, flagged, builtins } => {
            json!(["addfragments", line, &**prefix, &**variable, &**flagged, &**builtins])
        }
    }
}

fn split(names: &str) -> Vec<&str> {
    names.split_whitespace().collect()
}

fn operator(op: AssignOp) -> &'static str {
    match op {
        AssignOp::Set => "=",
        AssignOp::Immediate => ":=",
        AssignOp::Default => "?=",
        AssignOp::WeakDefault => "??=",
        AssignOp::AppendSpace => "+=",
        AssignOp::PrependSpace => "=+",
        AssignOp::Append => ".=",
        AssignOp::Prepend => "=.",
    }
}

#[test]
fn assignments_are_taken_apart_as_bitbake_does() {
    check(include_str!("golden/assignment.json"), "Assignments: names, flags, operators, quotes.");
}

#[test]
fn lines_are_continued_as_bitbake_does() {
    check(include_str!("golden/continuation.json"), "Continued lines and comments among them.");
}

#[test]
fn conf_files_hold_what_bitbake_allows() {
    check(include_str!("golden/conf.json"), "What is different in .conf files.");
}

#[test]
fn kinds_of_files_hold_what_bitbake_allows() {
    check(include_str!("golden/files.json"), "Statements by kind of file.");
}

#[test]
fn functions_begin_and_end_where_bitbake_says() {
    check(include_str!("golden/functions.json"), "Shell and Python functions between braces.");
}

#[test]
fn python_functions_begin_and_end_where_bitbake_says() {
    check(include_str!("golden/def.json"), "Python functions.");
}

#[test]
fn keywords_take_what_bitbake_allows() {
    check(include_str!("golden/directives.json"), "Statements that begin with a keyword.");
}

#[test]
fn tasks_come_before_and_after_what_bitbake_says() {
    check(include_str!("golden/tasks.json"), "addtask and deltask.");
}

#[test]
fn comments_and_blank_lines_say_nothing() {
    check(include_str!("golden/lines.json"), "Comments and blank lines.");
}

#[test]
fn every_place_allows_the_characters_that_bitbake_allows() {
    check(include_str!("golden/characters.json"), "Single characters in every kind of place.");
}

/// DIFFERS: releases between 2.8 and 2.18 have no word for built-in fragments, and their
/// layers say so at level 2.18 too.
#[test]
fn addfragments_of_three_words_is_a_statement() {
    let parsed = parse("addfragments a b c\n", FileKind::Conf, CompatLevel::V2_18, true);
    let answer = answer(&parsed, "t.conf");
    assert_eq!(answer, json!({"statements": [["addfragments", 1, "a", "b", "c", ""]]}));
}
