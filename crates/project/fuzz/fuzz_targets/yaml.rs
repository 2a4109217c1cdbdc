//! Project files: whatever is read is written so that it is read again, and
//! the schema never fails otherwise than with problems.
#![no_main]

use bitzel_project::{EmitOptions, Schema, emit, parse, parse_json};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::new);

fuzz_target!(|data: &[u8]| {
    let _ = parse_json(data);
    if let Ok(document) = parse(data) {
        SCHEMA.check(&document);
        let text = emit(&document.value, &EmitOptions { null_word: true, ..EmitOptions::default() });
        let _ = parse(text.as_bytes());
    }
});
