//! Hostile projects: refused with exit code 2 and a clear message, nothing
//! run and nothing written outside of the work directory.

use crate::world::{World, git};
use std::path::Path;

const HEADER: &str = "header:\n  version: 23\n";

/// A world with one good upstream and a project file.
fn world(project: &str) -> World {
    let mut world = World::new();
    let up = world.root.join("up/oe");
    world.write("up/oe/README", "oe\n");
    world.write("up/oe/oe-init-build-env", "mkdir -p \"$1\"; export BUILDDIR=\"$1\"\n");
    git(&up, &["init", "-q", "-b", "master"]);
    git(&up, &["add", "-A"]);
    git(&up, &["commit", "-q", "-m", "initial"]);
    world.redirect(&[("https://example.com/oe".to_owned(), up)]);
    world.write("project/k.yml", &format!("{HEADER}{project}"));
    world
}

fn refused(world: &World, args: &[&str], reason: &str) {
    let (code, _, stderr) = world.run(args);
    assert!(stderr.contains(reason), "{stderr}");
    assert_eq!(code, 2, "{stderr}");
    for name in ["outside", "pwned"] {
        assert!(!exists_anywhere(&world.root, name), "`{name}` was made: {stderr}");
    }
}

fn exists_anywhere(dir: &Path, name: &str) -> bool {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()).any(|entry| {
        let kind = entry.file_type().unwrap();
        entry.file_name() == name || (kind.is_dir() && exists_anywhere(&entry.path(), name))
    })
}

#[test]
fn names_that_are_options_never_reach_git() {
    for repo in [
        "{url: \"--upload-pack=touch pwned\", branch: master}",
        "{url: \"ext::sh -c 'touch pwned'\", branch: master}",
        "{url: \"ssh://-oProxyCommand=touch pwned/x\", branch: master}",
        "{url: \"https://example.com/oe\", branch: \"--upload-pack=touch${IFS}pwned\"}",
        "{url: \"https://example.com/oe\", tag: \"--output=pwned\"}",
        "{url: \"https://example.com/oe\", commit: \"--orphan\"}",
        "{url: \"https://example.com/oe\", refspec: \"--upload-pack=touch\"}",
    ] {
        refused(&world(&format!("repos:\n  x: {repo}\n")), &["checkout", "k.yml"], "refused");
    }
    let over = "repos: {x: {url: \"https://example.com/oe\", branch: master}}\noverrides: {repos: {x: {commit: --orphan}}}\n";
    refused(&world(over), &["checkout", "k.yml"], "refused");
}

#[test]
fn repositories_stay_below_the_work_directory() {
    let good = "url: \"https://example.com/oe\", branch: master";
    for place in ["path: ../outside", "path: /tmp/kas/outside", "name: ../outside", "path: a/../../outside"] {
        let world = world(&format!("repos:\n  x: {{{good}, {place}}}\n"));
        refused(&world, &["checkout", "k.yml"], "the work directory");
    }
    let linked = world(&format!("repos:\n  x: {{{good}, path: link/outside}}\n"));
    std::os::unix::fs::symlink(&linked.root, linked.project().join("link")).unwrap();
    refused(&linked, &["checkout", "k.yml"], "through a link");
    let inside_git = world(&format!("repos:\n  x: {{{good}, path: y/.git/hooks}}\n"));
    refused(&inside_git, &["checkout", "k.yml"], "version control data");
}

#[test]
fn a_folder_that_is_no_repository_is_left_alone() {
    let world = world("repos:\n  x: {url: \"https://example.com/oe\", branch: master}\n");
    git(&world.project(), &["init", "-q"]);
    git(&world.project(), &["remote", "add", "origin", "https://example.com/project"]);
    world.write("project/x/file", "mine");
    refused(&world, &["checkout", "k.yml"], "is no repository");
    assert_eq!(git(&world.project(), &["remote", "get-url", "origin"]), "https://example.com/project");
}

