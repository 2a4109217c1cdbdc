//! A task's description survives its way to the helper, and no path it names
//! is both hidden and granted.
#![no_main]

use bitzel_exec::{Limits, TaskSpec};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    Limits::from_metadata("do_x", |_| Some(text.to_owned()), |_| None).ok();
    if let Ok(spec) = serde_json::from_str::<TaskSpec>(text) {
        let sent = serde_json::to_string(&spec).expect("what was read can be written");
        let got: TaskSpec = serde_json::from_str(&sent).expect("what was written can be read");
        assert!(got == spec);
        for path in &spec.hidden {
            assert!(spec.declared(path).is_some());
        }
    }
});
