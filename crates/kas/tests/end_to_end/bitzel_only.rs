//! What bitzel does better than kas.

use crate::world::{World, git};
use bitzel_kas::{Cancel, Invocation, Level, Logger, PrepareOptions, prepare};

/// A project of two files with one repository, which has a submodule.
pub fn world() -> World {
    let mut world = World::new();
    world.write("up/sub/file", "from the submodule\n");
    world.write("up/oe/oe-init-build-env", "mkdir -p \"$1\"; export BUILDDIR=\"$1\"\n");
    for name in ["sub", "oe"] {
        let dir = world.root.join("up").join(name);
        git(&dir, &["init", "-q", "-b", "master"]);
        git(&dir, &["add", "-A"]);
        git(&dir, &["commit", "-q", "-m", "initial"]);
    }
    let (oe, sub) = (world.root.join("up/oe"), world.root.join("up/sub").display().to_string());
    git(&oe, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &sub, "sub"]);
    git(&oe, &["commit", "-q", "-m", "submodule"]);
    world.redirect(&[("https://example.com/oe".to_owned(), oe)]);
    world.write("project/k.yml", "header:\n  version: 23\n  includes: [a.yml]\nmachine: m\n");
    let oe = "repos:\n  oe:\n    url: https://example.com/oe\n    branch: master\n";
    world.write("project/a.yml", &format!("header:\n  version: 23\nmachine: other\n{oe}"));
    world
}

#[test]
fn unchanged_configuration_files_are_not_touched() {
    let world = world();
    assert_eq!(world.run(&["checkout", "k.yml"]).0, 0);
    let conf = world.project().join("build/conf");
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let times = || {
        ["bblayers.conf", "local.conf"].map(|f| std::fs::metadata(conf.join(f)).unwrap().modified().unwrap())
    };
    for file in ["bblayers.conf", "local.conf"] {
        std::fs::File::open(conf.join(file)).unwrap().set_modified(old).unwrap();
    }
    assert_eq!(world.run(&["checkout", "k.yml"]).0, 0);
    assert_eq!(times(), [old, old]);
    world.write("project/k.yml", "header:\n  version: 23\n  includes: [a.yml]\nmachine: new\n");
    assert_eq!(world.run(&["checkout", "k.yml"]).0, 0);
    assert_eq!(times()[0], old);
    assert_ne!(times()[1], old);
}

#[test]
fn why_tells_which_file_and_line_set_a_value() {
    let mut world = world();
    let (code, stdout, _) = world.run(&["why", "machine", "k.yml"]);
    assert_eq!((code, stdout.as_str()), (0, "a.yml:3: overridden: other\nk.yml:4: in effect: m\n"));
    let (_, stdout, _) = world.run(&["why", "repos.oe.branch", "k.yml"]);
    assert_eq!(stdout, "a.yml:7: in effect: master\n");
    world.env.insert("KAS_MACHINE".to_owned(), "fromenv".to_owned());
    assert!(world.run(&["why", "machine", "k.yml"]).1.contains("KAS_MACHINE wins over the files: fromenv"));
    let (code, _, stderr) = world.run(&["why", "machin", "k.yml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean `machine`?"), "{stderr}");
}

#[test]
fn a_dump_that_means_something_else_than_its_project_is_told() {
    let world = world();
    let two = "repos:\n  oe: &oe {url: \"https://example.com/oe\", branch: master, layers: {m: }}\n";
    let two = format!("header:\n  version: 23\n{two}  two:\n    <<: *oe\n    path: two\n");
    world.write("project/k.yml", &two);
    let (code, stdout, stderr) = world.run(&["dump", "k.yml"]);
    assert!(code == 0 && stdout.contains("  &id001 two:\n"), "{stdout}{stderr}");
    assert!(stdout.ends_with("    layers: *id001\n    path: two\n"), "{stdout}");
    assert!(stderr.contains("use --format json"), "{stderr}");
    let (code, stdout, stderr) = world.run(&["dump", "--format", "json", "k.yml"]);
    assert_eq!((code, stderr.contains("aliases")), (0, false), "{stderr}");
    assert_eq!(stdout.matches("\"m\": null").count(), 2, "{stdout}");
}

