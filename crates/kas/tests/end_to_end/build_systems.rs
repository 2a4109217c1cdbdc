//! Which init script sets the build up, and what isar adds.

use crate::world::World;

#[test]
fn the_build_system_chooses_the_init_script() {
    for (system, script, rootless) in [
        ("", "oe", false),
        ("build_system: openembedded\n", "oe", false),
        ("build_system: oe\n", "oe", false),
        ("build_system: isar\n", "isar", false),
        ("build_system: isar-privileged\n", "isar", false),
        ("build_system: isar-rootless\n", "isar", true),
    ] {
        let world = World::new();
        world.write("project/k.yml", &format!("header: {{version: 23}}\n{system}repos:\n  this:\n"));
        for name in ["oe", "isar"] {
            let text = format!("mkdir -p \"$1\"; export BUILDDIR=\"$1\" WHICH={name}\n");
            world.write(&format!("project/{name}-init-build-env"), &text);
        }
        let (code, stdout, stderr) = world.run(&["shell", "-c", "echo $WHICH", "k.yml"]);
        assert_eq!((code, stdout.trim()), (0, script), "{stderr}");
        let conf = std::fs::read_to_string(world.project().join("build/conf/local.conf")).unwrap();
        assert_eq!(conf.contains("ISAR_ROOTLESS ?= \"1\""), rootless, "{conf}");
        assert_eq!(stderr.contains("'isar-privileged' or 'isar-rootless'"), system == "build_system: isar\n");
    }
}

#[test]
fn a_project_with_none_or_two_init_scripts_is_refused() {
    let world = World::new();
    world.write("project/k.yml", "header: {version: 23}\nrepos:\n  this:\n  other: {path: o}\n");
    world.write("project/o/README", "");
    let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
    assert_eq!(code, 2, "{stderr}");
    for place in ["project", "project/o"] {
        world.write(&format!("{place}/oe-init-build-env"), "true\n");
    }
    let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
    assert!(code == 2 && stderr.contains("Multiple init scripts"), "{stderr}");
}
