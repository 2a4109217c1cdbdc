//! Choice of providers: answers as BitBake 2.18 gave them for layers made of
//! such recipes.

mod common;

use bitzel_taskgraph::{GraphError, ProviderIndex};
use common::{index, resolve};

/// PV or PN of what is chosen for `foo`.
fn chosen(index: &ProviderIndex, runtime: bool) -> String {
    let choice = if runtime { index.choose_runtime("", "foo") } else { index.choose("", "foo") };
    let info = &index.recipe(choice.eligible[0]).info;
    if info.pn == "foo" { info.pv.clone() } else { info.pn.clone() }
}

#[test]
fn the_highest_version_wins_unless_something_is_preferred() {
    let two = "foo PV=1.9\nfoo PV=1.10";
    let version = |recipes: &str, config: &[(&str, &str)]| chosen(&index(recipes, config), false);
    assert_eq!(version(two, &[]), "1.10");
    assert_eq!(version("foo PV=1.9\nfoo PV=1.10 pref=-1", &[]), "1.9");
    assert_eq!(
        version("foo PV=1.9\nfoo PV=1.10\nfoo PV=1.9.5", &[("PREFERRED_VERSION_foo", "1.9%")]),
        "1.9.5"
    );
    assert_eq!(version(two, &[("PREFERRED_VERSION_foo", "7")]), "1.10");
    assert_eq!(version("foo PV=1.10\nfoo PV=1.9 prio=6", &[]), "1.9");
    assert_eq!(version("foo PV=1.10\nfoo PV=1.9 prio=6 pref=-1", &[]), "1.9");
    assert_eq!(version("foo PV=1.10\nfoo PV=1.9 prio=6", &[("PREFERRED_VERSION_foo", "1.10")]), "1.10");
    assert_eq!(
        version(two, &[("PREFERRED_VERSION_foo", "1.10"), ("PREFERRED_VERSION:pn-foo", "1.9")]),
        "1.9"
    );
    assert_eq!(
        version(two, &[("PREFERRED_VERSION_foo", "1.10"), ("PREFERRED_VERSION_foo:pn-foo", "1.9")]),
        "1.10"
    );
    assert_eq!(version(two, &[("PREFERRED_VERSION", "1.9")]), "1.9");
    assert_eq!(version("foo PV=1.9 PE=1\nfoo PV=1.10 PE=1", &[("PREFERRED_VERSION_foo", "1.9")]), "1.9");
    assert_eq!(version(two, &[("PREFERRED_VERSION_foo", "0:1.9")]), "1.10");
}

#[test]
fn a_required_version_that_is_missing_leaves_nothing() {
    let index = index("foo PV=1.9", &[("REQUIRED_VERSION_foo", "7")]);
    let choice = index.choose("", "foo");
    assert!(choice.eligible.is_empty());
    assert_eq!(
        choice.notices[0].to_string(),
        "versions of foo available: 1.9\nrequired version 7 of foo not available (for item foo)"
    );
}

#[test]
fn build_time_providers_are_chosen_by_name_and_preference() {
    let provider =
        |config: &[(&str, &str)]| chosen(&index("aa PROVIDES=foo\nzz PROVIDES=foo", config), false);
    assert_eq!(provider(&[]), "aa");
    assert_eq!(provider(&[("PREFERRED_PROVIDER_foo", "zz")]), "zz");
    assert_eq!(provider(&[("PREFERRED_PROVIDER_foo", "qq")]), "aa");
    assert_eq!(provider(&[("PREFERRED_PROVIDERS", "foo:zz")]), "zz");
    assert_eq!(chosen(&index("aa PROVIDES=foo\nfoo", &[]), false), "1.0");
    assert_eq!(chosen(&index("aa PROVIDES=foo\nfoo", &[("PREFERRED_PROVIDER_foo", "aa")]), false), "aa");
    let open = index("aa PROVIDES=foo\nzz PROVIDES=foo", &[]).choose("", "foo");
    assert_eq!(
        open.notices[0].to_string(),
        "Multiple providers are available for foo (aa, zz)\nConsider defining a PREFERRED_PROVIDER entry to match foo"
    );
}

