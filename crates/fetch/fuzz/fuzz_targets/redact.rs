//! What is left out once needs not be left out again.
#![no_main]

use bitzel_fetch::redact;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let once = redact(text);
    assert_eq!(redact(&once), once);
});