#[test]
fn a_repository_hidden_in_another_one_runs_nothing() {
    let world = world(
        "repos:\n  x: {path: a/sub, layers: {}}\n  oe: {url: \"https://example.com/oe\", branch: master}\n",
    );
    let bare = world.project().join("a/sub");
    std::fs::create_dir_all(&bare).unwrap();
    git(&bare, &["init", "-q", "--bare"]);
    let hook = format!("touch {}/pwned", world.root.display());
    git(&bare, &["config", "core.fsmonitor", &hook]);
    git(&bare, &["config", "core.bare", "false"]);
    git(&bare, &["config", "core.worktree", "."]);
    let (_, _, stderr) = world.run(&["dump", "--resolve-local", "k.yml"]);
    assert!(!exists_anywhere(&world.root, "pwned"), "{stderr}");
}

#[test]
fn links_of_the_project_do_not_lead_the_configuration_away() {
    let project = "repos:\n  oe: {url: \"https://example.com/oe\", branch: master}\n";
    let linked_build = world(project);
    let away = linked_build.root.join("away");
    std::fs::create_dir(&away).unwrap();
    std::os::unix::fs::symlink(&away, linked_build.project().join("build")).unwrap();
    refused(&linked_build, &["checkout", "k.yml"], "KAS_BUILD_DIR");
    let linked_conf = world(project);
    let away = linked_conf.root.join("away");
    std::fs::create_dir(&away).unwrap();
    std::fs::create_dir(linked_conf.project().join("build")).unwrap();
    std::os::unix::fs::symlink(&away, linked_conf.project().join("build/conf")).unwrap();
    let (conf, build) = (linked_conf.project().join("build/conf"), linked_conf.project().join("build"));
    let told = format!("`{}` is a link out of `{}`", conf.display(), build.display());
    refused(&linked_conf, &["checkout", "k.yml"], &told);
    assert_eq!(std::fs::read_dir(&away).unwrap().count(), 0);
    let linked_lock = world(project);
    let precious = linked_lock.write("precious", "keep");
    std::os::unix::fs::symlink(&precious, linked_lock.project().join("k.lock.yml")).unwrap();
    let (code, _, _) = linked_lock.run(&["lock", "k.yml"]);
    assert_eq!(code, 2);
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "keep");
}

#[test]
fn patches_and_keys_come_from_inside_their_repositories() {
    let patch = |path: &str| {
        format!(
            "repos:\n  this:\n  oe:\n    url: https://example.com/oe\n    branch: master\n    patches:\n      p: {{repo: this, path: \"{path}\"}}\n"
        )
    };
    let direct = world(&patch("../secret.patch"));
    direct.write("secret.patch", "secret");
    refused(&direct, &["checkout", "k.yml"], "leads out of the repository");
    let linked = world(&patch("l.patch"));
    let secret = linked.write("secret.patch", "secret");
    std::os::unix::fs::symlink(secret, linked.project().join("l.patch")).unwrap();
    refused(&linked, &["checkout", "k.yml"], "leads out of the repository");
    let series = world(&patch("q"));
    series.write("project/q/series", "../../secret.patch\n");
    series.write("secret.patch", "secret");
    refused(&series, &["checkout", "k.yml"], "leads out of the repository");
    let writes = world(&patch("w.patch"));
    writes.write("project/w.patch", "--- /dev/null\n+++ b/../outside\n@@ -0,0 +1 @@\n+x\n");
    refused(&writes, &["checkout", "k.yml"], "Could not apply patch");
    let through = world(&patch("t.patch"));
    let text = "diff --git a/d b/d\nnew file mode 120000\n--- /dev/null\n+++ b/d\n@@ -0,0 +1 @@\n+../..\n\\ No newline at end of file\ndiff --git a/d/outside b/d/outside\nnew file mode 100644\n--- /dev/null\n+++ b/d/outside\n@@ -0,0 +1 @@\n+x\n";
    through.write("project/t.patch", text);
    refused(&through, &["checkout", "k.yml"], "Could not apply patch");
    let key = "repos: {this: null}\nsigners: {s: {type: ssh, repo: this, path: ../key.pub}}\n";
    refused(&world(key), &["checkout", "k.yml"], "leads out of the repository");
}

