//! A policy file never makes the reader panic, and its errors name a line of it.
#![no_main]

use bitzel_exec::{Error, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Policy::parse("policy.toml".as_ref(), text) {
        Ok(policy) => {
            for exception in &policy.exceptions {
                assert!(!exception.reason.trim().is_empty());
                exception.matches("recipe", "do_task");
                exception.describe(&policy.file);
            }
        }
        Err(Error::Policy { line, .. }) => assert!(line >= 1 && line <= text.matches('\n').count() + 1),
        Err(other) => panic!("{other}"),
    }
});
