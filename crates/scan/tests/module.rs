//! Library functions, with the hashes that BitBake 2.18 recorded for this text.

use bitzel_base::CompatLevel;
use bitzel_scan::{
    CallFinds, CallVisitor, ModuleFunction, NoVisitor, ScanError, scan_module, scan_python_with,
};
use std::collections::BTreeSet;

const LIBRARY: &str = include_str!("golden/library.py");

fn function(name: &str, level: CompatLevel) -> ModuleFunction {
    let functions = scan_module(LIBRARY, "mymod", level, &NoVisitor).expect("the library is Python");
    functions.into_iter().find(|f| &*f.name == name).expect("the library has the function")
}

fn references(name: &str, level: CompatLevel) -> Vec<String> {
    function(name, level).refs.references.iter().map(ToString::to_string).collect()
}

#[test]
fn decorators_add_and_remove_variables_at_level_2_18_only() {
    assert_eq!(references("mymod.withdeps", CompatLevel::V2_18), ["B", "V1", "V2 V3"]);
    assert_eq!(references("mymod.withdeps", CompatLevel::V2_8), ["B"]);
    assert_eq!(references("mymod.excluded", CompatLevel::V2_18), ["D"]);
    assert_eq!(references("mymod.excluded", CompatLevel::V2_8), ["B", "C", "D"]);
    assert_eq!(references("mymod.both", CompatLevel::V2_18), ["W"]);
}

#[test]
fn calls_of_functions_of_the_module_get_its_namespace() {
    let refs = function("mymod.withdeps", CompatLevel::V2_18).refs;
    assert!(refs.execs.contains("mymod.plain"));
    let refs = function("mymod.calls", CompatLevel::V2_18).refs;
    assert!(refs.execs.contains("_private"));
    assert!(refs.execs.contains("mymod.visited"));
    assert!(refs.execs.contains("other.thing"));
}

#[test]
fn private_functions_and_rebound_names_are_not_registered() {
    let functions = scan_module(LIBRARY, "mymod", CompatLevel::V2_18, &NoVisitor).unwrap();
    let names: Vec<_> = functions.iter().map(|f| f.name.trim_start_matches("mymod.")).collect();
    assert_eq!(
        names,
        ["K", "asy", "both", "calls", "excluded", "oneline", "outer", "plain", "tail", "visited", "withdeps"]
    );
}

#[test]
fn source_hashes_are_those_of_bitbake() {
    for (name, hash) in [
        ("mymod.K", "87fdec8ba7d076527c93bc98e11b97317ceb43fdba1555ba0143e963d5640807"),
        ("mymod.asy", "746de1977dfead9f5d454ed324c157bbab55b71c1b493e5777ff8504168e59df"),
        ("mymod.both", "52872a82cdd16b95150288ed4d6c72c0fc39e43888a29745d4409fed1ab0ddc8"),
        ("mymod.calls", "7db3d1c75fa90776ed065e14f9e680049c2be55dec4aee1b38b0676ca96824cb"),
        ("mymod.excluded", "67b77e58b5f222ead3b0d1212470e43c3c971d728da9cafb1ad4f784b57ef8ad"),
        ("mymod.oneline", "837a640ada898165b2b0e1166be445131c7de677a59f7a0d7f5fccfd1a9dfe76"),
        ("mymod.outer", "3958939315f55118dff89c4e7753c06caee0bdbb0f9192007954fdbbc1cd397c"),
        ("mymod.plain", "42b9d12c6d3751df2a9b232fdc73de4898b5c72e9a6565e89b58fb4055049eb1"),
        ("mymod.tail", "d750ac5f3e4232cbc92bd620576281dac4749a5976ace6775f52e1706e5c48d8"),
        ("mymod.visited", "6728d90eb16810744084f4d33ff1ace7beb759610407aef33452afb322b90335"),
        ("mymod.withdeps", "c21b3ec8103cc61a3d767d5c8ab9d17e080f98603b1a94231329bc1d1bf659e8"),
    ] {
        assert_eq!(&*function(name, CompatLevel::V2_18).source_hash, hash, "{name}");
    }
}

struct Errors;

impl CallVisitor for Errors {
    fn visit(&self, function: &str, call: &str) -> Result<Option<CallFinds>, ScanError> {
        if function != "mymod.visited" {
            return Ok(None);
        }
        let item = call.split('"').nth(1).ok_or_else(|| ScanError::Visitor {
            function: function.into(),
            call: call.into(),
            message: "IndexError".into(),
        })?;
        let items = BTreeSet::from([item.into()]);
        Ok(Some(CallFinds { contains: [("ERROR_QA".into(), items)].into(), ..CallFinds::default() }))
    }
}

#[test]
fn a_visitor_says_what_a_call_refers_to() {
    let code = "mymod.visited(\"buildpaths\", d)";
    let refs = scan_python_with(code, CompatLevel::V2_18, &Errors).unwrap();
    assert!(refs.execs.is_empty());
    assert!(refs.contains["ERROR_QA"].contains("buildpaths"));
    let refs = scan_python_with(code, CompatLevel::V2_8, &Errors).unwrap();
    assert!(refs.execs.contains("mymod.visited"));
}

#[test]
fn a_visitor_that_fails_fails_the_scan() {
    let refused = scan_python_with("mymod.visited(d)", CompatLevel::V2_18, &Errors).unwrap_err();
    assert!(refused.to_string().contains("mymod.visited(d)"), "{refused}");
}

#[test]
fn what_a_visitor_says_last_by_level_replaces_what_was_found_before() {
    let items = |code: &str| {
        let refs = scan_python_with(code, CompatLevel::V2_18, &Errors).unwrap();
        refs.contains["ERROR_QA"].iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let call = |item: &str| format!("mymod.visited(\"{item}\")");
    let plain = "bb.utils.contains(\"ERROR_QA\", \"z\", 1, 2, d)";
    // Answers of BitBake 2.18.
    assert_eq!(items(&format!("{}\n{}", call("a"), call("b"))), "b");
    assert_eq!(items(&format!("if x:\n  {}\n{}", call("deep"), call("late"))), "deep");
    let branches = ["a", "b", "c", "d"].map(call);
    let [a, b, c, d] = &branches;
    let chain = format!("if x:\n  {a}\nelif y:\n  {b}\nelif z:\n  {c}\nelse:\n  {d}\n");
    assert_eq!(items(&format!("{chain}if q:\n  if r:\n    {}", call("e"))), "d");
    assert_eq!(items(&format!("{a}\n{plain}")), "a z");
    assert_eq!(items(&format!("{plain}\n{a}")), "a");
    assert_eq!(items(&format!("if x:\n  {plain}\n{a}")), "a z");
    assert_eq!(items(&format!("x = f(k={a})\ny = f({b})")), "a");
    assert_eq!(items(&format!("with a: {a}\ntry: {b}\nexcept X: {c}\n{d}")), "c");
    assert_eq!(items(&format!("def f(a={a}):\n  {b}")), "b");
    assert_eq!(items(&format!("[{a} for i in {b} if {c}]")), "c");
}