#[test]
fn files_made_to_eat_memory_are_refused_at_once() {
    let mut bomb = String::from("a: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let alias = format!("*a{}", level - 1);
        bomb += &format!("b{level}: &a{level} [{}]\n", vec![alias; 9].join(", "));
    }
    refused(&world(&bomb), &["dump", "k.yml"], "aliases");
    refused(&world(&format!("x: {}\n", "[".repeat(100_000))), &["dump", "k.yml"], "not valid YAML");
    let huge = world(&format!("# {}\n", "x".repeat(2 << 20)));
    refused(&huge, &["dump", "k.yml"], "larger than");
    let device = world("");
    std::os::unix::fs::symlink("/dev/zero", device.project().join("z.yml")).unwrap();
    refused(&device, &["dump", "z.yml"], "no regular file");
    let json = world("");
    json.write("project/deep.json", &"[".repeat(100_000));
    refused(&json, &["dump", "deep.json"], "not valid JSON");
}

#[test]
fn includes_and_artifacts_stay_inside() {
    let include = "  includes: [l/x.yml]\n";
    let world_ = world(include);
    world_.write("x.yml", HEADER);
    std::os::unix::fs::symlink("..", world_.project().join("l")).unwrap();
    refused(&world_, &["dump", "k.yml"], "resolves outside repository");
    let buildtools = "repos: {oe: {url: \"https://example.com/oe\", branch: master}}\nbuildtools: {version: \"5.0\", sha256sum: x, filename: ../../outside}\n";
    refused(&world(buildtools), &["checkout", "k.yml"], "not the name of a file");
    let built = |artifact: &str| {
        let oe = "repos: {this: null}";
        let world = world(&format!("{oe}\nartifacts: {{a: \"{artifact}\"}}\n"));
        world.write("project/oe-init-build-env", "export BUILDDIR=\"$1\" PATH=\"$PWD/bin:$PATH\"\n");
        world.write_program("project/bin/bitbake", "#!/bin/sh\necho image > x.img\n");
        world.write("secret", "secret");
        world
    };
    for pattern in ["../../secret", "/etc/passwd"] {
        refused(&built(pattern), &["build", "--provenance", "true", "k.yml"], "below the build directory");
    }
    let away = built("*.img");
    away.write("project/build/x.img", "");
    std::os::unix::fs::symlink(&away.root, away.project().join("build/attestation")).unwrap();
    refused(&away, &["build", "--provenance", "true", "k.yml"], "is a link out of");
    assert!(!away.root.join("kas-build.provenance.json").exists());
}

#[test]
fn links_do_not_lead_keys_and_tools_away() {
    let oe = "repos: {this: null, oe: {url: \"https://example.com/oe\", branch: master}}\n";
    let tools = world(&format!("{oe}buildtools: {{version: \"5.0\", sha256sum: x}}\n"));
    std::fs::create_dir(tools.project().join("build")).unwrap();
    std::os::unix::fs::symlink(&tools.root, tools.project().join("build/buildtools")).unwrap();
    refused(&tools, &["checkout", "k.yml"], "is a link out of");
    for (kind, folder) in [("gpg", ".kas_gnupg"), ("ssh", ".kas_ssh-handler")] {
        let signers = format!("signers: {{s: {{type: {kind}, repo: this, path: key}}}}\n");
        let world = world(&format!("{oe}{signers}"));
        world.write("project/key", "no key");
        std::os::unix::fs::symlink(&world.root, world.project().join(folder)).unwrap();
        refused(&world, &["checkout", "k.yml"], "is a link out of");
        std::fs::remove_file(world.project().join(folder)).unwrap();
        std::fs::create_dir(world.project().join("inside")).unwrap();
        std::os::unix::fs::symlink("inside", world.project().join(folder)).unwrap();
        refused(&world, &["checkout", "k.yml"], "is a link; remove it");
    }
}
