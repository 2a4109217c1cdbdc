//! What an isolated empty task costs in CPU time, compared with fork and exec
//! of the same program. `cargo bench -p bitzel-exec`; as root it measures both
//! as root and as an ordinary user.
//!
//! Every case runs in a process of its own, several times in turn, and its
//! cheapest run counts: CPU time grows on a busy machine, too.
#![allow(unsafe_code, clippy::unwrap_used)]

use bitzel_exec::{
    Cancel, Executor, Limits, LocalExecutor, Network, Resource, SandboxConfig, TaskIo, TaskSpec,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

const ITERATIONS: u32 = 100;
const ROUNDS: u32 = 5;
/// An id no account has.
const SOMEBODY: u32 = 54321;

/// Cases: name, MiB of memory of the program that builds.
const CASES: [(&str, usize); 7] = [
    ("fork-exec", 0),
    ("sandbox", 0),
    ("sandbox-host-network", 0),
    ("sandbox-limits", 0),
    ("sandbox", 1024),
    ("fork-exec", 1024),
    ("bubblewrap", 0),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some(bitzel_exec::HELPER_ARGUMENT) => bitzel_exec::helper_main(arguments),
        Some("__case") => {
            let name = arguments.next().unwrap();
            case(&name, arguments.next().unwrap().parse().unwrap());
        }
        _ => all(),
    }
}

fn all() {
    let me = unsafe { libc::geteuid() };
    let dir = std::env::temp_dir().join(format!("bitzel-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let program = dir.join("spawn");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for uid in if me == 0 { vec![SOMEBODY, 0] } else { vec![me] } {
        let mut best = [f64::MAX; CASES.len()];
        for _ in 0..ROUNDS {
            for (best, (name, memory)) in best.iter_mut().zip(CASES) {
                *best = best.min(measure(&program, uid, name, memory));
            }
        }
        println!(
            "\nas {}: CPU per task, {ROUNDS} rounds of {ITERATIONS}",
            if uid == 0 { "root" } else { "user" }
        );
        for (used, (name, memory)) in best.iter().zip(CASES) {
            println!("  {name:<24} {memory:>5} MiB parent {used:>9.0} us   x{:.2}", used / best[0]);
        }
    }
    std::fs::remove_dir_all(dir).unwrap();
}

fn measure(program: &Path, uid: u32, name: &str, memory: usize) -> f64 {
    let mut command = Command::new(program);
    command.args(["__case", name, &memory.to_string()]).current_dir("/");
    if unsafe { libc::geteuid() } != uid {
        command.uid(uid).gid(uid);
    }
    let shown = command.output().unwrap();
    if name == "bubblewrap" && !Path::new(BUBBLEWRAP[0]).exists() {
        return f64::INFINITY;
    }
    String::from_utf8(shown.stdout).unwrap().trim().parse().unwrap_or_else(|_| {
        panic!("{name} failed: {}", String::from_utf8_lossy(&shown.stderr));
    })
}

/// Prints the microseconds of CPU of one task, of this process and all below.
fn case(name: &str, memory: usize) {
    let ballast = vec![1u8; memory << 20];
    let before = cpu();
    // A process with so much memory is slow to fork: fewer runs do.
    let iterations = if name == "fork-exec" && memory > 0 { 5 } else { ITERATIONS };
    match name {
        "fork-exec" => fork_exec(iterations, &[]),
        "bubblewrap" => fork_exec(iterations, &BUBBLEWRAP),
        _ => sandboxed(name, iterations),
    }
    std::hint::black_box(&ballast);
    println!("{}", (cpu() - before) / f64::from(iterations));
}

/// A comparable sandbox, without the filter and Landlock; skipped as `inf` where it is missing.
#[rustfmt::skip]
const BUBBLEWRAP: [&str; 27] = [
    "/usr/bin/bwrap", "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-net",
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
    "--symlink", "usr/lib64", "/lib64",
    "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--",
];

fn fork_exec(iterations: u32, wrapper: &[&str]) {
    for _ in 0..iterations {
        let words: Vec<&str> = wrapper.iter().copied().chain(["/bin/true"]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        // Having something to do before exec makes std fork.
        unsafe { command.pre_exec(|| Ok(())) };
        assert!(command.status().unwrap().success(), "{words:?}");
    }
}

fn sandboxed(name: &str, iterations: u32) {
    let limits = match name {
        "sandbox-limits" => Limits::none()
            .with(Resource::Memory, 1 << 30)
            .with(Resource::Pids, 100)
            .with(Resource::CpuTime, 60_000)
            .with(Resource::FileSize, 1 << 30)
            .with(Resource::Disk, 1 << 30)
            .with(Resource::Timeout, 60_000),
        _ => Limits::none(),
    };
    let work = std::env::temp_dir().join(format!("bitzel-bench-work-{}", std::process::id()));
    std::fs::create_dir_all(&work).unwrap();
    let spec = TaskSpec {
        name: name.to_owned(),
        argv: vec!["/bin/true".to_owned()],
        env: BTreeMap::new(),
        cwd: work.clone(),
        writable: vec![work.clone()],
        network: if name == "sandbox-host-network" { Network::HostListen } else { Network::None },
        limits,
        ..TaskSpec::default()
    };
    let null = File::options().read(true).write(true).open("/dev/null").unwrap();
    let io = TaskIo { stdin: null.as_fd(), stdout: null.as_fd(), stderr: null.as_fd() };
    let executor = LocalExecutor::new(&std::env::current_exe().unwrap(), &SandboxConfig::default()).unwrap();
    let cancel = Cancel::new();
    for _ in 0..iterations {
        let outcome = executor.execute(&spec, io, &cancel).unwrap();
        assert!(outcome.success(), "{outcome:?}");
    }
    // Only a helper that has ended, and was waited for, counts.
    drop(executor);
    std::fs::remove_dir_all(work).unwrap();
}

/// CPU time of this process and of all it has waited for, in microseconds.
fn cpu() -> f64 {
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN]
        .iter()
        .map(|who| unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            libc::getrusage(*who, &raw mut usage);
            [usage.ru_utime, usage.ru_stime]
                .iter()
                .map(|t| t.tv_sec as f64 * 1e6 + t.tv_usec as f64)
                .sum::<f64>()
        })
        .sum()
}
