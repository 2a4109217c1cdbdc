//! Every function of the language on a small graph drawn by hand.

mod common;

use bitzel_query::{Flavour, Output, print, query};
use common::Drawn;

/// a builds on b and c; both on d; c needs e at run time; f stands alone.
fn drawn() -> Drawn {
    Drawn::new("a>b a>c b>d c>d c~e f a-native>d")
}

fn ask_in(env: &Drawn, text: &str, output: Output) -> String {
    let result = query(env, text).unwrap_or_else(|error| panic!("{error}"));
    let mut out = String::new();
    print(env, &result, output, &mut out).unwrap();
    out
}

/// The labels of an answer in one line.
fn ask(text: &str) -> String {
    ask_in(&drawn(), text, Output::Label).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn deps_go_down_as_far_and_along_the_edges_asked_for() {
    assert_eq!(ask("deps(a)"), "a b c d e");
    assert_eq!(ask("deps(a, 1)"), "a b c");
    assert_eq!(ask("deps(a, 0)"), "a");
    assert_eq!(ask("deps(c, runtime)"), "c e");
    assert_eq!(ask("deps(a, 2, build)"), "a b c d");
    assert_eq!(ask("deps(set(b f))"), "b d f");
}

#[test]
fn rdeps_go_up_within_the_universe() {
    assert_eq!(ask("rdeps(a, d)"), "a b c d");
    assert_eq!(ask("rdeps(a, d, 1)"), "b c d");
    assert_eq!(ask("rdeps(b, d)"), "b d");
    assert_eq!(ask("rdeps(f, d)"), "");
    assert_eq!(ask("allrdeps(d)"), "a a-native b c d");
    assert_eq!(ask("allrdeps(e, 1, runtime)"), "c e");
    assert_eq!(ask("allrdeps(e, build)"), "e");
}

#[test]
fn paths_lead_from_start_to_end() {
    let path = ask("somepath(a, d)");
    assert!(path == "a b d" || path == "a c d", "{path}");
    assert_eq!(ask("somepath(d, a)"), "");
    assert_eq!(ask("somepath(a, a)"), "a");
    assert_eq!(ask("allpaths(a, d)"), "a b c d");
    assert_eq!(ask("allpaths(a, e)"), "a c e");
}

#[test]
fn filters_keep_what_matches() {
    assert_eq!(ask("kind('^native$', deps(a) + a-native)"), "a-native");
    assert_eq!(ask("attr(LICENSE, GPL, deps(a))"), "a");
    assert_eq!(ask("attr(LICENSE, '^GPL$', deps(a))"), "");
    assert_eq!(ask("filter('^[bc]$', deps(a))"), "b c");
    assert_eq!(ask("labels(DEPENDS, a)"), "b c");
    assert_eq!(ask("some(deps(f))"), "f");
    assert_eq!(ask("some(deps(a), 2)").split(' ').count(), 2);
}

#[test]
fn files_are_found_and_traced_back() {
    assert_eq!(ask("buildfiles(set(a b))"), "/l/a.bb /l/base.bbclass /l/other.bb");
    assert_eq!(ask("loadfiles(a)"), "/l/base.bbclass");
    assert_eq!(ask("rbuildfiles(base.bbclass)"), "a a-native b c d e f");
    assert_eq!(ask("rbuildfiles('/l/a.bb')"), "a a-native");
    assert_eq!(ask("rbuildfiles(se.bbclass)"), "", "only whole names count");
    assert_eq!(ask("owner(files/b.patch, c.patch)"), "b c");
    assert_eq!(ask("filter(base, buildfiles(a))"), "/l/base.bbclass");
    assert_eq!(ask("siblings(a)"), "a a-native");
    assert_eq!(ask("same_pkg_direct_rdeps(d)"), "b c d");
}

#[test]
fn sets_combine_and_variables_are_local() {
    assert_eq!(ask("a + f"), "a f");
    assert_eq!(ask("deps(a) except deps(b)"), "a c e");
    assert_eq!(ask("deps(b) ^ deps(c)"), "d");
    assert_eq!(ask("let x = deps(b) in deps(a) - $x"), "a c e");
    assert_eq!(ask("let x = a in (let x = f in $x) + $x"), "a f");
    assert_eq!(ask("set()"), "");
    assert_eq!(ask("nothing*"), "", "patterns may match nothing");
    assert_eq!(ask("a*"), "a a-native");
}

#[test]
fn functions_of_other_flavours_are_named() {
    let mut env = drawn();
    let error = query(&env, "inputs('x', a)").unwrap_err();
    assert_eq!(error.to_string().lines().next(), Some("`inputs` is a function of aquery"));
    assert!(query(&env, "config(a, default)").is_err());
    env.flavour = Flavour::Aquery;
    assert_eq!(ask_in(&env, "inputs('a.patch', deps(a))", Output::Label), "a\n");
    assert_eq!(ask_in(&env, "mnemonic('^b$', deps(a))", Output::Label), "b\n");
    assert_eq!(ask_in(&env, "config(a, default) + config(a, x)", Output::Label), "a\n");
}

#[test]
fn mistakes_are_pointed_at() {
    let message = |text: &str| query(&drawn(), text).unwrap_err().to_string();
    assert_eq!(
        message("deps(a) + dpes(b)"),
        "unknown function `dpes`; close matches: deps, rdeps\n  query, line 1, column 11:\n  deps(a) + dpes(b)\n            ^^^^"
    );
    assert!(message("deps(zzz)").starts_with("no recipe or task matches `zzz`; close matches: a\n"));
    assert!(message("$x").starts_with("undefined variable `$x`"));
    assert!(message("deps()").starts_with("`deps` takes (set[, depth][, edge kinds]), found 0"));
    assert!(message("kind('(', a)").starts_with("`(` is no regular expression: "));
    assert!(message("deps(a, 1x)").starts_with("expected a number, found `1x`"));
    assert!(message("deps(a, bulid)").starts_with("unknown kind of dependency `bulid`"));
    assert!(message("attr(deps(a), x, a)").starts_with("expected a plain word, found an expression"));
}

#[test]
fn results_have_seven_forms() {
    let show = |text: &str, output: &str| ask_in(&drawn(), text, output.parse().unwrap());
    assert_eq!(show("deps(b)", "label"), "b\nd\n");
    assert_eq!(show("set(b a-native)", "label_kind"), "native a-native\nrecipe b\n");
    assert_eq!(
        show("deps(b)", "graph"),
        "digraph mygraph {\n  node [shape=box];\n  \"b\"\n  \"b\" -> \"d\"\n  \"d\"\n}\n"
    );
    assert_eq!(show("deps(a)", "minrank"), "0 a\n1 b\n1 c\n2 d\n2 e\n");
    assert_eq!(show("set(a b d) + c", "maxrank"), "0 a\n1 b\n1 c\n2 d\n");
    assert_eq!(show("d", "build"), "# d (/l/other.bb)\nPN = \"d\"\n\n");
    let json = show("b", "json");
    assert_eq!(
        json,
        "[\n  {\"deps\":[\"d\"],\"file\":\"/l/other.bb\",\"kind\":\"recipe\",\"label\":\"b\",\"mc\":\"\"}\n]\n"
    );
    assert!("xml".parse::<Output>().is_err());
}

#[test]
fn ranks_of_cycles_end() {
    let env = Drawn::new("a>b b>c c>b c>d");
    assert_eq!(ask_in(&env, "deps(a)", Output::MaxRank), "0 a\n1 b\n1 c\n2 d\n");
    assert_eq!(ask_in(&env, "somepath(a, d)", Output::Label), "a\nb\nc\nd\n");
}
