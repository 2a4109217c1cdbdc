//! `bitzel sandbox export`: a task run by an OCI runtime does what it does here.
#![allow(clippy::unwrap_used, reason = "tests")]

mod layer;

use layer::{Layer, stdout};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

const RECIPE: &str = r#"LICENSE = "MIT"
WORKDIR = "${TMPDIR}/work/app"
T = "${WORKDIR}/temp"
B = "${WORKDIR}/b"
export GREETING = "hello from the recipe"
prepare() {
    echo prepared > ${B}/first
}
python note() {
    bb.note("Python")
}
do_compile[prefuncs] = "prepare note"
do_compile[cleandirs] = "${WORKDIR}/clean"
do_compile[dirs] = "${WORKDIR}/clean ${B}"
do_compile() {
    {
        id -u
        umask
        pwd
        echo "$GREETING"
        cat first
        ls ${WORKDIR}/clean /
        cat /etc/shadow 2> /dev/null || echo "no shadow"
        touch ${TOPDIR}/outside 2> /dev/null || echo "no way out"
    } > result
}
do_compile[umask] = "027"
addtask compile before do_build
python do_config() {
    bb.note("Python")
}
addtask config
"#;

/// The layer, and the result of the task as bitzel runs it.
fn built() -> (Layer, String) {
    let layer = Layer::new(&[("app_1.bb", RECIPE)]);
    layer.write("build/tmp/work/app/b/.keep", "");
    stdout(&layer.run(&["bitbake", "app"]));
    let result = fs::read_to_string(layer.dir.path().join("build/tmp/work/app/b/result")).unwrap();
    fs::remove_file(layer.dir.path().join("build/tmp/work/app/b/result")).unwrap();
    assert!(result.contains("hello from the recipe") && result.contains("no way out"), "{result}");
    (layer, result)
}

/// Runs a bundle by crun. Some versions refuse hosts with both versions of control groups: they are shown version 2 only.
fn crun(bundle: &Path, state: &Path) -> Output {
    let script = "mount --make-rprivate / && mount -t cgroup2 none /sys/fs/cgroup; exec \"$@\"";
    let mut command = Command::new("unshare");
    if rustix::process::geteuid().is_root() {
        command.args(["-m", "sh", "-c", script, "sh"]);
    } else {
        command.arg("--");
    }
    command.args(["crun", "--cgroup-manager=disabled", "--root"]).arg(state);
    command.args(["run", "--bundle"]).arg(bundle).arg(format!("bitzel-test-{}", std::process::id()));
    command.output().unwrap()
}

#[test]
fn a_bundle_of_a_task_gives_the_same_result() {
    let (layer, expected) = built();
    let bundle = layer.dir.path().join("bundle");
    let output =
        layer.run(&["sandbox", "export", "--oci", "app:do_compile", "--output", bundle.to_str().unwrap()]);
    let told = stdout(&output);
    assert!(told.contains(&format!("crun run --bundle '{}'", bundle.display())), "{told}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("`note` is written in Python"), "{output:?}");
    let state = layer.dir.path().join("state");
    fs::create_dir(&state).unwrap();
    if Command::new("crun").arg("--version").output().is_err() {
        return writeln!(std::io::stderr(), "not checked: crun is not installed").unwrap();
    }
    let output = crun(&bundle, &state);
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("Cannot determine your user name") {
        return writeln!(std::io::stderr(), "not checked: {said}").unwrap();
    }
    assert!(output.status.success(), "{output:?}");
    let result = fs::read_to_string(layer.dir.path().join("build/tmp/work/app/b/result")).unwrap();
    assert_eq!(result, expected, "{said}");
}

#[test]
fn what_cannot_be_exported_is_told() {
    let layer = Layer::new(&[("app_1.bb", RECIPE)]);
    let fails = |task: &str| {
        let output = layer.run(&["sandbox", "export", "--oci", task, "--output", "bundle"]);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(fails("app:do_config").contains("it is written in Python"));
    assert!(fails("app").contains("expected RECIPE:do_TASK"));
    assert!(!layer.dir.path().join("build/bundle").exists());
    layer.write("build/bundle/config.json", "mine");
    assert!(fails("app:do_compile").contains("is there already"));
}
