//! Builds of the example that are killed or run out of room: the next one finishes them, what
//! comes out is what an undisturbed build gives, and no process is left.
//!
//! `BITZEL_FAULT_MOMENTS` says how many random moments of each kind are tried.
#![allow(clippy::unwrap_used, reason = "tests")]

mod processes;

use processes::Family;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A build directory of the example.
struct Example {
    dir: tempfile::TempDir,
}

impl Example {
    fn new() -> Example {
        let example = Example { dir: tempfile::tempdir().unwrap() };
        let setup = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/demo/setup.sh");
        assert!(Command::new(setup).arg(example.build()).stdout(Stdio::null()).status().unwrap().success());
        example
    }

    fn build(&self) -> PathBuf {
        self.dir.path().join("build")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bitzel"));
        command.args(["bitbake", "demo-image"]).current_dir(self.build());
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command.env_remove("BBPATH").stdin(Stdio::null());
        command
    }

    /// Builds to the end, and says how long that took.
    fn finish(&self) -> Duration {
        let start = Instant::now();
        let output = self.command().output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        start.elapsed()
    }

    /// Everything a build leaves, but for the logs: paths with modes, and for files whose
    /// contents are the same in all builds a digest of them.
    fn result(&self) -> BTreeMap<String, String> {
        let top = self.build().join("tmp");
        let mut found = BTreeMap::new();
        walk(&top, &mut |path| {
            let name = path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
            // Logs and records have the time in their names.
            if name.contains("/temp/") || name == "log" || name.starts_with("log/") {
                return;
            }
            let meta = path.symlink_metadata().unwrap();
            let content = if meta.is_symlink() {
                fs::read_link(path).unwrap().to_string_lossy().into_owned()
            } else if meta.is_file() && !name.ends_with(".tar") && !name.contains("stamps/") {
                format!(
                    "{:x}",
                    fs::read(path)
                        .unwrap()
                        .iter()
                        .fold(0u64, |sum, &byte| { sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte) })
                )
            } else {
                String::new()
            };
            found.insert(name, format!("{:o} {content}", meta.permissions().mode()));
        });
        found
    }
}

fn walk(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        each(&path);
        if path.symlink_metadata().unwrap().is_dir() {
            walk(&path, each);
        }
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Numbers that look random; the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

/// Orphans fall to this process whatever test they are of: one test builds at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who is killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Program,
    Host,
    Task,
}

/// Builds, and kills `victim` once `moment` is over and there is one. False if there was none.
fn disturb(example: &Example, family: &Family, victim: Victim, moment: Duration) -> bool {
    let mut child = example.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(moment);
    let program = i32::try_from(child.id()).unwrap();
    let killed = loop {
        let found = match victim {
            Victim::Program => Some(program),
            Victim::Host => {
                family.below(program).into_iter().find(|process| process.is_host()).map(|p| p.pid)
            }
            Victim::Task => {
                family.below(program).into_iter().find(|process| process.is_task()).map(|p| p.pid)
            }
        };
        if child.try_wait().unwrap().is_some() {
            break false;
        }
        if found.is_some_and(processes::kill) {
            break true;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    child.wait().unwrap();
    killed
}

#[test]
fn a_build_in_which_something_is_killed_is_finished_by_the_next_one() {
    let moments: u64 = match std::env::var("BITZEL_FAULT_MOMENTS") {
        Ok(number) => number.parse().expect("BITZEL_FAULT_MOMENTS is a number"),
        Err(_) => 1,
    };
    let _alone = alone();
    let family = Family::adopt();
    let undisturbed = Example::new();
    undisturbed.finish();
    let want = undisturbed.result();
    // Measured with what the cache of the first one knows, as the disturbed builds do.
    let took = Example::new().finish();
    let seed = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let mut random = Random(seed);
    println!("undisturbed: {took:?}, {} files; seed {seed}", want.len());
    for victim in [Victim::Program, Victim::Host, Victim::Task] {
        for _ in 0..moments {
            let moment = Duration::from_millis(random.below(took.as_millis() as u64));
            let example = Example::new();
            let killed = disturb(&example, &family, victim, moment);
            let left = family.left_after(Duration::from_secs(10));
            assert!(left.is_empty(), "{victim:?} killed at {moment:?}: still there: {left:?}");
            let again = example.finish();
            let result = example.result();
            let differing: Vec<_> = want
                .keys()
                .chain(result.keys())
                .filter(|name| want.get(*name) != result.get(*name))
                .collect();
            assert!(differing.is_empty(), "{victim:?} killed at {moment:?}: {differing:?} differ");
            let left = family.left_after(Duration::from_secs(10));
            assert!(left.is_empty(), "{victim:?} killed at {moment:?}, finished: still there: {left:?}");
            println!("{victim:?} at {moment:?}: killed {killed}, finished in {again:?}, equal, nothing left");
        }
    }
}

/// Builds in a folder of which `limit` (options of mount, for a file system in memory) restricts
/// what can be written, then lifts that with `lifted` and builds again. Gives what the first build
/// said; `None` where this host lets no user mount anything.
fn restricted(limit: &str, lifted: &str) -> Option<String> {
    let _alone = alone();
    let example = Example::new();
    let can =
        Command::new("unshare").args(["-Urm", "true"]).output().is_ok_and(|output| output.status.success());
    if !can {
        println!("not checked: this host lets no user mount file systems (unshare -Urm)");
        return None;
    }
    fs::create_dir(example.build().join("tmp")).unwrap();
    let script = format!(
        "set -e; mount -t tmpfs -o size=64m none tmp; mount -o remount,{limit} tmp; \
         if \"$0\" bitbake demo-image > first.log 2>&1; then echo 'it did not fail'; exit 1; fi; \
         mount -o remount,{lifted} tmp; \"$0\" bitbake demo-image; \
         tar -tf tmp/deploy/images/demo-image-pocket.tar"
    );
    let mut command = Command::new("unshare");
    command.args(["-Urm", "--propagation", "private", "sh", "-c", &script, env!("CARGO_BIN_EXE_bitzel")]);
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    let output = command.current_dir(example.build()).env_remove("BBPATH").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("etc/hello.conf"), "{}", text(&output));
    Some(fs::read_to_string(example.build().join("first.log")).unwrap())
}

#[test]
fn a_full_disk_is_told_and_the_build_goes_on_once_there_is_room() {
    if let Some(told) = restricted("size=300k", "size=64m") {
        assert!(
            told.contains("No space left on device") && told.contains("1 failed") | told.contains("failed:"),
            "{told}"
        );
        assert!(!told.contains("panicked"), "{told}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told() {
    if let Some(told) = restricted("ro", "rw") {
        assert!(told.contains("Read-only file system") && !told.contains("panicked"), "{told}");
    }
}
