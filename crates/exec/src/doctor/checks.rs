//! The checks. Where possible a thing is tried, not looked up.

use super::report::{Check, DoctorReport, State};
use crate::cgroup::{Controller, Controllers, Version};
use crate::sandbox::{LANDLOCK_SCOPES, ids, namespaces, sys};
use crate::{Cancel, Error, Executor, LocalExecutor, Network, SandboxConfig, TaskIo, TaskSpec};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

/// First kernel with all system calls the sandbox needs (mount_setattr).
const KERNEL: (u32, u32) = (5, 12);

/// Examines the host. `program` is the running program's file (see
/// [`LocalExecutor::new`]), `work` an existing directory where builds go.
pub fn examine(program: &Path, work: &Path) -> DoctorReport {
    let (sandbox, can_enforce) = sandbox(program, work);
    let mut checks = vec![sandbox, kernel(), user_namespaces(), landlock(), work_directory(work)];
    checks.extend(mapped_mounts(work));
    checks.push(id_ranges());
    checks.extend(controllers());
    checks.push(processes());
    DoctorReport { can_enforce, checks }
}

fn check(name: &str, state: State, finding: impl Into<String>, remedy: &str) -> Check {
    Check { name: name.to_owned(), state, finding: finding.into(), remedy: remedy.to_owned() }
}

/// Runs an empty task in a full sandbox.
fn sandbox(program: &Path, work: &Path) -> (Check, bool) {
    match try_sandbox(program, work) {
        Ok(notes) if notes.is_empty() => (check("sandbox", State::Ok, "a task was isolated", ""), true),
        Ok(notes) => {
            let remedy = "see the other checks; `--require-sandbox` makes this an error";
            (check("sandbox", State::Degraded, notes.join("; "), remedy), true)
        }
        Err(error) => {
            let remedy = "see the other checks; `BITZEL_SANDBOX = \"off\"` builds without isolation";
            (check("sandbox", State::Missing, error.to_string(), remedy), false)
        }
    }
}

fn try_sandbox(program: &Path, work: &Path) -> Result<Vec<String>, Error> {
    let null = File::options().read(true).write(true).open("/dev/null").map_err(|source| Error::Io {
        action: "open",
        path: "/dev/null".into(),
        source,
    })?;
    let io = TaskIo { stdin: null.as_fd(), stdout: null.as_fd(), stderr: null.as_fd() };
    let spec = TaskSpec {
        name: "doctor".to_owned(),
        argv: vec!["sh".to_owned(), "-c".to_owned(), ":".to_owned()],
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        cwd: work.to_owned(),
        writable: vec![work.to_owned()],
        network: Network::Loopback,
        ..TaskSpec::default()
    };
    let executor = LocalExecutor::new(program, &SandboxConfig::default())?;
    let outcome = executor.execute(&spec, io, &Cancel::new())?;
    if outcome.success() { Ok(outcome.notes) } else { Err(Error::Unavailable(outcome.explain())) }
}

fn kernel() -> Check {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= KERNEL {
        check("kernel", State::Ok, release, "")
    } else {
        check("kernel", State::Missing, release, "Linux 5.12 or later is needed")
    }
}

fn sysctl(name: &str) -> Option<u64> {
    std::fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?.trim().parse().ok()
}

fn user_namespaces() -> Check {
    let blocked = [
        ("kernel/unprivileged_userns_clone", 0, "sysctl kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            1,
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for bitzel with `userns,`",
        ),
        ("user/max_user_namespaces", 0, "sysctl user.max_user_namespaces=10000"),
    ];
    let why = blocked.iter().find(|(name, value, _)| sysctl(name) == Some(*value));
    match (namespaces::try_user_namespace(), why) {
        (Ok(()), _) => check("user-namespaces", State::Ok, "can be made", ""),
        (Err(error), Some((name, value, remedy))) => {
            let finding = format!("{error}: {} is {value}", name.replace('/', "."));
            check("user-namespaces", State::Missing, finding, remedy)
        }
        (Err(error), None) => {
            let remedy =
                "in a container, start it with `--security-opt seccomp=unconfined` or as a privileged one";
            check("user-namespaces", State::Missing, error.to_string(), remedy)
        }
    }
}

