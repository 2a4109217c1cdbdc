//! One trial: an attempt without the sandbox, in it, and in bubblewrap.

use crate::attempts::{self, Attempt, Works, files::host_temporary};
use crate::bubblewrap;
use crate::world::{Map, SECRET, World};
use bitzel_exec::{Cancel, Executor, LocalExecutor, Resource, SandboxConfig, TaskIo, TaskSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What came of a trial; one line of JSON from the trial's process.
#[derive(Debug, Serialize, Deserialize)]
pub enum Verdict {
    /// It gets out without the sandbox and is held in it.
    Held { how: String, bubblewrap: Option<bool> },
    /// It could not be told on this host, or as this user.
    NotChecked(String),
    /// It got out, or the trial is broken.
    Failed(String),
}

/// Runs the trial of an attempt, or a behaviour test, in this process. The
/// directory to use is in `TRIAL_DIR`.
pub fn main(name: &str) {
    let dir = PathBuf::from(std::env::var("TRIAL_DIR").unwrap());
    let verdict = match attempts::all().find(|attempt| attempt.name == name) {
        Some(attempt) => trial(attempt, &dir),
        None => crate::behaviour::run(name, &dir),
    };
    println!("{}", serde_json::to_string(&verdict).unwrap());
}

/// The environment of attempts, but for secrets.
fn environment(map: &Map) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("WORLD".to_owned(), serde_json::to_string(map).unwrap()),
        ("PATH".to_owned(), "/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
    ])
}

/// The task that makes the attempt.
fn spec(attempt: &Attempt, map: &Map, program: &Path) -> TaskSpec {
    TaskSpec {
        name: format!("escape:{}", attempt.name),
        argv: vec![program.display().to_string(), "__attempt".into(), attempt.name.into()],
        env: environment(map),
        cwd: map.work(),
        writable: vec![map.work(), map.top.join("tmp/stamps")],
        read_only: vec![map.layer(), program.to_owned()],
        hidden: vec![map.layer().join(".git")],
        network: attempt.network,
        limits: attempt.limits(),
        ..TaskSpec::default()
    }
}

fn trial(attempt: &Attempt, dir: &Path) -> Verdict {
    let program = std::env::current_exe().unwrap();
    let uid = unsafe { libc::geteuid() };
    // Without the sandbox, in a world of its own.
    let mut world = World::new(dir.join("bare"));
    let temporary = leave_temporary(&world.map);
    let (escaped, said) = unsandboxed(attempt, &world.map, &program);
    drop(temporary);
    if !escaped {
        return match (attempt.works, uid) {
            (Works::Always, _) => Verdict::Failed(format!("does not work even without a sandbox: {said}")),
            (Works::AsRoot, 0) => Verdict::NotChecked(format!("this host refuses it even to root: {said}")),
            (Works::AsRoot, _) => Verdict::NotChecked("the host refuses it to ordinary users".into()),
            (Works::Perhaps, _) => Verdict::NotChecked(format!("this host refuses it: {said}")),
        };
    }
    world.damage();
    drop(world);

    let mut world = World::new(dir.join("boxed"));
    let temporary = leave_temporary(&world.map);
    let held = sandboxed(attempt, &world.map, &program);
    drop(temporary);
    let how = match held {
        Ok(how) => how,
        Err(verdict) => return verdict,
    };
    if let Some(damage) = world.damage() {
        return Verdict::Failed(damage);
    }
    drop(world);

    let world = World::new(dir.join("wrapped"));
    let temporary = leave_temporary(&world.map);
    let knocking = knock(&world.map);
    let bubblewrap = bubblewrap::holds(attempt, &world.map, &program);
    drop(knocking);
    drop(temporary);
    let bubblewrap =
        bubblewrap.map(|held| held || (attempt.name == "daemon-left-behind" && !late(&world.map)));
    Verdict::Held { how, bubblewrap }
}

/// Files in the host's /tmp and /dev/shm, removed in the end.
struct Temporary([String; 2]);

