//! Tasks that a host runs.

mod lab;

use bitzel_recipe::protocol::{Reply, Request, SignatureOrder, TaskSignatureParts};
use lab::{Lab, told};
use std::fs;
use std::time::Duration;

const SHELL: &str = r#"
addtask hello
WHO = "anybody"
WHO:task-hello = "the task"
do_hello[dirs] = "${WORKDIR}/x ${B}"
do_hello[cleandirs] = "${WORKDIR}/clean"
do_hello[umask] = "027"
do_hello[prefuncs] = "before"
do_hello[exports] = "NOT_EXPORTED"
before() {
    echo before in $PWD
}
do_hello() {
    echo "hello in $PWD by ${WHO}, umask $(umask)"
    env | grep -v '^_=' | cut -d= -f1 | sort | tr '\n' ' '
    say "bbwarn careful"
}
"#;

#[test]
fn a_shell_task_leaves_log_run_file_stamp_and_signature() {
    let mut lab = Lab::new(SHELL);
    let left_over = lab.build().join("tmp/work/a/clean/left-over");
    fs::create_dir_all(&left_over).unwrap();
    let (end, events) = lab.run("do_hello");
    let log = lab.text("tmp/work/a/temp/log.do_hello");
    assert_eq!(end.status, 0, "{log}\n{events:?}");
    assert!(end.cpu_us > 0 && end.max_rss_kib > 1000, "{end:?}");
    let build = lab.build().display().to_string();
    let start = format!(
        "DEBUG: Executing shell function before\nbefore in {build}\nDEBUG: Shell function before finished\n\
         DEBUG: Executing shell function do_hello\n"
    );
    let end = "DEBUG: Shell function do_hello finished\n";
    assert!(log.starts_with(&start) && log.ends_with(end), "{log}");
    for line in [
        &format!("hello in {build}/tmp/work/a/b by the task, umask 0027\n"),
        "EXPORTED HOME NOT_EXPORTED NOT_FAKED OLDPWD PATH PWD ",
        "WARNING: careful\n",
    ] {
        assert!(log.contains(line), "{line} is not in {log}");
    }
    assert!(!left_over.exists());
    assert_eq!(told(&events), ["bb.build.TaskStarted", "30 careful", "bb.build.TaskSucceeded"]);
    let hash = "1".repeat(64);
    assert_eq!(lab.names("tmp/stamps"), [format!("a.do_hello.{hash}"), format!("a.do_hello.sigdata.{hash}")]);
    let files = lab.names("tmp/work/a/temp");
    let kinds: Vec<&str> =
        files.iter().map(|name| name.trim_end_matches(|c: char| c.is_ascii_digit())).collect();
    let expected =
        ["log.do_hello", "log.do_hello.", "log.task_order", "run.before.", "run.do_hello", "run.do_hello."];
    assert_eq!(kinds, expected);
    assert_eq!(lab.text("tmp/events"), "TaskStarted a the task\nTaskSucceeded a the task\n");
}

const PYTHON: &str = r#"
addtask look
python do_look() {
    for tid, data in d.getVar("BB_TASKDEPDATA").items():
        print(tid, data.pn, data.taskname, sorted(data.deps), data.unihash)
        print(bb.parse.siggen.get_unihash(tid))
    print(d.getVar("BUILDNAME"), d.getVar("BB_CURRENTTASK"), d.getVar("BB_RUNTASK"), sorted(os.environ))
    print(helper(d))
    os.system("echo by the system")
    bb.note("done")
}
def helper(d):
    return "BB_TASKHASH is " + d.getVar("BB_TASKHASH")
"#;

#[test]
fn a_python_task_sees_what_it_depends_on() {
    let mut lab = Lab::new(PYTHON);
    let mut order = lab.order("do_look");
    let data = r#"{"x.bb:do_y": {"pn": "x", "taskname": "do_y", "fn": "x.bb", "deps": ["z"], "provides": ["x"],
        "taskhash": "th", "unihash": "th", "hashfn": "", "taskhash_deps": []}}"#;
    order.task_dep_data = data.to_owned();
    let (end, events) = lab.run_order(order);
    let log = lab.text("tmp/work/a/temp/log.do_look");
    assert_eq!(end.status, 0, "{events:?}\n{log}");
    let hash = "1".repeat(64);
    assert_eq!(
        log,
        format!(
            "DEBUG: Executing python function do_look\nby the system\nNOTE: done\n\
             x.bb:do_y x do_y ['z'] th\nth\n\
             today look do_look ['EXPORTED', 'HOME', 'NOT_FAKED', 'PATH']\nBB_TASKHASH is {hash}\n\
             DEBUG: Python function do_look finished\n"
        )
    );
}

const FAILING: &str = r#"
addtask shell
addtask python
addtask fatal
addtask exit
addtask quiet
addtask killed
do_shell() {
    nosuchcommand
}
python do_python() {
    raise ValueError("bad value")
}
python do_fatal() {
    bb.fatal("this is fatal")
}
python do_exit() {
    import sys
    sys.exit(3)
}
do_quiet[quieterrors] = "1"
python do_quiet() {
    bb.fatal("nobody minds")
}
python do_killed() {
    os.kill(os.getpid(), 9)
}
"#;

