//! Mercurial repositories. Without `hg` on the machine the tests check that
//! its absence is told.

use crate::world::World;
use std::process::Command;

/// Makes a repository with one commit; `None` where hg is not installed.
fn upstream(world: &World) -> Option<String> {
    let dir = world.root.join("up/hg");
    world.write("up/hg/meta/conf/layer.conf", "x\n");
    world.write("up/hg/oe-init-build-env", "mkdir -p \"$1\"; export BUILDDIR=\"$1\"\n");
    let hg = |args: &[&str]| {
        let output = Command::new("hg").args(args).current_dir(&dir).env("HGRCPATH", "").output().ok()?;
        assert!(output.status.success(), "{output:?}");
        Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    hg(&["init"])?;
    hg(&["add", "-q"])?;
    hg(&["--config", "ui.username=up", "commit", "-m", "initial", "--date", "2024-01-02 03:04"])?;
    hg(&["log", "-r", ".", "--template", "{node}"])
}

#[test]
fn mercurial_repositories_are_cloned_checked_out_and_locked() {
    let world = World::new();
    let commit = upstream(&world);
    let url = world.root.join("up/hg").display().to_string();
    let repo =
        format!("repos:\n  h: {{type: hg, url: \"{url}\", branch: default, layers: {{meta: null}}}}\n");
    world.write("project/k.yml", &format!("header: {{version: 23}}\n{repo}"));
    let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
    let Some(commit) = commit else {
        println!("hg is not installed: checked its message only");
        assert_ne!(code, 0);
        assert!(stderr.contains("hg"), "{stderr}");
        return;
    };
    assert_eq!(code, 0, "{stderr}");
    assert!(world.project().join("h/meta/conf/layer.conf").exists());
    let conf = std::fs::read_to_string(world.project().join("build/conf/bblayers.conf")).unwrap();
    assert!(conf.contains("${TOPDIR}/../h/meta"), "{conf}");
    let (code, stdout, stderr) = world.run(&["dump", "--resolve-refs", "k.yml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains(&format!("commit: {}", &commit[..12])), "{stdout}");
}

#[test]
fn options_in_mercurial_names_are_refused() {
    let world = World::new();
    let alias = "--config=alias.clone=!touch pwned";
    let repo = format!("repos:\n  h: {{type: hg, url: \"{alias}\", branch: default}}\n");
    world.write("project/k.yml", &format!("header: {{version: 23}}\n{repo}"));
    let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("taken as an option"), "{stderr}");
}
