//! What a sandboxed task sees and what its caller is told, where that is no
//! escape. Run as root and as a user, as the attempts are.

use crate::trial::Verdict;
use bitzel_exec::{
    Attendant, Cancel, Error, Executor, ExitStatus, Fakeroot, HostView, Identity, Limits, LocalExecutor,
    Mode, Network, RefusalKind, Resource, Sandbox, SandboxConfig, TaskIo, TaskOutcome, TaskSpec, examine,
    export_bundle, run_in_terminal,
};
use rustix::event::{PollFd, PollFlags};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

type Test = fn(&Path) -> Result<String, String>;

const ALL: &[(&str, Test)] = &[
    ("environment-and-directory-are-as-given", environment),
    ("exit-codes-and-signals-are-told", exit_codes),
    ("a-missing-program-is-an-error-with-its-name", missing_program),
    ("a-missing-directory-is-an-error-with-its-name", missing_directory),
    ("a-planted-link-does-not-open-its-target", planted_link),
    ("files-belong-to-who-builds", ownership),
    ("a-callback-runs-isolated", callback),
    ("tasks-that-follow-one-another-share-nothing", apart),
    ("attending-to-others-shares-memory-and-can-end-the-task", attended),
    ("loopback-is-there-if-asked-for", loopback),
    ("a-cancelled-task-ends-with-its-children", cancelled),
    ("a-builder-that-dies-takes-its-tasks-along", builder_dies),
    ("many-tasks-run-at-once", parallel),
    ("report-mode-lists-what-would-be-refused", report_mode),
    ("off-mode-isolates-nothing-and-leaves-nothing", off_mode),
    ("pseudo-keeps-its-database", pseudo),
    ("a-mapped-root-can-change-owners", mapped_root),
    ("an-exported-bundle-gives-the-same-result", oci),
    ("the-doctor-finds-what-works", doctor),
    ("a-host-without-namespaces-is-told-with-a-remedy", without_namespaces),
    ("use-of-resources-is-recorded", usage),
    ("an-interactive-task-has-terminals", interactive),
    ("full-isolation-can-be-demanded", demanded),
    ("a-task-can-run-in-the-foreground", foreground),
];

/// Names of the tests.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

pub fn run(name: &str, dir: &Path) -> Verdict {
    let (_, test) = ALL.iter().find(|(known, _)| *known == name).unwrap();
    match test(dir) {
        Ok(how) => Verdict::Held { how, bubblewrap: None },
        Err(why) => match why.strip_prefix("not checked: ") {
            Some(why) => Verdict::NotChecked(why.to_owned()),
            None => Verdict::Failed(why),
        },
    }
}

/// A work directory and tasks in it.
struct Bench {
    work: PathBuf,
    log: PathBuf,
    executor: LocalExecutor,
}

impl Bench {
    fn new(dir: &Path) -> Bench {
        Bench::with_mode(dir, Mode::Enforce)
    }

    fn with_mode(dir: &Path, mode: Mode) -> Bench {
        let work = dir.join("work");
        fs::create_dir_all(&work).unwrap();
        let config = SandboxConfig { mode, ..SandboxConfig::default() };
        let executor = LocalExecutor::new(&std::env::current_exe().unwrap(), &config).unwrap();
        Bench { work: work.canonicalize().unwrap(), log: dir.canonicalize().unwrap().join("log"), executor }
    }

    fn spec(&self, script: &str) -> TaskSpec {
        TaskSpec {
            name: "test:do_test".into(),
            argv: ["sh", "-c", script].map(str::to_owned).into(),
            env: BTreeMap::from([("PATH".to_owned(), "/usr/sbin:/usr/bin:/sbin:/bin".to_owned())]),
            cwd: self.work.clone(),
            writable: vec![self.work.clone()],
            limits: Limits::none().with(Resource::Timeout, 20_000),
            ..TaskSpec::default()
        }
    }

    fn run(&self, spec: &TaskSpec) -> Result<(TaskOutcome, String), Error> {
        with_io(&self.log, |io| self.executor.execute(spec, io, &Cancel::new()))
    }

