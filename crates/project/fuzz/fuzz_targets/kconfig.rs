//! Kconfig files: whatever is read can be shown and turned into a project.
#![no_main]

use bitzel_project::{Environment, Kconfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("Kconfig");
    std::fs::write(&file, data).expect("a temporary file");
    if let Ok(kconfig) = Kconfig::read(&file, dir.path(), &Environment::new()) {
        kconfig.entries(kconfig.root());
        let _ = kconfig.project("/repo", None);
    }
});
