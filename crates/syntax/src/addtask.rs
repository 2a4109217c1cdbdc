//! The text behind `addtask`: tasks, and what they come after and before.

use crate::diagnostic::DiagnosticKind;
use crate::statement::StatementKind;
use crate::text::{is_space, is_word, trim_start};
use bitzel_base::CompatLevel;
use std::sync::Arc;

/// The statement, and what 2.8 complains of.
pub(crate) fn statement(text: &str, level: CompatLevel) -> (StatementKind, Vec<DiagnosticKind>) {
    if level >= CompatLevel::V2_18 { (many(text), Vec::new()) } else { one(text) }
}

/// 2.18: `TASKS [after TASKS | before TASKS]...`. The keywords stand between single blanks.
fn many(text: &str) -> StatementKind {
    const AFTER: &str = " after ";
    const BEFORE: &str = " before ";
    let tasks = text.split(BEFORE).next().and_then(|part| part.split(AFTER).next()).unwrap_or_default();
    let (after, before) = (lists(text, AFTER, BEFORE), lists(text, BEFORE, AFTER));
    StatementKind::AddTask { tasks: words(tasks), after: words(&after), before: words(&before) }
}

/// What stands behind each `keyword`, up to an `other`.
/// BitBake: lists with an `other` between are joined without a blank, so that in
/// `a before b after c before d` the task is before `bd`.
fn lists(text: &str, keyword: &str, other: &str) -> String {
    text.split(other).map(|part| part.split(keyword).skip(1).collect::<Vec<_>>().join(" ")).collect()
}

/// 2.8: `TASK [after TASKS | before TASKS]...`. The keywords are found within words too, each list
/// goes up to the last of the other keyword, and a later list takes the place of an earlier one.
fn one(text: &str) -> (StatementKind, Vec<DiagnosticKind>) {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (task, ignored) = text.split_at(end);
    let (mut after, mut before) = ("", "");
    let mut rest = trim_start(ignored);
    let mut diagnostics = Vec::new();
    let mut lists = 0;
    loop {
        let (list, other) = if let Some(names) = rest.strip_prefix("before") {
            rest = names;
            (&mut before, "after")
        } else if let Some(names) = rest.strip_prefix("after") {
            rest = names;
            (&mut after, "before")
        } else {
            break;
        };
        rest = rest.trim_start_matches(is_space);
        let (names, next) = rest.split_at(rest.rfind(other).unwrap_or(rest.len()));
        *list = names;
        rest = next;
        lists += 1;
    }
    if lists == 0 && !ignored.is_empty() {
        diagnostics.push(DiagnosticKind::AddTaskIgnored(ignored.into()));
    }
    for keyword in ["before", "after"] {
        if text.split_whitespace().filter(|word| *word == keyword).count() > 1 {
            diagnostics.push(DiagnosticKind::AddTaskRepeated(keyword));
        }
    }
    (StatementKind::AddTask { tasks: words(task), after: words(after), before: words(before) }, diagnostics)
}

/// The words of a list.
fn words(text: &str) -> Vec<Arc<str>> {
    text.split(is_space).filter(|word| !word.is_empty()).map(Arc::from).collect()
}
