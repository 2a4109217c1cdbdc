//! The same attempts in bubblewrap, given the same file tree: what a well-known
//! sandbox holds is told beside what this one does.

use crate::attempts::{self, Attempt};
use crate::world::Map;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Whether an attempt is held by bubblewrap; `None` where it cannot be run.
pub fn holds(attempt: &Attempt, map: &Map, program: &Path) -> Option<bool> {
    if !Path::new("/usr/bin/bwrap").exists() {
        return None;
    }
    let mut command = Command::new("/usr/bin/bwrap");
    command.args(["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--die-with-parent"]);
    if !attempt.network.is_host() {
        command.arg("--unshare-net");
    }
    command.args(["--new-session", "--cap-drop", "ALL", "--clearenv"]);
    for dir in ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache"] {
        command.args(["--ro-bind-try", dir, dir]);
    }
    command.args(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]);
    let layer = map.layer();
    command.arg("--bind").arg(map.work()).arg(map.work());
    command.arg("--ro-bind").arg(&layer).arg(&layer);
    command.arg("--tmpfs").arg(layer.join(".git"));
    command.arg("--ro-bind").arg(program).arg(program);
    command.arg("--setenv").arg("WORLD").arg(serde_json::to_string(map).unwrap());
    command.args(["--setenv", "PATH", "/usr/sbin:/usr/bin:/sbin:/bin"]);
    command.arg("--chdir").arg(map.work()).arg(program).args(["__attempt", attempt.name]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(8) {
        if let Some(status) = child.try_wait().unwrap() {
            return match status.code() {
                Some(attempts::OUT) => Some(false),
                Some(attempts::HELD) => Some(true),
                // Killed by a filter, or bubblewrap's own failure (which says 1).
                Some(1) => None,
                _ => Some(true),
            };
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().ok();
    child.wait().ok();
    Some(false)
}
