//! Any text is read as a `.netrc`, and asking it for a host never fails.
#![no_main]

use bitzel_fetch::Netrc;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    drop(Netrc::parse(input.0).login(input.1).map(|(login, _)| assert!(!login.is_empty())));
});
