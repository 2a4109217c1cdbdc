//! Runs all trials, as root and as an ordinary user where this is root, several
//! at a time, and tells of them in the form of `cargo test`.

use crate::attempts;
use crate::behaviour;
use crate::trial::Verdict;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An id no account has.
const SOMEBODY: u32 = 54321;
/// Most trials wait more than they work.
const WORKERS: usize = 8;

struct Trial {
    name: String,
    half: &'static str,
    uid: u32,
}

/// Where trials work; removed in the end.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filter: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let me = unsafe { libc::geteuid() };
    let halves: &[(&str, u32)] = if me == 0 { &[("root", 0), ("user", SOMEBODY)] } else { &[("user", me)] };
    let names: Vec<&str> = attempts::all().map(|attempt| attempt.name).chain(behaviour::names()).collect();
    let trials: Vec<Trial> = halves
        .iter()
        .flat_map(|(half, uid)| {
            names.iter().map(move |name| Trial { name: format!("{half}::{name}"), half, uid: *uid })
        })
        .filter(|trial| filter.is_empty() || filter.iter().any(|text| trial.name.contains(text.as_str())))
        .collect();
    if arguments.iter().any(|argument| argument == "--list") {
        trials.iter().for_each(|trial| println!("{}: test", trial.name));
        return;
    }
    println!("\nrunning {} tests", trials.len());
    let results = run_all(&trials);
    if arguments.iter().any(|argument| argument == "--table") {
        crate::table::print(&trials.iter().map(|trial| trial.name.as_str()).zip(&results).collect());
    }
    report(&trials, &results, me == 0);
}

fn run_all(trials: &[Trial]) -> Vec<Verdict> {
    let scratch = Scratch(std::env::temp_dir().join(format!("bitzel-escape-{}", std::process::id())));
    std::fs::create_dir_all(&scratch.0).unwrap();
    std::fs::set_permissions(&scratch.0, PermissionsExt::from_mode(0o755)).unwrap();
    // A copy, for users who may not enter the build directory.
    let program = scratch.0.join("escape");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Verdict>>> = Mutex::new(trials.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(trial) = trials.get(index) else { return };
                    let verdict = run(trial, &program, &scratch.0.join(index.to_string()));
                    match &verdict {
                        Verdict::Held { how, .. } => println!("test {} ... ok ({how})", trial.name),
                        Verdict::NotChecked(why) => println!("test {} ... not checked: {why}", trial.name),
                        Verdict::Failed(_) => println!("test {} ... FAILED", trial.name),
                    }
                    results.lock().unwrap()[index] = Some(verdict);
                }
            });
        }
    });
    results.into_inner().unwrap().into_iter().map(Option::unwrap).collect()
}

fn run(trial: &Trial, program: &Path, dir: &Path) -> Verdict {
    prepare(dir, trial.uid);
    let name = trial.name.split_once("::").unwrap().1;
    let mut command = Command::new(program);
    command.args(["__trial", name]).env("TRIAL_DIR", dir).env("AWS_SECRET_ACCESS_KEY", crate::world::SECRET);
    command.current_dir("/");
    if unsafe { libc::geteuid() } != trial.uid {
        command.uid(trial.uid).gid(trial.uid);
    }
    let shown = command.output().unwrap();
    std::fs::remove_dir_all(dir).ok();
    let text = String::from_utf8_lossy(&shown.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| {
        Verdict::Failed(format!("{}: {text}{}", shown.status, String::from_utf8_lossy(&shown.stderr)))
    })
}

/// Makes the trial's directory, and as root the programs that give powers.
fn prepare(dir: &Path, uid: u32) {
    for world in ["bare", "boxed", "wrapped"] {
        let work = dir.join(world).join("tmp/work/own");
        std::fs::create_dir_all(&work).unwrap();
        if unsafe { libc::geteuid() } != 0 {
            continue;
        }
        for made in ["", "tmp", "tmp/work", "tmp/work/own"] {
            std::os::unix::fs::chown(dir.join(world).join(made), Some(uid), Some(uid)).unwrap();
        }
        std::fs::copy("/usr/bin/id", work.join("set-id")).unwrap();
        std::fs::set_permissions(work.join("set-id"), PermissionsExt::from_mode(0o4755)).unwrap();
        std::fs::copy("/usr/bin/cat", work.join("capable")).unwrap();
        // Where setcap is missing the attempt finds nothing to gain and says so.
        Command::new("setcap").arg("cap_net_raw+ep").arg(work.join("capable")).status().ok();
    }
    if unsafe { libc::geteuid() } == 0 {
        std::os::unix::fs::chown(dir, Some(uid), Some(uid)).unwrap();
    }
}

fn report(trials: &[Trial], results: &[Verdict], is_root: bool) {
    let (mut passed, mut failed, mut unchecked) = (0, 0, 0);
    println!("\nnot checked on this host:");
    for (trial, verdict) in trials.iter().zip(results) {
        match verdict {
            Verdict::Held { .. } => passed += 1,
            Verdict::NotChecked(why) => {
                unchecked += 1;
                println!("    {}: {why}", trial.name);
            }
            Verdict::Failed(_) => failed += 1,
        }
    }
    if !is_root {
        println!("    root::*: the suite was not started as root");
    }
    println!("\ncompared with bubblewrap:");
    for half in ["root", "user"] {
        let of_half = || trials.iter().zip(results).filter(|(trial, _)| trial.half == half);
        let (mut both, mut only) = (0, Vec::new());
        for (trial, verdict) in of_half() {
            match verdict {
                Verdict::Held { bubblewrap: Some(true), .. } => both += 1,
                Verdict::Held { bubblewrap: Some(false), .. } => {
                    only.push(trial.name.split_once("::").unwrap().1)
                }
                _ => {}
            }
        }
        println!("    as {half}: both hold {both}; held here, out of bubblewrap: {} {only:?}", only.len());
    }
    println!("\nfailures:");
    for (trial, verdict) in trials.iter().zip(results) {
        if let Verdict::Failed(why) = verdict {
            println!("    {}: {why}", trial.name);
        }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {result}. {passed} passed; {failed} failed; {unchecked} ignored; 0 measured; 0 filtered out"
    );
    if failed > 0 {
        std::process::exit(101);
    }
}