#[test]
fn failures_are_told_as_they_are_and_leave_no_stamp() {
    let mut lab = Lab::new(FAILING);
    let (end, events) = lab.run("do_shell");
    let link = fs::read_link(lab.build().join("tmp/work/a/temp/run.do_shell")).unwrap();
    let run = lab.build().join("tmp/work/a/temp").join(link);
    let expected = format!("40 Execution of '{}' failed with exit code 127", run.display());
    assert_eq!((end.status, &told(&events)[1]), (1, &expected));
    let (end, events) = lab.run("do_python");
    let message = &told(&events)[1];
    assert_eq!(end.status, 1);
    assert!(message.starts_with("40 Error executing a python function in exec_func_python()"), "{message}");
    assert!(message.contains(" *** 0012:    raise ValueError(\"bad value\")\n"), "{message}");
    assert!(message.ends_with("Exception: ValueError: bad value\n"), "{message}");
    let (end, events) = lab.run("do_fatal");
    assert_eq!(end.status, 1);
    assert_eq!(told(&events), ["bb.build.TaskStarted", "50 this is fatal", "bb.build.TaskFailed"]);
    assert!(events.last().unwrap().fields.contains("\"errprinted\": true"));
    let (end, events) = lab.run("do_exit");
    assert_eq!((end.status, told(&events)[1].as_str()), (1, "40 3"));
    let (end, events) = lab.run("do_quiet");
    assert_eq!((end.status, told(&events).last().unwrap().as_str()), (1, "bb.build.TaskFailedSilent"));
    let (end, _) = lab.run("do_killed");
    assert_eq!(end.status, 128 + 9);
    let (end, events) = lab.run("do_nothing");
    assert_eq!(end.status, 1);
    assert_eq!(told(&events), ["bb.build.TaskInvalid", "40 No such task: do_nothing"]);
    assert!(!lab.build().join("tmp/stamps").exists());
}

const WAITING: &str = r#"
addtask wait
do_wait() {
    sleep 98764321 &
    sleep 98764321
}
"#;

/// Are there processes that `WAITING` started?
fn sleepers() -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| line.starts_with(b"sleep\09876432")).count()
}

fn wait_for(wanted: usize) {
    for _ in 0..3000 {
        if sleepers() == wanted {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{} sleepers", sleepers());
}

#[test]
fn hanging_up_ends_a_task_and_all_it_started() {
    let mut lab = Lab::new(WAITING);
    let order = lab.order("do_wait");
    let hang_up = lab.runner.hang_up().unwrap();
    let watcher = std::thread::spawn(move || {
        wait_for(2);
        hang_up.now();
    });
    assert!(lab.runner.ask(&Request::RunTask(Box::new(order))).is_err());
    watcher.join().unwrap();
    wait_for(0);
}

#[test]
fn signature_files_are_written_without_running_tasks() {
    let mut lab = Lab::new("addtask one\ndo_one() {\n    echo ${EXPORTED}\n}\n");
    let path = lab.build().join("out/a.do_one.sigbasedata");
    let parts = TaskSignatureParts {
        task: "do_one".to_owned(),
        runtime: String::new(),
        path: path.to_string_lossy().into_owned(),
    };
    let order = SignatureOrder { address: lab.address(), tasks: vec![parts] };
    assert!(matches!(lab.runner.ask(&Request::WriteSignatures(order)).unwrap(), Reply::Done));
    let zstd = b"\x28\xb5\x2f\xfd";
    assert!(fs::read(path).unwrap().starts_with(zstd));
}

#[test]
fn handlers_of_the_configuration_get_events_of_the_build() {
    let mut lab = Lab::new("addtask one\ndo_one() {\n    :\n}\n");
    let arguments = ["", "bb.event.BuildStarted", r#"["today", ["a"]]"#].map(str::to_owned).to_vec();
    let mut events = Vec::new();
    let request = Request::Call("fire".to_owned(), arguments);
    let reply = lab.host.ask_and_watch(&request, &mut |event| events.push(event)).unwrap();
    let Reply::Text(text) = reply else { panic!("{reply:?}") };
    assert!(text.contains("\"name\": \"today\""), "{text}");
    assert!(events.is_empty(), "{events:?}");
    assert_eq!(lab.text("tmp/events"), "BuildStarted none None\n");
}

const ISOLATED: &str = r#"
BITZEL_SANDBOX = "enforce"
EVENTS_OFF = "1"
addtask write
do_write() {
    echo mine > ${WORKDIR}/own
    ! echo stray > ${TOPDIR}/stray
    ! cat ${TMPDIR}/work/other/secret
}
"#;

#[test]
fn an_isolated_task_reaches_nothing_but_its_own_tree() {
    let mut lab = Lab::new(ISOLATED);
    let other = lab.build().join("tmp/work/other");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("secret"), "of another recipe").unwrap();
    let (end, events) = lab.run("do_write");
    let log = lab.text("tmp/work/a/temp/log.do_write");
    assert_eq!(end.status, 0, "{log}\n{events:?}");
    assert_eq!(lab.text("tmp/work/a/own"), "mine\n");
    assert!(!lab.build().join("stray").exists());
    assert!(!log.contains("of another recipe"), "{log}");
}
