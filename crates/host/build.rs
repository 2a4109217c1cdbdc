//! Builds the extension module, which another crate of the workspace holds, and puts
//! it where `payload.rs` includes it from. It gets a target folder of its own: cargo
//! holds a lock on the outer one. Says the digest of all that hosts load, too: tens of megabytes need not be
//! read at each start.

use sha2::{Digest, Sha256};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let crates = manifest.parent().expect("crates live in a folder").to_owned();
    for name in ["base", "data", "python", "recipe", "scan", "syntax", "exec", "fetch", "taskgraph"] {
        println!("cargo:rerun-if-changed={}", crates.join(name).join("src").display());
        println!("cargo:rerun-if-changed={}", crates.join(name).join("Cargo.toml").display());
    }
    println!("cargo:rerun-if-changed={}", crates.join("python/python").display());
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let target = out.join("extension");
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    cargo
        .args(["build", "--package", "bitzel-python", "--manifest-path"])
        .arg(crates.join("python/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        // The outer build's settings are not meant for this one.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CLIPPY_ARGS");
    if release {
        cargo.arg("--release");
        // All of evaluation is in it: worth a minute more.
        cargo.args([
            "--config",
            "profile.release.lto=\"fat\"",
            "--config",
            "profile.release.codegen-units=1",
        ]);
    }
    let status = cargo.status().expect("cargo runs, since it runs this");
    assert!(status.success(), "the extension module does not build");
    let built = target.join(if release { "release" } else { "debug" }).join("lib_bitzel.so");
    copy(&built, &out.join("_bitzel.abi3.so"));
    let digest = digest(&built, &crates.join("python/python"));
    println!("cargo:rustc-env=BITZEL_PAYLOAD={digest}");
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap_or_else(|error| panic!("cannot copy {} : {error}", from.display()));
}

/// Of the extension and of all files of a folder, with their paths.
fn digest(extension: &Path, folder: &Path) -> String {
    let mut files = vec![extension.to_owned()];
    walk(folder, &mut files);
    files[1..].sort();
    let mut hasher = Sha256::new();
    for file in &files {
        let contents =
            fs::read(file).unwrap_or_else(|error| panic!("cannot read {} : {error}", file.display()));
        let path = file.strip_prefix(folder).unwrap_or(Path::new("_bitzel.abi3.so"));
        hasher.update(path.as_os_str().as_encoded_bytes());
        hasher.update([0]);
        hasher.update((contents.len() as u64).to_le_bytes());
        hasher.update(contents);
    }
    hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The files below a folder that are not caches of Python.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {} : {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("cannot read {} : {error}", folder.display())).path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_none_or(|extension| extension != "pyc") {
            files.push(path);
        }
    }
}
