//! Tasks as processes: what surrounds them, what they may use, and what is told of those that
//! went beyond it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod layer;

use layer::{Layer, stdout};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// Builds a recipe whose only task is `do_it`; whether it went well, and all that was told.
fn build(body: &str, configuration: &str) -> (bool, String, Layer) {
    let recipe = format!(
        "WORKDIR = \"${{TMPDIR}}/work/app\"\nT = \"${{WORKDIR}}/temp\"\nB = \"${{WORKDIR}}/b\"\n{body}\naddtask it before do_build\n"
    );
    let layer = Layer::new(&[("app_1.bb", &recipe)]);
    layer.write("build/conf/local.conf", configuration);
    let output = layer.run(&["bitbake", "-r", "conf/local.conf", "app"]);
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), told, layer)
}

/// The log of `do_it`.
fn log(layer: &Layer) -> String {
    fs::read_to_string(layer.dir.path().join("build/tmp/work/app/temp/log.do_it")).unwrap()
}

#[test]
fn a_pipe_without_readers_is_an_exception_in_python() {
    let body = r#"
python do_it() {
    import os
    readers, writers = os.pipe()
    os.close(readers)
    try:
        os.write(writers, b"x")
    except BrokenPipeError:
        bb.warn("nobody reads")
}"#;
    for mode in ["enforce", "off"] {
        let (well, told, _) = build(body, &format!("BITZEL_SANDBOX = \"{mode}\"\n"));
        assert!(well && told.contains("nobody reads"), "{mode}: {told}");
    }
}

#[test]
fn tasks_of_one_runner_share_no_random_numbers() {
    let body = r#"
python do_it() {
    import random
    bb.warn("drew %s" % random.random())
}
python do_other() {
    import random
    bb.warn("drew %s" % random.random())
}
addtask other before do_build after do_it"#;
    let (well, told, _) = build(body, "BB_NUMBER_THREADS = \"1\"\n");
    let drawn: std::collections::BTreeSet<&str> =
        told.lines().filter_map(|line| Some(line.split_once("drew ")?.1)).collect();
    assert!(well && drawn.len() == 2, "{told}");
}

#[test]
fn a_task_that_takes_too_long_is_ended_and_its_limit_named() {
    let (well, told, layer) = build("do_it() {\n    sleep 60\n}\ndo_it[bitzel-timeout] = \"1\"", "");
    assert!(!well && told.contains("timeout") && told.contains('1'), "{told}");
    assert!(log(&layer).contains("NOTE: sandbox: "), "{}", log(&layer));
}

#[test]
fn a_task_that_writes_too_much_is_ended_and_its_limit_named() {
    let body = "do_it() {\n    head -c 4000000 /dev/zero > ${WORKDIR}/big\n}";
    let (well, told, _) = build(body, "BITZEL_TASK_FILE_SIZE = \"1M\"\n");
    assert!(!well && told.contains("file size"), "{told}");
    let (_, _, layer) = build(body, "BITZEL_TASK_FILE_SIZE = \"8M\"\n");
    let stamps = stdout(&layer.run(&["bitbake", "-r", "conf/local.conf", "-n", "app"]));
    assert!(!stamps.contains("app_1.bb:do_it"), "{stamps}");
}

#[test]
fn a_task_with_too_many_processes_is_ended_and_its_limit_named() {
    let body = r#"
python do_it() {
    import subprocess
    for sleeper in [subprocess.Popen(["sleep", "20"]) for each in range(40)]:
        sleeper.wait()
}"#;
    let (well, told, _) = build(body, "BITZEL_TASK_PIDS = \"20\"\nBITZEL_TASK_TIMEOUT = \"15\"\n");
    assert!(!well && told.contains("process"), "{told}");
}