    fn shell(&self, script: &str) -> Result<(TaskOutcome, String), Error> {
        self.run(&self.spec(script))
    }
}

fn with_io(
    log: &Path,
    run: impl FnOnce(TaskIo<'_>) -> Result<TaskOutcome, Error>,
) -> Result<(TaskOutcome, String), Error> {
    let null = File::open("/dev/null").unwrap();
    let file = File::create(log).unwrap();
    let outcome = run(TaskIo { stdin: null.as_fd(), stdout: file.as_fd(), stderr: file.as_fd() })?;
    Ok((outcome, fs::read_to_string(log).unwrap()))
}

/// Turns a wrong expectation into a failure that shows what came instead.
fn expect(right: bool, what: &dyn std::fmt::Debug) -> Result<String, String> {
    if right { Ok(String::new()) } else { Err(format!("unexpected: {what:?}")) }
}

fn text(error: Error) -> String {
    error.to_string()
}

fn environment(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let mut spec = bench.spec("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL=; pwd; umask; hostname; echo err >&2");
    spec.env.insert("ONLY".into(), "this".into());
    spec.umask = Some(0o27);
    let (outcome, log) = bench.run(&spec).map_err(text)?;
    let lines: Vec<&str> = log.lines().collect();
    let work = bench.work.display().to_string();
    let want = ["ONLY=this", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", &work, "0027", "localhost", "err"];
    let mut sorted = lines.clone();
    sorted[..2].sort_unstable();
    expect(outcome.success() && sorted == want, &(outcome, log))
}

fn exit_codes(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    for (script, want) in [
        ("exit 0", ExitStatus::Code(0)),
        ("exit 7", ExitStatus::Code(7)),
        ("kill -KILL $$", ExitStatus::Signal(9)),
        ("kill -TERM $$", ExitStatus::Signal(15)),
        ("kill -TERM 0", ExitStatus::Signal(15)),
    ] {
        let (outcome, _) = bench.shell(script).map_err(text)?;
        expect(outcome.status == want && outcome.limit.is_none(), &(script, outcome))?;
    }
    Ok(String::new())
}

fn missing_program(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let mut spec = bench.spec("");
    spec.argv = vec!["no-such-program".into()];
    let error = bench.run(&spec).unwrap_err().to_string();
    let want =
        "task `test:do_test`: cannot execute `no-such-program`: No such file or directory (os error 2)";
    expect(error == want, &error)
}

fn missing_directory(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let mut spec = bench.spec("true");
    spec.read_only.push("/no/such/layer".into());
    let error = bench.run(&spec).unwrap_err().to_string();
    expect(error.contains("declared path `/no/such/layer`: No such file"), &error)?;
    let mut spec = bench.spec("true");
    spec.writable.push("relative".into());
    let error = bench.run(&spec).unwrap_err().to_string();
    expect(error.contains("`relative`: expected an absolute path"), &error)?;
    let mut spec = bench.spec("true");
    spec.cwd = bench.work.join("gone");
    let error = bench.run(&spec).unwrap_err().to_string();
    expect(error.contains("enter the working directory") && error.contains("gone"), &error)
}

fn planted_link(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let secret = dir.join("secret");
    fs::create_dir(&secret).unwrap();
    symlink(&secret, bench.work.join("sysroot")).unwrap();
    let mut spec = bench.spec("ls sysroot");
    spec.read_only.push(bench.work.join("sysroot"));
    let error = bench.run(&spec).unwrap_err().to_string();
    expect(error.contains("leads through the symbolic link"), &error)
}

fn ownership(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let old = bench.work.join("old");
    fs::write(&old, "old").unwrap();
    let (outcome, log) = bench
        .shell("id -u; stat -c %u old; echo more >> old; echo new > new; mkdir d; ls -ldn d")
        .map_err(text)?;
    let me = unsafe { libc::geteuid() };
    let inside: Vec<&str> = log.lines().take(2).collect();
    let new = bench.work.join("new").metadata().map_err(|error| error.to_string())?;
    expect(outcome.success() && new.uid() == me && inside[0] == inside[1], &(&outcome, &log))?;
    // Root's tasks are not root.
    expect(if me == 0 { inside[0] != "0" } else { inside[0] == me.to_string() }, &log)?;
    Ok(format!("uid {} inside, {me} on disk {}", inside[0], outcome.notes.join("; ")))
}

fn callback(dir: &Path) -> Result<String, String> {
    let work = dir.join("work");
    fs::create_dir_all(&work).unwrap();
    let kept = File::create(dir.join("kept")).unwrap();
    let lost = File::create(dir.join("lost")).unwrap();
    use std::os::fd::AsRawFd;
    let (kept_fd, lost_fd) = (kept.as_raw_fd(), lost.as_raw_fd());
    let spec = TaskSpec {
        name: "test:do_python".into(),
        cwd: work.clone(),
        writable: vec![work.clone()],
        keep_fds: vec![kept_fd],
        ..TaskSpec::default()
    };
    let mut sandbox = Sandbox::new(SandboxConfig::default());
    let outcome = with_io(&dir.join("log"), |io| {
        sandbox.call(&spec, io, &mut (), |number| {
            let pid = std::process::id();
            // Fails, or goes to a directory that is the sandbox's own.
            fs::write(dir.join("outside"), "x").ok();
            let inside = fs::write("inside", "x").is_ok();
            let fds = unsafe {
                libc::fcntl(kept_fd, libc::F_GETFD) >= 0 && libc::fcntl(lost_fd, libc::F_GETFD) < 0
            };
            println!("pid {pid} of {number} inside {inside} fds {fds}");
            if pid < 10 && number != pid && inside && fds { 42 } else { 1 }
        })
    })
    .map_err(text)?;
    let files = (work.join("inside").exists(), dir.join("outside").exists());
    expect(outcome.0.status == ExitStatus::Code(42) && files == (true, false), &(outcome, files))
}

/// Two tasks of one helper: nothing of the first is there for the second, names included.
fn apart(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let other = dir.canonicalize().unwrap().join("other");
    fs::create_dir(&other).unwrap();
    let leave = "echo x > /tmp/left; echo x > /var/tmp/too; ipcmk -M 64 -S 1 -Q > /dev/null; hostname other; \
                 (setsid sleep 60 &); cat /proc/sysvipc/shm | wc -l; ls ..";
    let first = bench.shell(leave).map_err(text)?;
    expect(first.0.success() && first.1.ends_with("2\nwork\n"), &first)?;
    let look = "ls -A /tmp | grep -v $TOP; cat /proc/sysvipc/* | wc -l; ls ..; ps ax | grep -c '[s]leep'; \
                cat /proc/net/unix | wc -l; hostname; touch ../new /new /usr/new 2> /dev/null; echo $?";
    let mut spec = bench.spec(look);
    (spec.cwd, spec.writable) = (other.clone(), vec![other]);
    let top = dir.canonicalize().unwrap();
    let top = top.strip_prefix("/tmp").unwrap_or(Path::new("nothing")).components().next();
    spec.env
        .insert("TOP".into(), top.map_or("nothing".into(), |top| top.as_os_str().to_str().unwrap().into()));
    let second = bench.run(&spec).map_err(text)?;
    expect(second.0.success() && second.1 == "3\nother\n0\n1\nlocalhost\n1\n", &second)
}

/// Counts what it is told, and ends the task at `last`, or panics after it.
struct Counter<'a> {
    told: &'a std::os::unix::net::UnixDatagram,
    count: u8,
    last: u8,
}

impl Attendant for Counter<'_> {
    fn awaits(&self) -> Vec<PollFd<'_>> {
        vec![PollFd::new(self.told, PollFlags::IN)]
    }

    fn attend(&mut self, _: &[PollFlags]) -> bool {
        self.told.recv(&mut [0u8; 8]).unwrap();
        self.count += 1;
        assert!(self.count <= self.last, "more than was expected");
        self.count < self.last
    }
}

