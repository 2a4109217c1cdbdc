//! No sequence of operations on a store makes it panic or hang, and what is read twice is the same
//! unless something was written. Run with `cargo fuzz run expand -- -dict=expand.dict`.
//!
//! An input is a text of lines: an operation's letter, a name of one letter that overrides may
//! follow, `=`, a value.

#![no_main]

use bitzel_base::CompatLevel;
use bitzel_data::{Context, DataStore, NoPython, ReadOptions, SetInfo, Value};
use libfuzzer_sys::fuzz_target;
use std::rc::Rc;

/// Values that double with each round of expansion are not what is looked for.
const LONGEST: usize = 400;

fuzz_target!(|input: (bool, &str)| {
    let (old, text) = input;
    if text.len() > LONGEST {
        return;
    }
    let level = if old { CompatLevel::V2_8 } else { CompatLevel::V2_18 };
    let mut store = DataStore::new(&Context::new(Rc::new(NoPython), level));
    let mut names = vec!["OVERRIDES"];
    let mut renames = 0;
    for line in text.lines() {
        let mut letters = line.chars();
        let operation = letters.next();
        let Some((name, value)) = letters.as_str().split_once('=') else { continue };
        let references = value.matches("${").count();
        if name.is_empty() || references > 2 {
            continue;
        }
        names.push(name);
        // Where a name is one of its own overrides, each renaming may double it.
        renames += usize::from(operation == Some('r'));
        if renames > 6 {
            continue;
        }
        apply(&store, operation, name, value);
        if operation == Some('c') {
            store = store.create_copy();
        }
    }
    for name in names {
        assert_eq!(read(&store, name), read(&store, name));
    }
    store.keys();
});

/// Errors are answers as good as any.
fn apply(store: &DataStore, operation: Option<char>, name: &str, value: &str) {
    let text = Value::str(value);
    let parsing = SetInfo { parsing: true, ..SetInfo::default() };
    match operation {
        Some('s') => drop(store.set(name, text, &SetInfo::default())),
        Some('S') => drop(store.set(name, text, &parsing)),
        Some('a') => drop(store.append(name, text, &SetInfo::default())),
        Some('p') => drop(store.prepend(name, text, &SetInfo::default())),
        Some('w') => drop(store.set_weak(name, text, &SetInfo::default())),
        Some('f') => drop(store.set_flag(name, "flag", text, &SetInfo::default())),
        Some('r') => drop(store.rename(name, value, &SetInfo::default())),
        Some('d') => store.delete(name, &SetInfo::default()),
        Some('e') => drop(store.expand(value)),
        _ => drop(read(store, name)),
    }
}

/// The value in all ways of reading.
fn read(store: &DataStore, name: &str) -> String {
    // First: what is known expanded answers other ways of reading too, as in BitBake.
    let expanded = store.get(name);
    let unexpanded = store.get_with(name, ReadOptions { expand: false, ..ReadOptions::default() });
    let weak = store.get_with(name, ReadOptions { no_weak_default: true, ..ReadOptions::default() });
    format!("{expanded:?} {unexpanded:?} {weak:?} {:?}", store.get_flag(name, "flag", true))
}
