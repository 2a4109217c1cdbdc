//! The rules of SRC_URI live in Python: its tests run here, and what they skip for want of a tool is shown.

use std::path::Path;
use std::process::Command;

#[test]
fn the_python_package_passes_its_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python");
    let output = Command::new("python3")
        .args(["-B", "-m", "unittest", "discover", "--verbose", "--start-directory", "fetch_tests"])
        .args(["--top-level-directory", "."])
        .current_dir(folder)
        .output()
        .expect("python3 is what metadata needs anyway");
    let report = String::from_utf8_lossy(&output.stderr);
    for line in report.lines().filter(|line| line.contains("skipped")) {
        println!("{line}");
    }
    assert!(output.status.success(), "{report}");
}