fn attended(dir: &Path) -> Result<String, String> {
    use std::os::fd::AsRawFd;
    let (ours, theirs) = std::os::unix::net::UnixDatagram::pair().unwrap();
    let spec = TaskSpec {
        name: "test:do_tell".into(),
        cwd: dir.to_owned(),
        writable: vec![dir.to_owned()],
        keep_fds: vec![theirs.as_raw_fd()],
        ..TaskSpec::default()
    };
    let mut sandbox = Sandbox::new(SandboxConfig::default());
    let mut tell = |last, times| {
        let mut counter = Counter { told: &ours, count: 0, last };
        let (outcome, _) = with_io(&dir.join("log"), |io| {
            sandbox.call(&spec, io, &mut counter, |_| {
                for _ in 0..times {
                    theirs.send(b"told").unwrap();
                    std::thread::sleep(Duration::from_millis(20));
                }
                if times > last {
                    std::thread::sleep(Duration::from_secs(60))
                }
                0
            })
        })
        .map_err(text)?;
        while ours.set_nonblocking(true).is_ok() && ours.recv(&mut [0u8; 8]).is_ok() {}
        ours.set_nonblocking(false).unwrap();
        Ok::<_, String>((outcome.status, counter.count))
    };
    let heard = tell(9, 3)?;
    expect(heard == (ExitStatus::Code(0), 3), &heard)?;
    let ended = tell(2, 3)?;
    expect(ended == (ExitStatus::Cancelled, 2), &ended)?;
    // Whoever attends and panics takes the task along, and nothing else.
    let panicked = tell(0, 1)?;
    expect(!matches!(panicked.0, ExitStatus::Code(0)), &panicked)?;
    let again = tell(9, 1)?;
    expect(again == (ExitStatus::Code(0), 1), &again)
}

