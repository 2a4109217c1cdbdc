//! The menu, driven on a terminal of its own.

use crate::world::{World, program};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const KCONFIG: &str = "mainmenu \"Demo\"\nconfig KAS_INCLUDE_MAIN\n\tstring\n\tdefault \"base.yml\"\n\
    config FAST\n\tbool \"Be fast\"\nconfig KAS_INCLUDE_FAST\n\tstring\n\tdefault \"fast.yml\"\n\tdepends on FAST\n\
    config COUNT\n\tint \"Count\"\n\trange 1 9\n\tdefault 3\n\
    config KAS_TARGET_IMAGE\n\tstring\n\tdefault \"image\"\n";

/// `kas menu` on a terminal made by script(1).
struct Terminal {
    child: Child,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn open(world: &World) -> Terminal {
        let line = format!("echo $$ > pid; stty cols 80 rows 24; exec {} menu", program().display());
        let mut child = Command::new("script")
            .args(["-q", "-e", "-f", "-c", &line, "/dev/null"])
            .current_dir(world.project())
            .env_clear()
            .envs(&world.env)
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut chunk) {
                if send.send(chunk[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { child, screen, seen: String::new() }
    }

    /// Waits until `text` is on the screen, then presses `keys`.
    fn press(&mut self, text: &str, keys: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.seen.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            let chunk = self.screen.recv_timeout(left);
            let chunk = chunk.unwrap_or_else(|_| panic!("`{text}` never came: {:?}", self.seen));
            self.seen += &String::from_utf8_lossy(&chunk);
        }
        self.seen.clear();
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    fn end(mut self) -> i32 {
        let status = self.child.wait().unwrap();
        status.code().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // a menu that waits for a key after a failure is not left behind
        let _ = self.child.kill();
    }
}

fn world() -> World {
    let world = World::new();
    world.write("project/Kconfig", KCONFIG);
    world.write("project/base.yml", "header: {version: 23}\nrepos:\n  this:\n    layers: {}\n");
    world.write("project/fast.yml", "header: {version: 23}\nlocal_conf_header: {fast: 'FAST = \"1\"'}\n");
    let text = "mkdir -p \"$1\"; export BUILDDIR=\"$1\" PATH=\"$PWD/bin:$PATH\"\n";
    world.write("project/oe-init-build-env", text);
    world.write_program("project/bin/bitbake", "#!/bin/sh\necho \"$@\" > called\n");
    world
}

#[test]
fn choices_are_made_saved_shown_again_and_built() {
    let world = world();
    let config = world.project().join(".config.yaml");
    let mut terminal = Terminal::open(&world);
    terminal.press("Be fast", " ");
    terminal.press("*", "\u{1b}[B\r");
    terminal.press("value:", "\u{7f}5\r");
    terminal.press("5", "S");
    assert_eq!(terminal.end(), 0);
    let text = std::fs::read_to_string(&config).unwrap();
    for part in ["- base.yml\n", "- fast.yml\n", "FAST: true\n", "COUNT: 5\n", "target:\n- image\n"] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    assert!(!world.project().join("build").exists());
    let mut terminal = Terminal::open(&world);
    terminal.press("[*]", "\u{1b}[B\u{1b}[A b");
    assert_eq!(terminal.end(), 0);
    let called = std::fs::read_to_string(world.project().join("build/called")).unwrap();
    assert_eq!(called, "-c build image\n");
    let conf = std::fs::read_to_string(world.project().join("build/conf/local.conf")).unwrap();
    assert!(conf.contains("COUNT = \"5\"") && !conf.contains("FAST = \"1\""), "{conf}");
    assert!(world.project().join(".config.yaml.old").exists());
}

#[test]
fn leaving_the_menu_changes_nothing() {
    let world = world();
    let mut terminal = Terminal::open(&world);
    terminal.press("Be fast", " ");
    terminal.press("*", "\u{1b}");
    assert_eq!(terminal.end(), 0);
    assert!(!world.project().join(".config.yaml").exists());
}

#[test]
fn a_signal_closes_the_menu() {
    let world = world();
    let mut terminal = Terminal::open(&world);
    terminal.press("Be fast", " ");
    let pid = std::fs::read_to_string(world.project().join("pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(terminal.end(), 130);
    assert!(!world.project().join(".config.yaml").exists());
}