#[test]
fn submodules_are_checked_out_when_asked_for() {
    let mut world = world();
    let file = world.project().join("oe/sub/file");
    assert_eq!(world.run(&["checkout", "k.yml"]).0, 0);
    assert!(!file.exists());
    let (code, _, stderr) = world.run(&["checkout", "--submodules", "k.yml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(file.exists());
    std::fs::remove_dir_all(world.project().join("oe")).unwrap();
    world.env.insert("BITZEL_KAS_SUBMODULES".to_owned(), "1".to_owned());
    assert_eq!(world.run(&["checkout", "k.yml"]).0, 0);
    assert!(file.exists());
}

#[test]
fn projects_are_converted_to_setups_and_back() {
    let world = world();
    let (code, setup, stderr) = world.run(&["convert", "k.yml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(setup.contains("\"oe-fragments\": [\n") && setup.contains("machine/m"), "{setup}");
    world.write("project/s.conf.json", &setup);
    let (code, project, stderr) = world.run(&["convert", "s.conf.json"]);
    assert_eq!(code, 0, "{stderr}");
    world.write("project/back.yml", &project);
    let (code, dump, stderr) = world.run(&["dump", "--resolve-refs", "back.yml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(dump.contains("machine: m\n") && dump.contains("url: https://example.com/oe\n"), "{dump}");
}

#[test]
fn what_kas_ends_in_a_traceback_on_is_told_with_its_exit_code() {
    let world = world();
    let with_layer = "header: {version: 1}\nrepos:\n  this:\n    layers:\n      off: disabled\n";
    for (name, text, told) in [
        ("old.yml", "header: {version: \"0.10\"}\nmachine: m\n", "write `version: 1`"),
        ("off.yml", with_layer, "line 5: `repos.this.layers.False`: names are texts"),
    ] {
        world.write(&format!("project/{name}"), text);
        let (code, stdout, stderr) = world.run(&["dump", name]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains(told) && !stderr.contains("Traceback"), "{stderr}");
        // kas: only the build system is looked at
        assert_eq!(world.run(&["clean", name]).0, 0);
    }
}

#[test]
fn builds_read_the_oldest_version_text_as_version_one() {
    let world = world();
    world.write("project/old.yml", "header: {version: \"0.10\"}\ntarget: t\nrepos: {this: }\n");
    world.write("project/oe-init-build-env", "cd \"$1\"\n");
    let env = world.env.iter().map(|(name, value)| (name.into(), value.into()));
    let invocation = Invocation::new("bitzel build", env, world.project());
    let (log, cancel) = (Logger::new(Level::Error), Cancel::listen().unwrap());
    let ready = prepare(&invocation, Some("old.yml"), &PrepareOptions::default(), log, cancel).unwrap();
    assert_eq!(ready.targets, ["t"]);
    assert!(ready.build_dir.join("conf/local.conf").exists());
}

#[test]
fn updates_of_locks_are_told_in_words() {
    let world = world();
    assert_eq!(world.run(&["lock", "k.yml"]).0, 0);
    let oe = world.root.join("up/oe");
    for number in 0..2 {
        std::fs::write(oe.join("new"), number.to_string()).unwrap();
        git(&oe, &["add", "-A"]);
        git(&oe, &["commit", "-q", "-m", &format!("change {number}")]);
    }
    let (code, stdout, stderr) = world.run(&["lock", "--update", "k.yml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("change 1"), "{stdout}");
    assert!(stderr.contains(": 2 new commits"), "{stderr}");
}

#[test]
fn large_files_are_fetched_when_asked_for() {
    if !crate::world::tool("git-lfs", &["version"]) {
        println!("git-lfs is not installed: nothing to fetch large files with");
        return;
    }
    let mut world = world();
    let oe = world.root.join("up/oe");
    git(&oe, &["lfs", "install", "--local"]);
    git(&oe, &["lfs", "track", "*.bin"]);
    world.write("up/oe/large.bin", "large\n");
    git(&oe, &["add", "-A"]);
    git(&oe, &["commit", "-q", "-m", "large file"]);
    // whatever the machine's own configuration says: not by itself
    let config = world.root.join("gitconfig");
    let skip = "[filter \"lfs\"]\n\tsmudge = git-lfs smudge --skip -- %f\n\tprocess = git-lfs filter-process --skip\n";
    std::fs::write(&config, std::fs::read_to_string(&config).unwrap() + skip).unwrap();
    let file = world.project().join("oe/large.bin");
    assert_eq!(world.run(&["checkout", "k.yml"]).0, 0);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("version https://git-lfs"));
    world.env.insert("BITZEL_KAS_LFS".to_owned(), "1".to_owned());
    let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "large\n");
}
