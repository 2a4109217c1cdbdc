//! `bitbake -e` and `-s` print what BitBake 2.18 and 2.8 printed of the metadata in `environment/`.
//!
//! In the recorded answers places in BitBake's own program read `[environment]`. bitzel names the
//! place in the metadata there, if there is one.
#![allow(clippy::unwrap_used, reason = "tests")]

use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A copy of the metadata for one series of releases.
struct Lab {
    dir: tempfile::TempDir,
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/environment")
}

impl Lab {
    fn new(series: &str) -> Lab {
        let lab = Lab { dir: tempfile::tempdir().unwrap() };
        for part in ["layer", "over", "build"] {
            copy(&here().join(part), &lab.dir.path().join(part), series);
        }
        lab
    }

    /// What the program prints, without what differs from place to place.
    fn printed(&self, arguments: &[&str]) -> String {
        let path = std::env::var("PATH").unwrap();
        let top = self.dir.path().canonicalize().unwrap().display().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bitzel"));
        command.arg("bitbake").args(arguments).current_dir(format!("{top}/build")).env_clear();
        command.env("PATH", &path).env("HOME", "/home/builder").env("SHELL", "/bin/sh").env("TERM", "dumb");
        command.env("PWD", format!("{top}/build"));
        command.env("USER", "builder").env("LOGNAME", "builder").env("LC_ALL", "en_US.UTF-8");
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        // anonymous functions are named after their file
        let name = top.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let text = text.replace(&top, "@TOP@").replace(&name, "@NAME@").replace(&path, "@PATH@");
        let text = Regex::new(r"\['[^]]*bitzel[^]]*\]").unwrap().replace_all(&text, "@CMDLINE@");
        Regex::new("0x[0-9a-f]{6,}").unwrap().replace_all(&text, "@ADDRESS@").into_owned()
    }
}

fn copy(from: &Path, to: &Path, series: &str) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target, series);
        } else {
            let text = fs::read_to_string(entry.path()).unwrap();
            let text = if entry.file_name() == "layer.conf" { text.replace("wrynose", series) } else { text };
            fs::write(target, text).unwrap();
        }
    }
}

/// Compares all answers recorded for one level.
fn compare(series: &str, level: &str) {
    let lab = Lab::new(series);
    let cases: [(&str, &[&str]); 4] = [
        ("versions", &["-s"]),
        ("configuration", &["-e"]),
        ("five", &["-e", "five"]),
        ("one", &["-e", "one"]),
    ];
    let mut differences = Vec::new();
    for (name, arguments) in cases {
        let file = here().join(format!("recorded/{name}-{level}.txt"));
        let (wanted, got) = (fs::read_to_string(file).unwrap(), lab.printed(arguments));
        if wanted.lines().count() != got.lines().count() {
            differences.push(format!("{name}: another number of lines:\n{got}"));
        }
        for (number, (wanted, got)) in wanted.lines().zip(got.lines()).enumerate() {
            if !same(wanted, got) {
                differences.push(format!("{name}:{}: got\n{got}\nwanted\n{wanted}", number + 1));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The same line, or the same change with the place that BitBake does not know.
fn same(wanted: &str, got: &str) -> bool {
    let change = wanted.strip_suffix("[environment]");
    wanted == got || change.is_some_and(|change| change.starts_with("#   ") && got.starts_with(change))
}

#[test]
fn environments_and_versions_are_those_of_bitbake_2_18() {
    compare("wrynose", "2.18");
}

#[test]
fn environments_and_versions_are_those_of_bitbake_2_8() {
    compare("scarthgap", "2.8");
}
