//! Hashes of tasks as the built program computes them, on tiny layers written here.
#![allow(clippy::unwrap_used, reason = "tests")]

mod layer;

use layer::{Layer, stdout};
use std::fs;

/// Hashes in the names of the signature files of `a`'s do_build.
fn hashes(layer: &Layer) -> Vec<String> {
    let output = layer.run(&["bitbake", "-S", "none", "a"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stamps = layer.dir.path().join("build/tmp/stamps");
    let mut hashes: Vec<String> = fs::read_dir(&stamps)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_prefix("a.do_build.sigdata.").map(str::to_owned)
        })
        .collect();
    fs::remove_dir_all(&stamps).unwrap();
    hashes.sort();
    hashes
}

/// Adds a line to a file of the layer's `conf`.
fn add_to_conf(layer: &Layer, name: &str, line: &str) {
    let path = format!("layer/conf/{name}.conf");
    let before = fs::read_to_string(layer.dir.path().join(&path)).unwrap();
    layer.write(&path, before + line);
}

/// `a` needs `tool`; both say what they build in a variable.
fn two_recipes() -> Layer {
    Layer::new(&[
        ("a_1.bb", "do_build[depends] = \"tool:do_build\"\n"),
        ("tool_1.bb", "WHAT = \"1\"\ndo_build() {\n: ${WHAT}\n}\n"),
    ])
}

#[test]
fn what_a_task_stands_on_is_part_of_its_hash() {
    let layer = two_recipes();
    layer.write("build/conf/local.conf", "BB_SIGNATURE_HANDLER = \"basichash\"\n");
    add_to_conf(&layer, "bitbake", "require conf/local.conf\n");
    let before = hashes(&layer);
    assert_eq!(before.len(), 1);
    assert_eq!(before, hashes(&layer));
    layer.write("layer/tool_1.bb", "WHAT = \"2\"\ndo_build() {\n: ${WHAT}\n}\n");
    assert_ne!(before, hashes(&layer));
}

#[test]
fn printdiff_names_the_task_where_differences_begin_and_says_what_differs() {
    let layer = two_recipes();
    add_to_conf(&layer, "bitbake", "BB_SIGNATURE_HANDLER = \"basichash\"\n");
    stdout(&layer.run(&["bitbake", "a"]));
    layer.write("layer/tool_1.bb", "WHAT = \"2\"\ndo_build() {\n: ${WHAT}\n}\n");
    let text = stdout(&layer.run(&["bitbake", "-S", "printdiff", "a"]));
    let (_, rest) = text.split_once("start at the following tasks:\n").unwrap();
    let (starts, reasons) = rest.split_once("NOTE: Writing task signature files\n").unwrap();
    assert!(starts.lines().count() == 1 && starts.ends_with("tool_1.bb:do_build\n"), "{text}");
    assert!(reasons.starts_with("\nTask tool:do_build couldn't be used from the cache because:\n"), "{text}");
    assert!(reasons.contains("  Variable WHAT value changed from '1' to '2'\n"), "{text}");
}

/// A generator for which nothing that `tool` does counts.
const GENERATOR: &str = r#"
import bb.siggen

class SignatureGeneratorTiny(bb.siggen.SignatureGeneratorBasicHash):
    name = "tiny"

    def rundep_check(self, fn, recipename, task, dep, depname, dataCaches):
        assert dataCaches[""].pkg_fn[fn] == recipename
        return depname != "tool"

bb.siggen.SignatureGeneratorTiny = SignatureGeneratorTiny
"#;

#[test]
fn a_layer_can_bring_its_own_signature_generator() {
    let layer = two_recipes();
    layer.write("layer/lib/tiny/__init__.py", "BBIMPORTS = [\"sigs\"]\n");
    layer.write("layer/lib/tiny/sigs.py", GENERATOR);
    add_to_conf(&layer, "layer", "addpylib ${LAYERDIR}/lib tiny\n");
    add_to_conf(&layer, "bitbake", "BB_SIGNATURE_HANDLER = \"tiny\"\n");
    let before = hashes(&layer);
    assert_eq!(before.len(), 1);
    layer.write("layer/tool_1.bb", "WHAT = \"2\"\ndo_build() {\n: ${WHAT}\n}\n");
    assert_eq!(before, hashes(&layer));
    layer.write("layer/a_1.bb", "do_build[depends] = \"tool:do_build\"\ndo_build() {\n: other\n}\n");
    assert_ne!(before, hashes(&layer));
}

#[test]
fn a_generator_that_nobody_brings_is_named_with_those_there_are() {
    let layer = two_recipes();
    add_to_conf(&layer, "bitbake", "BB_SIGNATURE_HANDLER = \"nobody\"\n");
    let output = layer.run(&["bitbake", "-S", "none", "a"]);
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("BB_SIGNATURE_HANDLER is `nobody`") && errors.contains("OEEquivHash"),
        "{errors}"
    );
    assert!(stdout(&layer.run(&["getvar", "--value", "BB_SIGNATURE_HANDLER"])).contains("nobody"));
}
