//! Every kind of dependency: answers as BitBake 2.18 gave them for layers made
//! of such recipes.

mod common;

use bitzel_taskgraph::{GraphError, GraphOptions, pn_buildlist, task_depends};
use common::{edges, graph, index, resolve};

/// Edges between recipes for target `x`.
fn between(recipes: &str) -> String {
    let index = index(recipes, &[]);
    edges(&index, &graph(&index, "x"), false)
}

/// The first error for target `x`.
fn error(recipes: &str) -> GraphError {
    let index = index(recipes, &[]);
    index.task_graph(&resolve(&index, "x"), &GraphOptions::default()).unwrap_err().remove(0)
}

#[test]
fn flags_name_tasks_of_other_recipes() {
    assert_eq!(between("x DEPENDS=y do_a[deptask]=do_b\ny"), "x.a>y.b");
    assert_eq!(between("x RDEPENDS=y RRECOMMENDS=z do_a[rdeptask]=do_b\ny\nz"), "x.a>y.b x.a>z.b");
    assert_eq!(between("x do_a[depends]=y:do_b\ny"), "x.a>y.b");
    assert_eq!(between("x do_a[rdepends]=pkg:do_b\ny RPROVIDES=pkg"), "x.a>y.b");
    assert_eq!(between("x DEPENDS=y do_a[deptask]=do_nope\ny"), "", "missing tasks are passed over");
}

#[test]
fn what_a_task_says_of_itself_is_no_dependency() {
    for flags in ["do_a[depends]=x:do_a", "DEPENDS=x do_a[deptask]=do_a", "RDEPENDS=x do_a[rdeptask]=do_a"] {
        let index = index(&format!("x {flags}"), &[]);
        assert_eq!(edges(&index, &graph(&index, "x"), true), "x.b>x.a x.build>x.b", "{flags}");
    }
}

#[test]
fn names_assumed_to_be_provided_are_left_out() {
    let recipes =
        "x DEPENDS=y,q RDEPENDS=y do_a[deptask]=do_b do_a[rdeptask]=do_b do_a[depends]=y:do_a,q:do_b\ny";
    let index = index(recipes, &[("ASSUME_PROVIDED", "y q")]);
    assert_eq!(edges(&index, &graph(&index, "x"), false), "");
    let both = graph(&index, "x y");
    assert_eq!(
        (edges(&index, &both, false).as_str(), both.recipes().len()),
        ("", 2),
        "a target is built all the same"
    );
}

#[test]
fn recursion_goes_along_declared_edges() {
    let last = "\nz";
    assert_eq!(between(&format!("x DEPENDS=y do_build[recrdeptask]=do_b\ny DEPENDS=z{last}")), "x.build>y.b");
    assert_eq!(
        between(&format!(
            "x DEPENDS=y do_build[recrdeptask]=do_c do_a[deptask]=do_b\ny DEPENDS=z do_a[deptask]=do_b{last}"
        )),
        "x.a>y.b x.build>y.c x.build>z.c y.a>z.b"
    );
    assert_eq!(
        between(&format!("x RDEPENDS=y do_build[recrdeptask]=do_c\ny RRECOMMENDS=z{last}")),
        "x.build>y.c"
    );
    assert_eq!(
        between(&format!(
            "x do_build[recrdeptask]=do_c do_a[depends]=y:do_c\ny DEPENDS=z do_c[recrdeptask]=do_b{last}"
        )),
        "x.a>y.c x.build>y.c x.build>z.c y.c>z.b"
    );
}

#[test]
fn tasks_that_name_themselves_do_not_wait_for_each_other() {
    let own = "do_c[recrdeptask]=do_c,do_b";
    let index =
        index(&format!("x DEPENDS=y {own} do_build[depends]=x:do_c\ny DEPENDS=z {own}\nz {own}"), &[]);
    assert_eq!(
        edges(&index, &graph(&index, "x"), true),
        "x.b>x.a x.build>x.b x.build>x.c x.c>y.b x.c>z.b y.b>y.a z.b>z.a"
    );
    assert_eq!(
        between(&format!("x DEPENDS=y do_build[recrdeptask]=do_c\ny DEPENDS=z {own}\nz {own}")),
        "x.build>y.c x.build>z.c y.c>z.b"
    );
    assert_eq!(between(&format!("x DEPENDS=y {own} do_build[depends]=x:do_c\ny DEPENDS=x {own}")), "x.c>y.b");
}

