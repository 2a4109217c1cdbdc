//! No text makes the Python scanner panic.
#![no_main]

use bitzel_base::CompatLevel;
use bitzel_scan::{NoVisitor, scan_module, scan_python};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let level = CompatLevel::V2_18;
    if scan_python(text, level).is_ok() {
        drop(scan_module(text, "lib", level, &NoVisitor));
    }
});
