//! Signed repositories: checked before checkout, with keys made on the fly.

use crate::bitzel_only::world;
use crate::world::{World, git, tool};

const REPO: &str = "header:\n  version: 23\nrepos:\n  this:\n  oe:\n    url: https://example.com/oe\n    branch: master\n    signed: true\n    allowed_signers: [me]\n";

/// Unsigned repositories are refused, signed ones are taken.
fn refused_then_taken(world: &World, sign: &[&str]) {
    let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("not signed with a trusted key"), "{stderr}");
    assert!(!world.project().join("build/conf/bblayers.conf").exists());
    let mut words = sign.to_vec();
    words.extend(["commit", "-q", "-S", "--allow-empty", "-m", "signed"]);
    git(&world.root.join("up/oe"), &words);
    let (code, _, stderr) = world.run(&["checkout", "--update", "k.yml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("signature valid: Fingerprint"), "{stderr}");
}

#[test]
fn ssh_signatures_are_required_before_checkout() {
    let world = world();
    let key = world.root.join("key").display().to_string();
    if !tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "someone@example.com", "-f", &key]) {
        println!("ssh-keygen is not installed: no key to sign with");
    } else {
        let public = std::fs::read_to_string(format!("{key}.pub")).unwrap();
        world.write("project/key.pub", &public);
        world.write(
            "project/k.yml",
            &format!("{REPO}signers:\n  me: {{type: ssh, repo: this, path: key.pub}}\n"),
        );
        let sign = format!("user.signingkey={key}");
        refused_then_taken(&world, &["-c", "gpg.format=ssh", "-c", &sign]);
    }
    let unknown = world.write("project/k.yml", &REPO.replace("[me]", "[nobody]"));
    let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
    assert_eq!(code, 2, "{}", unknown.display());
    assert!(stderr.contains("nobody"), "{stderr}");
}

#[test]
fn gpg_signatures_are_required_before_checkout() {
    let world = world();
    let home = world.root.join("gpg");
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let home = home.display().to_string();
    let gpg = |args: &[&str]| {
        let mut words = vec!["--homedir", &home, "--batch", "--quiet", "--yes"];
        words.extend(args);
        tool("gpg", &words)
    };
    if !gpg(&["--passphrase", "", "--quick-gen-key", "up <up@example.com>", "ed25519", "sign", "0"]) {
        println!("gpg is not installed: no key to sign with");
        return;
    }
    let key = world.project().join("key.asc").display().to_string();
    gpg(&["--armor", "--output", &key, "--export"]);
    world.write("project/k.yml", &format!("{REPO}signers:\n  me: {{repo: this, path: key.asc}}\n"));
    let wrapper =
        world.write_program("gpg-wrapper", &format!("#!/bin/sh\nexec gpg --homedir {home} \"$@\"\n"));
    let program = format!("gpg.program={}", wrapper.display());
    refused_then_taken(&world, &["-c", &program, "-c", "user.signingkey=up@example.com"]);
    for dir in [home.clone(), world.project().join(".kas_gnupg").display().to_string()] {
        tool("gpgconf", &["--homedir", &dir, "--kill", "all"]);
    }
}