fn landlock() -> Check {
    match sys::landlock_abi() {
        Some(abi @ LANDLOCK_SCOPES..) => check("landlock", State::Ok, format!("version {abi}"), ""),
        Some(abi) => check(
            "landlock",
            State::Degraded,
            format!("version {abi}: network tasks can reach abstract UNIX sockets of the host"),
            "Linux 6.12 or later has version 6",
        ),
        None => check(
            "landlock",
            State::Degraded,
            "not available: mounts alone guard files, and network tasks can listen",
            "boot with `landlock` in the list of `lsm=`, or a kernel with CONFIG_SECURITY_LANDLOCK",
        ),
    }
}

/// Builds run programs from their work trees.
fn work_directory(work: &Path) -> Check {
    use rustix::fs::StatVfsMountFlags as Flags;
    match rustix::fs::statvfs(work) {
        Err(error) => {
            check("work-directory", State::Missing, format!("`{}`: {error}", work.display()), "create it")
        }
        Ok(stat) if stat.f_flag.contains(Flags::NOEXEC) => check(
            "work-directory",
            State::Missing,
            format!("`{}` is mounted noexec: tasks cannot run what they build", work.display()),
            "remount it with `exec`, or set TMPDIR to another file system",
        ),
        Ok(_) => check("work-directory", State::Ok, format!("`{}`", work.display()), ""),
    }
}

/// Only root needs them: see the sandbox's documentation.
fn mapped_mounts(work: &Path) -> Option<Check> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let tried = ids::owner_namespace().and_then(|namespace| ids::can_map_ids(work, &namespace));
    Some(match tried {
        Ok(()) => check("mapped-mounts", State::Ok, "root's tasks run under an id without rights", ""),
        Err(error) => check(
            "mapped-mounts",
            State::Degraded,
            format!("{error}: root's tasks keep root's id, without its powers"),
            "build as an ordinary user, or on ext4, xfs, btrfs or tmpfs",
        ),
    })
}

fn id_ranges() -> Check {
    let name = "id-ranges";
    let uid = rustix::process::geteuid().as_raw();
    if uid == 0 {
        return check(name, State::Ok, "root maps any ids", "");
    }
    let gid = rustix::process::getegid().as_raw();
    let tables = [("/etc/subuid", uid), ("/etc/subgid", gid)];
    let ranged = tables.iter().all(|(table, id)| ids::subordinate_range(table, *id).is_some());
    let tools = ["newuidmap", "newgidmap"].iter().all(|tool| {
        ["/usr/bin", "/bin", "/usr/local/bin"].iter().any(|dir| Path::new(dir).join(tool).exists())
    });
    match (ranged, tools) {
        (true, true) => check(name, State::Ok, "a range of ids can be mapped", ""),
        (false, _) => check(
            name,
            State::Degraded,
            "no range in /etc/subuid and /etc/subgid: fakeroot tasks need pseudo",
            "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER",
        ),
        (true, false) => check(
            name,
            State::Degraded,
            "newuidmap is missing: fakeroot tasks need pseudo",
            "install the package `uidmap`",
        ),
    }
}

fn controllers() -> Vec<Check> {
    let found = Controllers::probe();
    let one = |controller: Controller| {
        let name = format!("cgroup-{}", controller.name());
        let instead = match controller {
            Controller::Memory => "the memory limit is checked by sampling, peaks are of single processes",
            Controller::Pids => "the process limit is held by the user namespace alone",
            Controller::Cpu => "the processor limit is not enforced",
        };
        let remedy = "systemd-run --user --scope -p Delegate=yes bitzel ...; in a container, mount /sys/fs/cgroup writable";
        match found.0.get(&controller) {
            Some((version, dir)) => {
                let version = if *version == Version::V1 { 1 } else { 2 };
                check(&name, State::Ok, format!("version {version}, `{}`", dir.display()), "")
            }
            None => check(&name, State::Degraded, format!("no group can be made: {instead}"), remedy),
        }
    };
    Controller::ALL.into_iter().map(one).collect()
}

/// How many sandboxes can there be at once.
fn processes() -> Check {
    let limits = ["user/max_user_namespaces", "user/max_mnt_namespaces", "user/max_net_namespaces"];
    let low = limits.iter().filter_map(|name| Some((name, sysctl(name)?))).find(|(_, value)| *value < 1000);
    match low {
        None => check("namespace-limits", State::Ok, "enough for many tasks at once", ""),
        Some((name, value)) => check(
            "namespace-limits",
            State::Degraded,
            format!("{} is {value}", name.replace('/', ".")),
            "raise it to 10000 by sysctl",
        ),
    }
}