#[test]
fn recideptask_walks_through_other_tasks() {
    let through =
        "x do_b[depends]=w:do_a do_c[recrdeptask]=do_b do_c[recideptask]=do_b do_build[depends]=x:do_c\nw";
    assert_eq!(between(through), "x.b>w.a x.c>w.b");
}

#[test]
fn mcdepends_cross_multiconfigs_and_recursion_follows() {
    let recipes = "x do_b[mcdepends]=mc::m1:y:do_b do_build[recrdeptask]=do_c\ny mc=m1 DEPENDS=z do_a[deptask]=do_b\nz mc=m1";
    assert_eq!(between(recipes), "m1:y.a>m1:z.b x.b>m1:y.b x.build>m1:y.c x.build>m1:z.c");
    let other = "x do_b[mcdepends]=mc:m2:m1:y:do_b\ny mc=m1";
    assert_eq!(between(other), "", "the word is for another multiconfig");
    assert!(matches!(error("x do_b[mcdepends]=mc::qq:y:do_b"), GraphError::UnknownMulticonfig { .. }));
    assert!(matches!(error("x do_b[mcdepends]=mc:m1:y:do_b\ny mc=m1"), GraphError::MalformedFlag { .. }));
}

#[test]
fn mistakes_in_flags_are_named() {
    assert_eq!(
        error("x do_a[depends]=y:do_nope\ny").to_string(),
        "task `do_a` in /r/x_1.0.bb depends upon non-existent task `do_nope` in /r/y_1.0.bb (by [depends])"
    );
    assert!(matches!(
        error("x do_a[rdepends]=y:do_nope\ny"),
        GraphError::DependsOnMissingTask { flag: "rdepends", .. }
    ));
    assert!(matches!(error("x do_a[depends]=y\ny"), GraphError::MalformedFlag { word, .. } if word == "y"));
    let index = index("x", &[]);
    let missing =
        index.task_graph(&resolve(&index, "x:do_buil"), &GraphOptions::default()).unwrap_err().remove(0);
    assert!(missing.to_string().ends_with("close matches: do_build"), "{missing}");
}

#[test]
fn circles_are_shown_as_chains() {
    let report = error("x DEPENDS=y do_a[deptask]=do_b\ny DEPENDS=x do_a[deptask]=do_b").to_string();
    assert!(
        report.starts_with("5 unbuildable tasks were found because of circular dependencies"),
        "{report}"
    );
    assert!(report.contains("task /r/x_1.0.bb:do_a depends on /r/y_1.0.bb:do_b"), "{report}");
}

#[test]
fn recipes_that_exclude_each_other_are_reported() {
    let check = |recipes: &str, config: &[(&str, &str)]| {
        let index = index(recipes, config);
        index.conflicts(&graph(&index, "x")).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let both = "x DEPENDS=foo,zz do_a[deptask]=do_b\naa PROVIDES=foo\nzz PROVIDES=foo";
    let found = check(both, &[]);
    assert!(found[0].starts_with("multiple recipes are due to be built which each provide `foo`:\n  /r/aa_1.0.bb\n    unique provides: aa"), "{found:?}");
    assert!(check(both, &[("BB_MULTI_PROVIDER_ALLOWED", "foo")]).is_empty());
    let versions = check("x DEPENDS=foo,bar do_a[deptask]=do_b\nfoo PV=1 PROVIDES=bar\nfoo PV=2", &[]);
    assert!(
        versions[0].starts_with("multiple versions of `foo` are due to be built (/r/foo_1.bb /r/foo_2.bb)"),
        "{versions:?}"
    );
}

#[test]
fn files_of_graphviz_name_recipes_tasks_and_versions() {
    let index = index("x DEPENDS=y do_a[deptask]=do_b\ny PE=1 PV=2", &[]);
    let graph = graph(&index, "x:do_a");
    assert_eq!(pn_buildlist(&graph, &index), "x\ny\n");
    let mut text = String::new();
    task_depends(&graph, &index, &mut text).unwrap();
    assert_eq!(
        text,
        "digraph depends {\n\"x.do_a\" [label=\"x do_a\\n:1.0-r0\\n/r/x_1.0.bb\"]\n\"x.do_a\" -> \"y.do_b\"\n\
         \"y.do_a\" [label=\"y do_a\\n1:2-r0\\n/r/y_2.bb\"]\n\"y.do_b\" [label=\"y do_b\\n1:2-r0\\n/r/y_2.bb\"]\n\
         \"y.do_b\" -> \"y.do_a\"\n}\n"
    );
}
