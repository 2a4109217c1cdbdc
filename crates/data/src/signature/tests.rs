//! Answers recorded from BitBake 2.18 (`bb.data.build_dependencies` and the base hash formula) for
//! small stores; what Python answers is given.

use super::{Library, SignatureCache, Signatures, sign};
use crate::{Context, DataStore, Interp, Lifetime, LogLevel, Result, SetInfo, Value};
use bitzel_base::CompatLevel;
use bitzel_scan::{ModuleFunction, NoVisitor, PythonRefs};
use std::rc::Rc;

/// Answers each known expression, and any other with its own text.
pub(crate) struct Answers(pub(crate) &'static [(&'static str, &'static str)]);

impl Interp for Answers {
    fn eval_inline(&self, _: &DataStore, _: Option<&str>, code: &str) -> Result<Rc<str>> {
        let known = self.0.iter().find(|(text, _)| *text == code);
        Ok(known.map_or(code, |(_, answer)| answer).into())
    }
    fn lifetime(&self, _: &str) -> Lifetime {
        Lifetime::WhileInputsHold
    }
    fn functions_version(&self) -> u64 {
        0
    }
    fn filter(&self, value: &str, _: &[Rc<str>]) -> Result<Rc<str>> {
        Ok(format!("{value}-{value}").into())
    }
    fn log(&self, _: LogLevel, _: &str) {}
}

struct Case {
    d: DataStore,
    library: Vec<ModuleFunction>,
}

impl Case {
    fn new(answers: &'static [(&'static str, &'static str)], vars: &[(&str, &str)]) -> Case {
        let d = DataStore::new(&Context::new(Rc::new(Answers(answers)), CompatLevel::V2_18));
        let case = Case { d, library: Vec::new() };
        case.set(
            "BB_SIGNATURE_EXCLUDE_FLAGS",
            "vardeps vardepsexclude vardepvalue vardepvalueexclude lineno",
        );
        for (name, value) in vars {
            case.set(name, value);
        }
        case
    }

    fn set(&self, name: &str, value: &str) {
        self.d.set(name, Value::str(value), &SetInfo::default()).unwrap();
    }

    fn flag(self, name: &str, flag: &str, value: &str) -> Case {
        self.d.set_flag(name, flag, Value::str(value), &SetInfo::default()).unwrap();
        self
    }

    fn sign(&self, task: &str) -> Signatures {
        let library = Library::new(self.library.clone(), &self.d).unwrap();
        let mut cache = SignatureCache::new(&self.d, library, Box::new(NoVisitor)).unwrap();
        sign(&self.d, &[task.into()], &mut cache).unwrap()
    }

    /// Dependencies of `name`, and what is hashed for it.
    fn node(&self, name: &str) -> (String, String) {
        let signatures = self.sign(name);
        let (_, deps, value) = signatures.nodes().find(|(other, ..)| *other == name).unwrap();
        let value = match value {
            Some(Value::Str(text)) => text.to_string(),
            other => format!("{other:?}"),
        };
        (deps.join(" "), value)
    }
}

fn expect(case: &Case, deps: &str, value: &str) {
    assert_eq!(case.node("A"), (deps.to_owned(), value.to_owned()));
}

#[test]
fn references_count_whether_they_exist_or_not() {
    expect(&Case::new(&[], &[("A", "${U} x")]), "U", "${U} x");
    expect(&Case::new(&[], &[("A", "${B}"), ("B", "${C}"), ("C", "cc")]), "B", "${B}");
    // A value that stays a reference is one of whoever takes it in.
    expect(&Case::new(&[], &[("A", "${B}"), ("B", "${C}")]), "B C", "${B}");
}

#[test]
fn names_made_up_by_expansion_count() {
    let case = Case::new(&[], &[("A", "${${B}}"), ("B", "C"), ("C", "cc")]);
    expect(&case, "B C", "${${B}}");
}

#[test]
fn code_counts_as_it_is_when_it_runs() {
    let code = "${@d.getVar(\"${B}\") or \"\"} ${@\"$\" + \"{Z}\"}";
    let case = Case::new(&[("\"$\" + \"{Z}\"", "${Z}")], &[("A", code), ("B", "C"), ("C", "cc")]);
    expect(&case, "B C Z", code);
    let code = "${@\"${UU}\" + d.getVar(\"X\")}";
    expect(&Case::new(&[], &[("A", code)]), "UU", code);
}

#[test]
fn functions_called_count_if_they_exist() {
    let code = "${@kk(1) if 0 else 1} ${@zz() if 0 else 1}";
    expect(&Case::new(&[], &[("A", code), ("kk", "")]), "kk", code);
}

#[test]
fn contains_replaces_the_dependency() {
    let code = "${@bb.utils.contains(\"P\",\"b\",1,2,d)}${@bb.utils.contains(\"P\",\"a\",1,2,d)}\
                ${@bb.utils.contains(\"O\",\"a\",1,2,d)}";
    let value = format!("{code}\nO{{a}} = Unset\nP{{a}} = Unset\nP{{b}} = Set");
    expect(&Case::new(&[], &[("A", code), ("P", "b")]), "", &value);
    let excluded = Case::new(&[], &[("A", code), ("P", "b")]).flag("A", "vardepsexclude", "P O");
    expect(&excluded, "", code);
    let ignored = Case::new(&[], &[("A", code), ("P", "b"), ("BB_BASEHASH_IGNORE_VARS", "P O")]);
    expect(&ignored, "", code);
}

#[test]
fn removals_that_take_effect_count_with_their_text() {
    let vars = [("A", "a b ${C} c"), ("C", "cc"), ("R", "b")];
    let case = Case::new(&[], &vars);
    case.set("A:remove", "${R} ${S}");
    expect(&case, "C R S", "a b ${C} c\n_remove of ${R} ${S}");
    let case = Case::new(&[], &vars);
    case.set("A:remove", "${S} zz");
    expect(&case, "C", "a b ${C} c");
}

#[test]
fn flags_are_names_of_their_own() {
    let case = Case::new(&[], &[("A", "x"), ("B", "bb")]).flag("A", "dirs", "${B} ${U}");
    expect(&case, "A[dirs]", "x");
    assert_eq!(case.node("A[dirs]"), ("B U".into(), "${B} ${U}".into()));
    case.set("BB_SIGNATURE_EXCLUDE_FLAGS", "");
    expect(&case, "", "x");
}

#[test]
fn flags_are_left_out_by_text_in_series_that_did_so() {
    let case = Case::new(&[], &[("A", "x")]).flag("A", "exclude", "y").flag("A", "dirs", "z");
    expect(&case, "A[dirs] A[exclude]", "x");
    case.set("LAYERSERIES_CORENAMES", "walnascar");
    expect(&case, "A[dirs]", "x");
}

#[test]
fn vardep_flags_bend_dependencies_and_value() {
    let case = Case::new(&[], &[("A", "${gg} ${hh}"), ("X", "q r")])
        .flag("A", "vardeps", "${X} f ${U}")
        .flag("A", "vardepsexclude", "gg f");
    expect(&case, "${U} hh q r", "${gg} ${hh}");
    let case = Case::new(&[], &[("A", "${Q}"), ("W", "ww")]).flag("A", "vardepvalue", "vv ${W}");
    expect(&case, "", "vv ww");
    let case = Case::new(&[], &[("A", "a ${B} foo bar foo"), ("B", "foo")]).flag(
        "A",
        "vardepvalueexclude",
        "foo| bar|${B}",
    );
    expect(&case, "B", "a   ");
}

#[test]
fn shell_functions_depend_on_commands_exports_and_prefuncs() {
    let body = " ${B}\n c $(d)\n unknown\n";
    let case = Case::new(&[], &[("A", body), ("B", "e f"), ("c", ""), ("d", ""), ("e", ""), ("SD", "1")])
        .flag("A", "func", "1")
        .flag("A", "prefuncs", "p ${c}q")
        .flag("A", "exports", "E1")
        .flag("SD", "export", "1");
    expect(&case, "A[exports] A[func] A[prefuncs] B E1 SD c d e p q", body);
}

#[test]
fn shell_functions_are_read_without_what_is_removed() {
    let case = Case::new(&[], &[("A", " a\n b\n"), ("a", ""), ("b", "")]).flag("A", "func", "1");
    case.set("A:remove", "b");
    expect(&case, "A[func] a", " a\n b\n\n_remove of b");
}

#[test]
fn code_is_read_with_replaced_values() {
    let case = Case::new(&[], &[("A", " ${PV} ${@d.getVar(\"K\")}\n"), ("PV", "1"), ("p", "")])
        .flag("A", "func", "1");
    case.set("BB_HASH_CODEPARSER_VALS", "PV=p LOGFIFO=/");
    expect(&case, "A[func] K PV p", " ${PV} ${@d.getVar(\"K\")}\n");
}

#[test]
fn python_functions_are_read_as_they_are() {
    let body = " d.getVar(\"P\"); c(); zz(); x=\"${Q}\"; bb.build.exec_func(\"h\",d)\n";
    let case = Case::new(&[], &[("A", body), ("c", ""), ("h", ""), ("SD", "1")])
        .flag("A", "func", "1")
        .flag("A", "python", "1")
        .flag("SD", "export", "1");
    expect(&case, "A[func] A[python] P c h", body);
}

#[test]
fn library_functions_count_with_the_hash_of_their_source() {
    let function = |name: &str, execs: &[&str], references: &[&str]| ModuleFunction {
        name: name.into(),
        refs: PythonRefs {
            execs: execs.iter().map(|name| Box::from(*name)).collect(),
            references: references.iter().map(|name| Box::from(*name)).collect(),
            contains: [("C1".into(), ["a".into(), "b".into()].into())].into(),
            ..PythonRefs::default()
        },
        source_hash: "HASH".into(),
    };
    let mut case = Case::new(&[], &[("A", "${@mod.f(d) if 0 else 1}"), ("k", ""), ("C1", "a")]).flag(
        "mod.f",
        "vardepsexclude",
        "R3",
    );
    case.library = vec![function("mod.f", &["mod.g", "k", "zz"], &["R1", "R2", "R3"])];
    case.library.push(function("mod.g", &[], &[]));
    expect(&case, "mod.f", "${@mod.f(d) if 0 else 1}");
    let value = "HASH\nC1{a} = Set\nC1{b} = Unset";
    assert_eq!(case.node("mod.f"), ("R1 R2 k mod.g".into(), value.into()));
}

#[test]
fn values_that_are_no_text_count_as_python_shows_them() {
    let case = Case::new(&[], &[]);
    case.d.set("A", Value::strings(["a", "it's"]), &SetInfo::default()).unwrap();
    expect(&case, "", "['a', \"it's\"]");
    case.d.set("A", Value::Bool(true), &SetInfo::default()).unwrap();
    expect(&case, "", "True");
}

#[test]
fn the_base_hash_is_over_the_task_and_the_sorted_closure() {
    let case = Case::new(&[], &[("do_x", "text ${B}\n"), ("B", "${C}${IGN}"), ("C", "cc"), ("IGN", "i")])
        .flag("do_x", "func", "1");
    case.d.set_flag("do_x", "python", Value::str(""), &SetInfo::default()).unwrap();
    case.set("BB_BASEHASH_IGNORE_VARS", "IGN");
    let signatures = case.sign("do_x");
    let (task, hash) = signatures.base_hashes().next().unwrap();
    assert_eq!(task, "do_x");
    // sha256 of "text ${B}\n" "B" "${C}${IGN}" "C" "cc" "do_x[func]" "1" "do_x[python]" ""
    assert_eq!(hash, "1d0e5c9f6d59a422e5f33769c54e1fb1e78a4322dc729460aecc7535b61d386f");
}

/// What `do_b[vardeps] = "${A}"` makes of a filtered `A` where `do_a`, signed before, has the
/// `[vardeps]` given.
fn read_after(vardeps: &str) -> String {
    let case = Case::new(&[], &[("A", "x"), ("B", "${A} z"), ("C", "1")]);
    let case =
        case.flag("C", "vardeps", "A").flag("do_a", "vardeps", vardeps).flag("do_b", "vardeps", "${A}");
    case.d.set_filter("A", "double(val)");
    assert_eq!(&*case.d.get_or_empty("A").unwrap(), "x-x");
    let library = Library::new(Vec::new(), &case.d).unwrap();
    let mut cache = SignatureCache::new(&case.d, library, Box::new(NoVisitor)).unwrap();
    let signatures = sign(&case.d, &["do_a".into(), "do_b".into()], &mut cache).unwrap();
    assert_eq!(&*case.d.get_or_empty("A").unwrap(), "x-x", "afterwards all is as it was");
    let (_, deps, _) = signatures.nodes().find(|(name, ..)| *name == "do_b").unwrap();
    deps.join(" ")
}

#[test]
fn a_variable_signed_before_it_is_read_has_no_filters_for_the_rest() {
    assert_eq!(read_after(""), "x-x");
    assert_eq!(read_after("A"), "x");
    assert_eq!(read_after("C"), "x");
    assert_eq!(read_after("B"), "x-x");
}