#[test]
fn report_lets_tasks_do_what_enforce_refuses_and_tells_where() {
    let body = "do_it() {\n    echo out > ${TOPDIR}/outside\n}";
    let (well, told, layer) = build(body, "BITZEL_SANDBOX = \"report\"\n");
    assert!(well && layer.dir.path().join("build/outside").exists(), "{told}");
    let refusal = told.lines().find(|line| line.contains("build/outside")).unwrap_or(&told);
    assert!(refusal.contains("app:do_it") && refusal.contains("app_1.bb:"), "{refusal}");
    assert!(log(&layer).contains("build/outside"), "{}", log(&layer));
    let (well, told, layer) = build(body, "BITZEL_SANDBOX = \"enforce\"\n");
    assert!(!well && !layer.dir.path().join("build/outside").exists(), "{told}");
}

#[test]
fn report_watches_python_tasks_from_their_start_and_not_what_changes_nothing() {
    let tasks: String = (0..20)
        .map(|n| {
            format!(
                "python do_t{n}() {{\n    bb.utils.mkdirhier(d.getVar('TOPDIR'))\n    open('/etc/fstab').close()\n}}\naddtask t{n} before do_build\n"
            )
        })
        .collect();
    let body = format!("do_it() {{\n    mkdir -p ${{TOPDIR}}\n}}\n{tasks}");
    let (well, told, _) = build(&body, "BITZEL_SANDBOX = \"report\"\n");
    assert!(well && !told.contains("WITHOUT isolation"), "{told}");
    let refusals: Vec<&str> = told.lines().filter(|line| line.starts_with("  app:")).collect();
    assert!(refusals.len() == 20 && refusals.iter().all(|line| line.ends_with("`/etc/fstab`")), "{told}");
}

#[test]
fn tasks_ended_for_want_of_space_have_not_failed() {
    let configuration = "BB_DISKMON_DIRS = \"HALT,${TMPDIR},9999999G,\"\n";
    let (well, told, _) = build("do_it() {\n    sleep 60\n}", configuration);
    assert!(!well && told.contains("is running low ("), "{told}");
    assert!(told.contains("NOTE: Sending SIGTERM to remaining 1 tasks"), "{told}");
    assert!(
        told.contains("Attempted 0 tasks of which 0 didn't need to be rerun and all succeeded."),
        "{told}"
    );
    assert!(!told.contains("failed with exit code"), "{told}");
}

/// Starts a build of a task that sleeps, asks it to stop so many times, and gives what it told.
fn interrupted(times: u32, seconds: u32) -> (Option<i32>, String, std::time::Duration) {
    let layer = Layer::new(&[(
        "app_1.bb",
        &format!("do_it() {{\n    sleep {seconds}\n}}\naddtask it before do_build\n"),
    )]);
    let mut command = layer.command(&["bitbake", "app"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    while !told.contains("task do_it: Started") {
        assert!(lines.read_line(&mut told).unwrap() > 0, "{told}");
    }
    let asked = std::time::Instant::now();
    let pid = rustix::process::Pid::from_child(&child);
    for _ in 0..times {
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        // Signals that come at once are one.
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    lines.read_to_string(&mut told).unwrap();
    (child.wait().unwrap().code(), told, asked.elapsed())
}

#[test]
fn the_first_interrupt_lets_running_tasks_finish() {
    let (code, told, _) = interrupted(1, 3);
    assert!(code == Some(1) && told.contains("Keyboard Interrupt, closing down..."), "{told}");
    assert!(told.contains("task do_it: Succeeded") && told.contains("Attempted 1 tasks"), "{told}");
    assert!(told.ends_with("Execution was interrupted, returning a non-zero exit code.\n"), "{told}");
}

#[test]
fn the_second_interrupt_ends_them() {
    let (code, told, took) = interrupted(2, 60);
    assert!(code == Some(1) && told.contains("Second Keyboard Interrupt, stopping..."), "{told}");
    assert!(told.contains("Attempted 0 tasks") && !told.contains("failed"), "{told}");
    assert!(took < std::time::Duration::from_secs(30), "{took:?}");
}
