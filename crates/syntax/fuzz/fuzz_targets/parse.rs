//! No text makes the parser fail, trees keep every byte, lines never go back.
//! Run with `cargo fuzz run parse -- -dict=parse.dict`.

#![no_main]

use bitzel_base::CompatLevel;
use bitzel_syntax::{FileKind, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| {
    let (options, text) = input;
    let kind = if options & 1 == 0 { FileKind::Recipe } else { FileKind::Conf };
    let level = if options & 2 == 0 { CompatLevel::V2_18 } else { CompatLevel::V2_8 };
    let parsed = parse(text, kind, level, options & 4 != 0);
    assert_eq!(parsed.syntax().text(), text);
    assert!(parsed.statements().is_sorted_by_key(|statement| statement.line));
    for diagnostic in parsed.diagnostics() {
        assert!(!diagnostic.message("x").to_string().is_empty());
    }
});
