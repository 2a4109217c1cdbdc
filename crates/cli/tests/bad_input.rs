//! Broken metadata and broken surroundings: each is told with its place, and ends the program
//! with an error without hiding anything else.
#![allow(clippy::unwrap_used, reason = "tests")]

mod layer;

use layer::{Layer, stdout};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

/// What `bitbake -p` says of a layer with the recipe `bad_1.bb`; it has to fail.
fn refused(text: impl AsRef<[u8]>) -> String {
    let layer = Layer::new(&[("good_1.bb", "X = \"1\"\n")]);
    layer.write("layer/bad_1.bb", text);
    failure(&layer)
}

fn failure(layer: &Layer) -> String {
    let output = layer.run(&["bitbake", "-p"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(!told.contains("panicked"), "{told}");
    told
}

#[test]
fn a_line_that_is_no_statement_is_told_with_its_place() {
    let told = refused("X = \"1\"\nthis is nothing\n");
    assert!(told.contains("bad_1.bb:2") && told.contains("unparsed line"), "{told}");
}

#[test]
fn a_function_that_never_ends_is_told_with_its_file() {
    let told = refused("do_x() {\n    :\n");
    assert!(told.contains("bad_1.bb") && told.contains("unclosed function"), "{told}");
}

#[test]
fn a_class_that_is_not_there_is_told_with_the_statement() {
    let told = refused("X = \"1\"\ninherit nowhere\n");
    assert!(told.contains("bad_1.bb:2"), "{told}");
    assert!(told.contains("Could not inherit file classes/nowhere.bbclass"), "{told}");
}

#[test]
fn an_error_in_an_included_file_is_told_with_the_way_to_it() {
    let layer = Layer::new(&[("bad_1.bb", "\nrequire one.inc\n"), ("one.inc", "\n\nrequire two.inc\n")]);
    layer.write("layer/two.inc", "nonsense\n");
    let told = failure(&layer);
    let places = ["two.inc:1", "included from ", "one.inc:3", "bad_1.bb:2"];
    assert!(places.iter().all(|place| told.contains(place)), "{told}");
}

#[test]
fn files_in_a_circle_are_named() {
    let layer = Layer::new(&[("bad_1.bb", "require one.inc\n"), ("one.inc", "require two.inc\n")]);
    layer.write("layer/two.inc", "require one.inc\n");
    let told = failure(&layer);
    assert!(
        told.contains("without end") && told.contains("one.inc -> ") && told.contains("two.inc"),
        "{told}"
    );
}

#[test]
fn a_variable_that_refers_to_itself_is_named() {
    let told = refused("PV = \"1${PV}\"\n");
    assert!(told.contains("bad_1.bb") && told.contains("variable PV references itself!"), "{told}");
}

#[test]
fn an_exception_is_told_with_its_line_and_code() {
    let told = refused("python () {\n    x = 1\n    raise ValueError(\"no good\")\n}\n");
    assert!(told.contains("ValueError: no good") && told.contains("bad_1.bb:3"), "{told}");
    assert!(told.contains("raise ValueError"), "{told}");
    let told = refused("PV = \"${@1 / 0}\"\n");
    assert!(told.contains("division by zero") && told.contains("PV"), "{told}");
}

#[test]
fn text_that_is_not_utf8_is_told_with_its_line() {
    let told = refused(b"X = \"1\"\nY = \"\xff\"\n");
    assert!(told.contains("bad_1.bb") && told.contains("not valid UTF-8 (line 2)"), "{told}");
}

#[test]
fn a_layer_for_another_series_is_refused() {
    let layer = Layer::new(&[]);
    layer.write(
        "build/conf/bblayers.conf",
        "BBPATH = \"${TOPDIR}\"\nBBLAYERS = \"${TOPDIR}/../layer ${TOPDIR}/../old\"\n",
    );
    layer.write(
        "old/conf/layer.conf",
        "BBFILE_COLLECTIONS += \"old\"\nBBFILE_PATTERN_old = \"^${LAYERDIR}/\"\nLAYERSERIES_COMPAT_old = \"ancient\"\n",
    );
    let told = failure(&layer);
    assert!(told.contains("Layer old is not compatible") && told.contains("wrynose"), "{told}");
}

#[test]
fn a_process_that_is_killed_is_told_with_the_recipe_and_leaves_no_cache() {
    let layer = Layer::new(&[("good_1.bb", "X = \"1\"\n")]);
    layer.write("layer/bad_1.bb", "python () {\n    os.kill(os.getpid(), 9)\n}\n");
    let told = failure(&layer);
    assert!(told.contains("bad_1.bb"), "{told}");
    layer.write("layer/bad_1.bb", "X = \"1\"\n");
    let told = stdout(&layer.run(&["bitbake", "-p"]));
    assert!(told.contains("0 cached, 2 parsed"), "{told}");
}

#[test]
fn a_cache_full_of_rubbish_is_made_anew() {
    let layer = Layer::new(&[("good_1.bb", "X = \"1\"\n")]);
    stdout(&layer.run(&["bitbake", "-p"]));
    let mut spoilt = 0;
    for entry in walkdir(layer.dir.path().join("build")) {
        if !entry.components().any(|part| part.as_os_str() == "conf") {
            fs::write(&entry, b"rubbish").unwrap();
            spoilt += 1;
        }
    }
    assert!(spoilt > 0, "there is a cache");
    let told = stdout(&layer.run(&["bitbake", "-p"]));
    assert!(told.contains("1 parsed") && told.contains("0 errors"), "{told}");
    let told = stdout(&layer.run(&["bitbake", "-p"]));
    assert!(told.contains("1 cached"), "{told}");
}

/// All files below a folder.
fn walkdir(folder: std::path::PathBuf) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files.extend(walkdir(entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}

#[test]
fn a_layer_that_needs_one_that_is_not_there_is_refused() {
    let layer = Layer::new(&[]);
    layer.write(
        "layer/conf/layer.conf",
        "BBPATH .= \":${LAYERDIR}\"\nBBFILE_COLLECTIONS += \"tiny\"\nBBFILE_PATTERN_tiny = \"^${LAYERDIR}/\"\nLAYERDEPENDS_tiny = \"other (>= 2)\"\n",
    );
    let told = failure(&layer);
    assert!(told.contains("Layer 'tiny' depends on layer 'other'"), "{told}");
}

#[test]
fn without_python_the_program_says_what_it_needs() {
    let layer = Layer::new(&[("good_1.bb", "X = \"1\"\n")]);
    let output = layer.command(&["bitbake", "-p"]).env("PATH", layer.dir.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("python3"), "{told}");
}

#[test]
fn an_old_python_is_told_with_what_is_needed() {
    let layer = Layer::new(&[("good_1.bb", "X = \"1\"\n")]);
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("python3"))
        .find(|program| program.exists())
        .unwrap();
    // the real one that says it is older
    layer.write(
        "old/python3",
        format!(
            "#!{}\nimport runpy, sys\nsys.version_info = (3, 8, 10, 'final', 0)\nsys.argv[1:] = sys.argv[4:]\n\
             runpy.run_module('bitzel_host', run_name='__main__')\n",
            real.display()
        ),
    );
    let program = layer.dir.path().join("old/python3");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = layer.command(&["bitbake", "-p"]).env("PATH", path).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("is Python 3.8") && told.contains("needs Python 3.9 or newer"), "{told}");
    assert!(!told.contains("Traceback") && !told.contains("report it"), "{told}");
}

#[test]
fn a_layer_that_is_not_there_is_named_with_the_file_to_mend() {
    let layer = Layer::new(&[]);
    layer.write(
        "build/conf/bblayers.conf",
        "BBPATH = \"${TOPDIR}\"\nBBLAYERS = \"${TOPDIR}/../layer ${TOPDIR}/../gone\"\n",
    );
    let told = failure(&layer);
    assert!(told.contains("../gone") && told.contains("check BBLAYERS in"), "{told}");
    assert!(told.contains("conf/bblayers.conf"), "{told}");
}

/// The command, without root's right to read and write everything.
fn without_rights(layer: &Layer, arguments: &[&str]) -> Output {
    let command = layer.command(arguments);
    if !rustix::process::geteuid().is_root() {
        return layer.command(arguments).output().unwrap();
    }
    let rights = "-dac_override,-dac_read_search";
    let mut limited = Command::new("setpriv");
    limited.args(["--bounding-set", rights, "--inh-caps", rights]).arg(command.get_program());
    limited.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited.output().unwrap()
}

fn set_mode(layer: &Layer, path: &str, mode: u32) {
    fs::set_permissions(layer.dir.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn files_that_cannot_be_read_are_told_with_the_way_to_them() {
    for (path, way) in [("layer/one.inc", "included from "), ("layer/bad_1.bb", "")] {
        let layer = Layer::new(&[("bad_1.bb", "\nrequire one.inc\n"), ("one.inc", "X = \"1\"\n")]);
        set_mode(&layer, path, 0);
        let output = without_rights(&layer, &["bitbake", "-p"]);
        set_mode(&layer, path, 0o644);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        let name = path.rsplit('/').next().unwrap();
        assert!(
            told.contains(&format!("{name}`: Permission denied")) && told.contains("is readable"),
            "{told}"
        );
        assert!(told.contains(way) && (way.is_empty() || told.contains("bad_1.bb:2")), "{told}");
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_told_and_does_not_matter() {
    let layer = Layer::new(&[("good_1.bb", "X = \"1\"\n")]);
    fs::create_dir_all(layer.dir.path().join("build/cache")).unwrap();
    set_mode(&layer, "build/cache", 0o555);
    let output = without_rights(&layer, &["bitbake", "-p"]);
    set_mode(&layer, "build/cache", 0o755);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stdout(&output).contains("1 parsed"), "{told}");
    assert!(told.contains("build/cache/") && told.contains("Permission denied"), "{told}");
    assert!(told.contains("make its folder writable"), "{told}");
}
