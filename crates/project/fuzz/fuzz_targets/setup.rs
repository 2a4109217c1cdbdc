//! bitbake-setup's configurations: whatever can be converted is a project file
//! that follows the schema.
#![no_main]

use bitzel_project::{EmitOptions, SetupChoice, Value, emit, from_setup, parse, parse_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(document) = parse_json(data) else { return };
    let choice = SetupChoice { configuration: None, fragments: Vec::new() };
    if let Ok(project) = from_setup(&document.value, &choice, &mut Vec::new()) {
        let text = emit(&Value::Map(project), &EmitOptions::default());
        parse(text.as_bytes()).expect("what is written can be read");
    }
});
