//! What `build --provenance` attests.

use crate::world::{World, git};
use bitzel_project::{Value, parse_json};

/// A project in git that builds itself: bitbake writes an image.
fn world() -> World {
    let world = World::new();
    let text = "mkdir -p \"$1\"; export BUILDDIR=\"$1\" PATH=\"$PWD/bin:$PATH\"\n";
    world.write("project/oe-init-build-env", text);
    world.write_program("project/bin/bitbake", "#!/bin/sh\nmkdir -p tmp/a; echo image > tmp/a/x.img\n");
    world.write(
        "project/k.yml",
        "header: {version: 23}\nrepos:\n  this:\n    layers: {meta: null}\nenv: {E: e}\nartifacts: {img: \"tmp/**/*.img\"}\n",
    );
    let dir = world.project();
    git(&dir, &["init", "-q", "-b", "main"]);
    git(&dir, &["remote", "add", "origin", "https://me:secret@example.com/p.git"]);
    git(&dir, &["add", "-A"]);
    git(&dir, &["commit", "-q", "-m", "project"]);
    world
}

fn statement(world: &World) -> String {
    std::fs::read_to_string(world.project().join("build/attestation/kas-build.provenance.json")).unwrap()
}

fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('/').fold(value, |value, key| match (value, key.parse::<usize>()) {
        (Value::Seq(items), Ok(index)) => &items[index],
        _ => value.get(key).unwrap_or_else(|| panic!("`{key}` of `{path}` in {value:?}")),
    })
}

#[test]
fn artifacts_repositories_and_parameters_are_attested_without_secrets() {
    let world = world();
    let words = ["build", "--provenance", "mode=max", "--target", "t", "-c", "deploy", "k.yml", "--", "-k"];
    let (code, _, stderr) = world.run(&words);
    assert_eq!(code, 0, "{stderr}");
    let text = statement(&world);
    assert!(!text.contains("secret"), "{text}");
    let json = parse_json(text.as_bytes()).unwrap().value;
    let sum = "254eddf15d9534e3b20c55469077aa2f24f167aa4b897a36381d3e251e4829c2";
    let head = git(&world.project(), &["rev-parse", "HEAD"]);
    let definition = "predicate/buildDefinition";
    for (path, wanted) in [
        ("_type", "https://in-toto.io/Statement/v1"),
        ("predicateType", "https://slsa.dev/provenance/v1"),
        ("subject/0/name", "x.img"),
        ("subject/0/digest/sha256", sum),
        (&format!("{definition}/externalParameters/command"), "build"),
        (&format!("{definition}/externalParameters/config/0"), "k.yml"),
        (&format!("{definition}/externalParameters/target/0"), "t"),
        (&format!("{definition}/externalParameters/task"), "deploy"),
        (&format!("{definition}/externalParameters/extra_bitbake_args/0"), "-k"),
        (&format!("{definition}/internalParameters/env/E"), "e"),
        (&format!("{definition}/resolvedDependencies/0/uri"), "git+https://example.com/p.git"),
        (&format!("{definition}/resolvedDependencies/0/digest/gitCommit"), &head),
        (&format!("{definition}/resolvedDependencies/0/annotations/layers/0"), "meta"),
    ] {
        assert_eq!(at(&json, path).as_str(), Some(wanted), "{path}");
    }
}

#[test]
fn the_environment_is_left_out_of_the_short_form() {
    let world = world();
    let (code, _, stderr) = world.run(&["build", "--provenance", "true", "k.yml"]);
    assert_eq!(code, 0, "{stderr}");
    let json = parse_json(statement(&world).as_bytes()).unwrap().value;
    assert_eq!(at(&json, "predicate/buildDefinition/internalParameters").as_map().unwrap().len(), 0);
}

#[test]
fn a_missing_artifact_is_an_error() {
    let world = world();
    world.write_program("project/bin/bitbake", "#!/bin/sh\n");
    let (code, _, stderr) = world.run(&["build", "--provenance", "mode=min", "k.yml"]);
    assert!(code == 2 && stderr.contains("No artifact found for img"), "{stderr}");
    // without an attestation artifacts are not looked at
    assert_eq!(world.run(&["build", "k.yml"]).0, 0);
}
