//! No text makes the shell scanner panic, and its answer does not depend on anything else.
#![no_main]

use bitzel_base::CompatLevel;
use bitzel_scan::scan_shell;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let refs = scan_shell(text, CompatLevel::V2_18);
    assert_eq!(refs, scan_shell(text, CompatLevel::V2_18));
    if let Ok(refs) = refs {
        assert!(refs.execs.is_disjoint(&refs.functions));
    }
    drop(scan_shell(text, CompatLevel::V2_8));
});