#[test]
fn run_time_providers_follow_build_time_preferences() {
    let provider = |recipes: &str, config: &[(&str, &str)]| chosen(&index(recipes, config), true);
    let two = "aa RPROVIDES=foo\nzz RPROVIDES=foo";
    assert_eq!(provider(two, &[]), "aa");
    assert_eq!(provider(two, &[("PREFERRED_VERSION_zz", "1.0")]), "zz");
    assert_eq!(provider(two, &[("PREFERRED_RPROVIDER_foo", "zz")]), "zz");
    let q = "aa RPROVIDES=foo PROVIDES=virtual/q\nzz RPROVIDES=foo PROVIDES=virtual/q";
    assert_eq!(provider(q, &[("PREFERRED_PROVIDER_virtual/q", "zz")]), "zz");
    let three = "aa RPROVIDES=foo\nbb RPROVIDES=foo PROVIDES=b\ncc RPROVIDES=foo PROVIDES=c";
    assert_eq!(provider(three, &[("PREFERRED_PROVIDER_b", "bb"), ("PREFERRED_PROVIDER_c", "cc")]), "bb");
    assert_eq!(provider("aa PACKAGES_DYNAMIC=^fo.*", &[]), "aa");
    let plus = index("aa PACKAGES_DYNAMIC=^fo+", &[]).choose_runtime("", "foo");
    assert!(plus.eligible.is_empty(), "a plus stands for itself");
    let own = index("aa RPROVIDES=foo\nfoo", &[]).choose_runtime("", "foo");
    assert!(
        own.notices[0].to_string().starts_with("Multiple providers are available for runtime foo (foo, aa)")
    );
}

#[test]
fn a_provider_that_cannot_be_built_is_passed_over() {
    let index = index("x DEPENDS=foo\naa PROVIDES=foo DEPENDS=missing\nzz PROVIDES=foo", &[]);
    let resolution = resolve(&index, "x");
    assert_eq!(index.recipe(resolution.provider("", "foo").unwrap()).info.pn, "zz");
    assert_eq!(resolution.targets.len(), 1);
    assert_eq!(
        resolution.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["nothing PROVIDES `missing` (but /r/aa_1.0.bb DEPENDS on or otherwise requires it)"]
    );
}

#[test]
fn what_cannot_be_built_is_explained_with_the_chain() {
    let index = index("x DEPENDS=y\ny RDEPENDS=nosuch\nq PROVIDES=qq skip=because\nxylophone", &[]);
    let texts =
        |targets: &str| resolve(&index, targets).problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        texts("x"),
        [
            "nothing RPROVIDES `nosuch` (but /r/y_1.0.bb RDEPENDS on or otherwise requires it)",
            "required build target `x` has no buildable providers; missing or unbuildable dependency chain: x -> y -> nosuch"
        ]
    );
    assert_eq!(texts("xylofone"), ["nothing PROVIDES `xylofone`\nclose matches: xylophone"]);
    assert_eq!(texts("qq"), ["nothing PROVIDES `qq`\n/r/q_1.0.bb was skipped: because"]);
    let good = resolve(&index, "xylophone x");
    assert_eq!(good.targets.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["xylophone"]);
}

#[test]
fn targets_stand_for_recipes_of_multiconfigs_and_the_world() {
    let index = index("a PROVIDES=s\nb PROVIDES=s\nc\nv PROVIDES=virtual/v\nn world=1\nc mc=m1", &[]);
    let names = |texts: &[&str]| -> Vec<String> {
        index
            .targets(texts, "build")
            .unwrap()
            .into_iter()
            .map(|t| format!("{}|{}|{}", t.mc, t.name, t.task))
            .collect()
    };
    assert_eq!(names(&["world"]), ["|c|do_build"]);
    assert_eq!(names(&["world:a-"]), ["|c|do_a-"]);
    assert!(names(&["world:do_none"]).is_empty(), "what has no such task is passed over");
    assert_eq!(
        names(&["c:do_a", "mc:m1:c", "multiconfig:m1:c:b-"]),
        ["|c|do_a", "m1|c|do_build", "m1|c|do_b-"]
    );
    assert_eq!(names(&["mc:*:c"]), ["|c|do_build", "m1|c|do_build"]);
    assert!(matches!(index.targets(&["mc:qq:c"], "build"), Err(GraphError::UnknownMulticonfig { .. })));
    assert!(matches!(index.targets(&["c:"], "build"), Err(GraphError::BadTarget(_))));
}
