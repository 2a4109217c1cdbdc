//! Project files: whatever is read is written so that it is read again, and
//! the schema never fails otherwise than with problems.
#![no_main]

use bitzel_project::{EmitOptions, Schema, Value, emit, parse, parse_json};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::new);

fuzz_target!(|data: &[u8]| {
    let _ = parse_json(data);
    if let Ok(document) = parse(data) {
        SCHEMA.check(&document);
        let text = emit(&document.value, &EmitOptions { null_word: true, ..EmitOptions::default() });
        let again = parse(text.as_bytes());
        if is_comparable(&document.value) && text.len() < LIMIT {
            let again = again.expect("what is written can be read").value;
            assert_eq!(again, document.value, "{text}");
        }
    }
});

/// What is written may be longer than what is read.
const LIMIT: usize = 1 << 20;

/// Whether a value is written as itself: dates and the like are not values of
/// project files, and NaN equals nothing.
fn is_comparable(value: &Value) -> bool {
    match value {
        Value::Opaque(_) | Value::Float(_) => false,
        Value::Seq(items) => items.iter().all(is_comparable),
        Value::Map(map) => map.values().all(is_comparable),
        _ => true,
    }
}