fn loopback(dir: &Path) -> Result<String, String> {
    let work = dir.join("work");
    fs::create_dir_all(&work).unwrap();
    let mut sandbox = Sandbox::new(SandboxConfig::default());
    let mut talk = |network| {
        let spec = TaskSpec {
            name: "test:do_net".into(),
            cwd: work.clone(),
            writable: vec![work.clone()],
            network,
            ..TaskSpec::default()
        };
        with_io(&dir.join("log"), |io| {
            sandbox.call(&spec, io, &mut (), |_| {
                let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                i32::from(std::net::TcpStream::connect(listener.local_addr().unwrap()).is_err())
            })
        })
    };
    let with = talk(Network::Loopback).map_err(text)?;
    let without = talk(Network::None).map_err(text)?;
    expect(with.0.success() && without.0.status == ExitStatus::Code(1), &(with, without))
}

fn cancelled(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let spec = bench.spec("(setsid sh -c 'sleep 1; echo late > late' &); echo started > started; sleep 20");
    let cancel = Cancel::new();
    let started = Instant::now();
    let (outcome, _) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !bench.work.join("started").exists() && started.elapsed() < Duration::from_secs(15) {
                std::thread::sleep(Duration::from_millis(5));
            }
            cancel.cancel();
        });
        with_io(&bench.log, |io| bench.executor.execute(&spec, io, &cancel))
    })
    .map_err(text)?;
    std::thread::sleep(Duration::from_millis(1200));
    expect(outcome.status == ExitStatus::Cancelled && !bench.work.join("late").exists(), &outcome)
}

fn builder_dies(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let spec = bench.spec("echo started > started; sleep 1; echo late > late");
    match unsafe { libc::fork() } {
        0 => {
            let program = std::env::current_exe().unwrap();
            let own = LocalExecutor::new(&program, &SandboxConfig::default()).unwrap();
            with_io(&bench.log, |io| own.execute(&spec, io, &Cancel::new())).ok();
            unsafe { libc::_exit(0) }
        }
        builder => {
            let started = Instant::now();
            while !bench.work.join("started").exists() && started.elapsed() < Duration::from_secs(15) {
                std::thread::sleep(Duration::from_millis(5));
            }
            unsafe {
                libc::kill(builder, libc::SIGKILL);
                libc::waitpid(builder, std::ptr::null_mut(), 0);
            }
        }
    }
    std::thread::sleep(Duration::from_millis(1500));
    let (ran, late) = (bench.work.join("started").exists(), bench.work.join("late").exists());
    expect(ran && !late, &(ran, late))
}

