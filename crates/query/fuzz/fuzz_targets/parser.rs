//! Any text is a query or an error that points into it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(error) = bitzel_query::parse(text) {
        assert!(error.span.end <= text.len() && !error.to_string().is_empty());
    }
});
