//! The built program on tiny layers written here.
#![allow(clippy::unwrap_used, reason = "tests")]

mod layer;

use layer::{Layer, stdout};
use std::fs;

#[test]
fn recipes_are_evaluated_once_and_come_from_the_cache_then() {
    let layer = Layer::new(&[
        ("a_1.bb", "X = \"1\"\n"),
        ("b_1.bb", "require common.inc\n"),
        ("common.inc", "Y = \"2\"\n"),
    ]);
    let first = stdout(&layer.run(&["bitbake", "-p"]));
    assert!(first.contains("Parsing of 2 .bb files complete (0 cached, 2 parsed). 2 targets"), "{first}");
    let second = stdout(&layer.run(&["bitbake", "-p"]));
    assert!(second.contains("(2 cached, 0 parsed)"), "{second}");
    layer.write("layer/common.inc", "Y = \"3\"\n");
    let third = stdout(&layer.run(&["bitbake", "-p"]));
    assert!(third.contains("(1 cached, 1 parsed)"), "{third}");
    layer.write("layer/c_1.bb", "");
    let fourth = stdout(&layer.run(&["bitbake", "-p"]));
    assert!(fourth.contains("(2 cached, 1 parsed)"), "{fourth}");
}

#[test]
fn a_new_comment_in_the_settings_costs_nothing_and_a_new_value_everything() {
    let layer = Layer::new(&[("a_1.bb", "X = \"${GREETING}\"\n"), ("b_1.bb", "")]);
    let set = |text: &str| {
        let layers = "BBPATH = \"${TOPDIR}\"\nBBLAYERS = \"${TOPDIR}/../layer\"\n";
        layer.write("build/conf/bblayers.conf", format!("{layers}{text}"));
    };
    set("GREETING = \"hi\"\n");
    let parse = || stdout(&layer.run(&["bitbake", "-p"]));
    assert!(parse().contains("(0 cached, 2 parsed)"));
    set("# short\nGREETING = \"hi\"\n");
    let told = parse();
    assert!(told.contains("(2 cached, 0 parsed)"), "{told}");
    set("GREETING = \"hello there\"\n");
    let told = parse();
    assert!(told.contains("(0 cached, 2 parsed)"), "{told}");
    assert_eq!(stdout(&layer.run(&["getvar", "-r", "a", "--value", "X"])), "hello there\n");
    set("GREETING = \"hello there\"\nGREETING[doc] = \"a flag\"\n");
    let told = parse();
    assert!(told.contains("(0 cached, 2 parsed)"), "{told}");
    layer.write("layer/classes/base.bbclass", "# a class\ndo_build() {\n:\n}\naddtask build\n");
    let told = parse();
    assert!(told.contains("(0 cached, 2 parsed)"), "{told}");
}

#[test]
fn a_file_that_was_looked_for_counts_once_it_appears() {
    let layer = Layer::new(&[("a_1.bb", "include maybe.inc\nX = \"${@d.getVar('M') or 'none'}\"\n")]);
    assert_eq!(stdout(&layer.run(&["getvar", "-r", "a", "--value", "X"])), "none\n");
    layer.write("layer/maybe.inc", "M = \"there\"\n");
    assert_eq!(stdout(&layer.run(&["getvar", "-r", "a", "--value", "X"])), "there\n");
}

#[test]
fn one_broken_recipe_does_not_hide_the_errors_of_others() {
    let layer = Layer::new(&[
        ("good_1.bb", "X = \"1\"\n"),
        ("bad_1.bb", "X = unquoted\n"),
        ("worse_1.bb", "python () {\n    raise ValueError('on purpose')\n}\n"),
    ]);
    let output = layer.run(&["bitbake", "-p"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(errors.contains("unparsed line: 'X = unquoted'") && errors.contains("bad_1.bb"), "{errors}");
    assert!(errors.contains("on purpose") && errors.contains("worse_1.bb"), "{errors}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 errors"));
}

#[test]
fn files_that_include_each_other_end_with_a_message() {
    let layer = Layer::new(&[
        ("a_1.bb", "require x.inc\n"),
        ("x.inc", "require y.inc\n"),
        ("y.inc", "require x.inc\n"),
    ]);
    let output = layer.run(&["bitbake", "-p"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("include each other without end"));
}

#[test]
fn a_missing_layer_is_named() {
    let layer = Layer::new(&[]);
    layer.write("build/conf/bblayers.conf", "BBPATH = \"${TOPDIR}\"\nBBLAYERS = \"/nonexistent/layer\"\n");
    let output = layer.run(&["bitbake", "-p"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent/layer"));
}

#[test]
fn the_environment_of_a_recipe_shows_who_set_what() {
    let layer = Layer::new(&[("a_1.bb", "GREETING = \"hi\"\n")]);
    let text = stdout(&layer.run(&["bitbake", "-e", "a"]));
    assert!(text.contains("\nGREETING=\"hi\"\n"), "{text}");
    assert!(text.contains("a_1.bb:1\n#     \"hi\""), "{text}");
}

#[test]
fn layers_can_be_added_and_removed() {
    let layer = Layer::new(&[("a_1.bb", "")]);
    let other = layer.dir.path().join("other");
    fs::create_dir_all(other.join("conf")).unwrap();
    fs::write(
        other.join("conf/layer.conf"),
        "BBFILE_COLLECTIONS += \"other\"\nBBFILE_PATTERN_other = \"^${LAYERDIR}/\"\nLAYERSERIES_COMPAT_other = \"wrynose\"\n",
    )
    .unwrap();
    let path = other.to_str().unwrap();
    stdout(&layer.run(&["layers", "add-layer", path]));
    assert!(stdout(&layer.run(&["layers", "show-layers"])).contains("other"));
    stdout(&layer.run(&["layers", "remove-layer", path]));
    assert!(!stdout(&layer.run(&["layers", "show-layers"])).contains("other"));
}