impl Drop for Temporary {
    fn drop(&mut self) {
        self.0.iter().for_each(|file| drop(std::fs::remove_file(file)));
    }
}

fn leave_temporary(map: &Map) -> Temporary {
    let file = host_temporary(map.uid, map.victim);
    let files = [file.replace("/tmp/", "/dev/shm/"), file];
    files.iter().for_each(|file| std::fs::write(file, SECRET).unwrap());
    Temporary(files)
}

/// Connects to the port a task says it listens on, until dropped.
struct Knocking(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Drop for Knocking {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        self.1.take().unwrap().join().unwrap();
    }
}

fn knock(map: &Map) -> Knocking {
    let file = map.work().join("port");
    let done = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&done);
    let thread = std::thread::spawn(move || {
        while !told.load(Ordering::SeqCst) {
            let port = std::fs::read_to_string(&file).ok().and_then(|text| text.parse::<u16>().ok());
            if let Some(Ok(mut stream)) = port.map(|port| TcpStream::connect(("127.0.0.1", port))) {
                stream.write_all(b"x").ok();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    Knocking(done, Some(thread))
}

/// Whether a daemon lived on to write its file.
fn late(map: &Map) -> bool {
    std::thread::sleep(Duration::from_millis(600));
    map.work().join("late").exists()
}

fn unsandboxed(attempt: &Attempt, map: &Map, program: &Path) -> (bool, String) {
    let knocking = knock(map);
    // A careless parent: a directory stays open, secrets are in the environment.
    let home = File::open(map.home()).unwrap();
    inherit(&home);
    let shown = Command::new(program)
        .args(["__attempt", attempt.name])
        .envs(environment(map))
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .current_dir(map.work())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    drop(knocking);
    let out =
        shown.status.code() == Some(attempts::OUT) && (attempt.name != "daemon-left-behind" || late(map));
    (out, String::from_utf8_lossy(&shown.stdout).trim().to_owned() + &format!(" ({})", shown.status))
}

fn inherit(file: &File) {
    use std::os::fd::AsRawFd;
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) };
}

/// Runs the attempt in the sandbox; tells what held it.
fn sandboxed(attempt: &Attempt, map: &Map, program: &Path) -> Result<String, Verdict> {
    let failed = |why: String| Err(Verdict::Failed(why));
    let home = File::open(map.home()).unwrap();
    inherit(&home);
    let executor = LocalExecutor::new(program, &SandboxConfig::default()).unwrap();
    let knocking = knock(map);
    let log_file = map.top.join("log");
    let log = File::create(&log_file).unwrap();
    let null = File::open("/dev/null").unwrap();
    let io = TaskIo { stdin: null.as_fd(), stdout: log.as_fd(), stderr: log.as_fd() };
    let outcome = match executor.execute(&spec(attempt, map, program), io, &Cancel::new()) {
        Ok(outcome) => outcome,
        Err(error) => return failed(format!("the sandbox failed: {error}")),
    };
    drop(knocking);
    let said = std::fs::read_to_string(&log_file).unwrap().trim().to_owned();
    match (&attempt.limit, &outcome.limit) {
        // /tmp is full: the program hears of it by itself.
        (Some((Resource::Tmp, _)), _) | (None, _) => {}
        (Some((wanted, _)), Some(hit)) if hit.resource == *wanted => return Ok(hit.to_string()),
        (Some(_), _) => return failed(format!("no limit was hit: {outcome:?} {said}")),
    }
    if attempt.name == "daemon-left-behind" {
        return match outcome.success() && !late(map) {
            true => Ok(outcome.notes.join("; ")),
            false => failed(format!("the daemon lived on: {outcome:?}")),
        };
    }
    match outcome.status {
        bitzel_exec::ExitStatus::Code(attempts::HELD) => Ok(said),
        bitzel_exec::ExitStatus::Signal(_) => Ok(outcome.explain()),
        _ => failed(format!("got out: {said} ({})", outcome.explain())),
    }
}
