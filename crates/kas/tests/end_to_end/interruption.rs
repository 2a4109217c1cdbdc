//! Signals end a command, the programs it runs, and what it made for itself.

use crate::world::{World, program};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn programs_and_the_temporary_home_end_with_the_command() {
    for signal in [Signal::TERM, Signal::INT] {
        let world = World::new();
        world.write("project/k.yml", "header: {version: 23}\nrepos:\n  this:\n    layers: {}\n");
        world.write("project/oe-init-build-env", "echo $$ > pid\nsleep 600\n");
        world.write("tmp/keep", "");
        let mut child = Command::new(program())
            .args(["checkout", "k.yml"])
            .current_dir(world.project())
            .env_clear()
            .envs(&world.env)
            .env("TMPDIR", world.root.join("tmp"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = || std::fs::read_to_string(world.project().join("pid")).ok()?.trim().parse().ok();
        wait_for("the init script to start", || pid().is_some());
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let script = Pid::from_raw(pid().unwrap()).unwrap();
        wait_for("the init script to end", || test_kill_process(script).is_err());
        assert_eq!(std::fs::read_dir(world.root.join("tmp")).unwrap().count(), 1);
        assert!(!world.project().join("build/conf/local.conf").exists());
    }
}