fn parallel(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let failed: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|index| {
                let bench = &bench;
                scope.spawn(move || {
                    let log = bench.log.with_extension(index.to_string());
                    let spec = bench.spec(&format!("echo {index}; exit {index}"));
                    let got = with_io(&log, |io| bench.executor.execute(&spec, io, &Cancel::new()));
                    (index, got)
                })
            })
            .collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results
            .filter(|(index, got)| {
                !matches!(got, Ok((outcome, log))
                    if outcome.status == ExitStatus::Code(*index) && log.trim() == index.to_string())
            })
            .map(|wrong| format!("{wrong:?}"))
            .collect()
    });
    expect(failed.is_empty(), &failed)
}

fn report_mode(dir: &Path) -> Result<String, String> {
    let bench = Bench::with_mode(dir, Mode::Report);
    let top = dir.canonicalize().unwrap();
    for (name, mode) in [("secret", 0o644), ("tool", 0o755)] {
        fs::write(top.join(name), "#!/bin/sh\n:\n").unwrap();
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(top.join(name), PermissionsExt::from_mode(mode)).unwrap();
    }
    fs::create_dir(top.join("layer")).unwrap();
    fs::write(top.join("layer/file"), "x").unwrap();
    let mut spec = bench.spec(
        "cat ../secret ../layer/file >/dev/null; ../tool; echo x > ../stray; echo x > ../layer/file; echo x > own; cat own; exit 5",
    );
    spec.read_only.push(top.join("layer"));
    let (outcome, log) = bench.run(&spec).map_err(text)?;
    let seen = |kind, name: &str| outcome.refusals.iter().any(|r| r.kind == kind && r.what == top.join(name));
    let right = outcome.status == ExitStatus::Code(5)
        && top.join("stray").exists()
        && seen(RefusalKind::Read, "secret")
        && seen(RefusalKind::Execute, "tool")
        && seen(RefusalKind::Write, "stray")
        && seen(RefusalKind::Write, "layer/file")
        && !seen(RefusalKind::Read, "layer/file")
        && !outcome.refusals.iter().any(|r| r.what.starts_with(&bench.work) || r.what.starts_with("/usr"));
    expect(right, &(&outcome, log))?;
    Ok(outcome.refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

fn off_mode(dir: &Path) -> Result<String, String> {
    let bench = Bench::with_mode(dir, Mode::Off);
    let (outcome, log) = bench
        .shell("(setsid sh -c 'sleep 0.5; echo late > late' &); echo x > ../stray; exit 3")
        .map_err(text)?;
    std::thread::sleep(Duration::from_millis(800));
    let right = outcome.status == ExitStatus::Code(3)
        && dir.join("stray").exists()
        && !bench.work.join("late").exists()
        && outcome.notes.iter().any(|note| note.contains("left behind"));
    expect(right, &(outcome, log))
}

/// Two sandboxes after each other share one pseudo database.
fn pseudo(dir: &Path) -> Result<String, String> {
    if !Path::new("/usr/bin/pseudo").exists() {
        return Err("not checked: pseudo is not installed".into());
    }
    let bench = Bench::new(dir);
    fs::create_dir(bench.work.join("pseudo")).unwrap();
    let state = bench.work.join("pseudo").display().to_string();
    let task = |script: &str| {
        let mut spec = bench.spec(script);
        spec.argv = ["/usr/bin/pseudo", "sh", "-c", script].map(str::to_owned).into();
        let settings = [("PSEUDO_PREFIX", "/usr"), ("PSEUDO_LOCALSTATEDIR", state.as_str())];
        spec.env.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
        spec.fakeroot = Some(Fakeroot {
            stop: ["/usr/bin/pseudo", "-S"].map(str::to_owned).into(),
            env: spec.env.clone(),
        });
        bench.run(&spec)
    };
    let first = task("touch f && chown 1000:1000 f && chmod 4755 f && mknod n c 1 3").map_err(text)?;
    expect(first.0.success(), &first)?;
    let second = task("stat -c '%u:%g %a' f; stat -c '%F %t %T' n").map_err(text)?;
    let want = "1000:1000 4755\ncharacter special file 1 3\n";
    expect(second.1 == want && second.0.notes.is_empty(), &second)
}

fn mapped_root(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let mut spec = bench.spec("id -u; touch f && chown 1000:33 f && chmod 4755 f && stat -c '%u:%g %a' f; rm f; mount -t tmpfs x . ; cat /etc/shadow");
    spec.identity = Identity::MappedRoot;
    match bench.run(&spec) {
        Ok((outcome, log)) => expect(
            log.starts_with("0\n1000:33 4755\n")
                && !outcome.success()
                && log.contains("/etc/shadow: No such file"),
            &(&outcome, &log),
        ),
        Err(error) if unsafe { libc::geteuid() } != 0 => Err(format!("not checked: {error}")),
        Err(error) => Err(error.to_string()),
    }
}

/// The same command under crun and here.
fn oci(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let script = "id -u > result; ls / >> result; cat /etc/passwd >> result; ls /etc >> result; echo x > /usr/x; \
                  grep -e CapEff -e CapPrm /proc/self/status >> result; unshare -U true 2>> result; \
                  hostname >> result; exit 9";
    let mut spec = bench.spec(script);
    spec.hidden.push(bench.work.join("none"));
    let (outcome, log) = bench.run(&spec).map_err(text)?;
    let here = fs::read_to_string(bench.work.join("result")).unwrap();
    fs::remove_file(bench.work.join("result")).unwrap();
    let bundle = dir.join("bundle");
    export_bundle(&spec, &HostView::probe(), &bundle).map_err(text)?;
    if Command::new("crun").arg("--version").output().is_err() {
        return Err("not checked: crun is not installed".into());
    }
    let state = dir.join("crun");
    fs::create_dir(&state).unwrap();
    let name = format!("bitzel-{}", std::process::id());
    // Some versions refuse hosts with both versions of control groups: they are shown version 2 only.
    let mut command = if unsafe { libc::geteuid() } == 0 {
        let script = "mount --make-rprivate / && mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script, "sh", "crun"]);
        command
    } else {
        Command::new("crun")
    };
    let shown = command
        .args(["--cgroup-manager=disabled", "--root"])
        .arg(&state)
        .args(["run", "--bundle"])
        .arg(&bundle)
        .arg(&name)
        .output()
        .unwrap();
    let there = fs::read_to_string(bench.work.join("result")).unwrap_or_default();
    let stderr = String::from_utf8_lossy(&shown.stderr);
    if shown.status.code() != Some(9) && there.is_empty() {
        let why = if stderr.contains("Cannot determine your user name") { "not checked: " } else { "" };
        return Err(format!("{why}crun: {} {stderr}", shown.status));
    }
    let same = outcome.status == ExitStatus::Code(9) && shown.status.code() == Some(9) && here == there;
    expect(same, &(here, there, log, stderr))
}

fn doctor(dir: &Path) -> Result<String, String> {
    let report = examine(&std::env::current_exe().unwrap(), dir);
    let sandbox = report.checks.iter().find(|check| check.name == "sandbox").unwrap();
    expect(report.can_enforce && report.to_json().contains("\"user-namespaces\""), &report)?;
    expect(report.degradations().all(|check| !check.remedy.is_empty()), &report)?;
    let missing: Vec<&str> = report.degradations().map(|check| check.name.as_str()).collect();
    Ok(format!("{}; less than full: {missing:?}", sandbox.finding))
}

/// In a sandbox no further one can be made: as on a host that forbids it.
fn without_namespaces(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let program = std::env::current_exe().unwrap();
    let mut spec = bench.spec("");
    spec.argv = vec![program.display().to_string(), "__nested".into()];
    spec.read_only.push(program);
    let (outcome, log) = bench.run(&spec).map_err(text)?;
    let right = log.contains("sandbox: make namespaces") && log.contains("user namespaces are forbidden");
    expect(right && log.contains("can_enforce: false"), &(outcome, &log))?;
    Ok(log.lines().next().unwrap_or_default().to_owned())
}

pub fn nested() {
    let dir = std::env::current_dir().unwrap();
    let bench = Bench::new(&dir);
    match bench.shell("true") {
        Ok(done) => println!("isolated: {done:?}"),
        Err(error) => println!("{error}"),
    }
    println!("can_enforce: {}", examine(&std::env::current_exe().unwrap(), &dir).can_enforce);
}

fn usage(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let script =
        "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; head -c 30000000 /dev/zero | tail -c 30000000 > f";
    let (outcome, log) = bench.shell(script).map_err(text)?;
    let usage = &outcome.usage;
    let right = outcome.success()
        && usage.user + usage.system > Duration::from_millis(2)
        && usage.wall > Duration::from_millis(2)
        && usage.max_rss > 20 << 20
        && usage.peak_memory.is_none_or(|peak| peak > 20 << 20);
    expect(right, &(&outcome, log))?;
    Ok(format!("{usage:?}"))
}

fn interactive(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let mut spec = bench.spec("test -c /dev/tty && test -c /dev/ptmx && exec 3<>/dev/ptmx && ls /dev/pts");
    spec.interactive = true;
    let (outcome, log) = bench.run(&spec).map_err(text)?;
    // A new pair of its own: the host's are not there.
    expect(outcome.success() && log == "0\nptmx\n", &(outcome, log))?;
    let plain = bench.shell("ls /dev").map_err(text)?.1;
    expect(!plain.contains("pts") && !plain.contains("tty"), &plain)
}

/// A processor limit needs a control group; without one, demanding all is an error.
fn demanded(dir: &Path) -> Result<String, String> {
    let config = SandboxConfig { require: true, cgroups: false, ..SandboxConfig::default() };
    let work = dir.join("work");
    fs::create_dir(&work).unwrap();
    let mut sandbox = Sandbox::new(config);
    let spec = TaskSpec {
        name: "test:do_test".into(),
        argv: vec!["/bin/true".into()],
        cwd: work.clone(),
        writable: vec![work],
        limits: Limits::none().with(Resource::Cpus, 1000),
        ..TaskSpec::default()
    };
    let error = with_io(&dir.join("log"), |io| sandbox.run(&spec, io, &mut ())).unwrap_err().to_string();
    expect(error.contains("the processor limit is not enforced"), &error)?;
    let spec = TaskSpec { limits: Limits::none(), ..spec };
    let (outcome, _) = with_io(&dir.join("log"), |io| sandbox.run(&spec, io, &mut ())).map_err(text)?;
    expect(outcome.success(), &outcome)
}

fn foreground(dir: &Path) -> Result<String, String> {
    let bench = Bench::new(dir);
    let program = std::env::current_exe().unwrap();
    let code = |script: &str| {
        let spec = TaskSpec { interactive: true, ..bench.spec(script) };
        run_in_terminal(&program, &SandboxConfig::default(), &spec).map_err(text)
    };
    let codes = (code("echo $$ > pid; exit 3")?, code("kill -TERM $$")?);
    let pid = fs::read_to_string(bench.work.join("pid")).unwrap_or_default();
    expect(codes == (3, 143) && pid == "2\n", &(codes, &pid))?;
    let mut spec = bench.spec("");
    spec.argv = vec!["no-such-program".into()];
    let code = run_in_terminal(&program, &SandboxConfig::default(), &spec).map_err(text)?;
    expect(code == 125, &code)
}
