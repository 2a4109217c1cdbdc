//! Reading what is hidden and writing what is read-only, by plain means.

use super::{Attempt, Works, attempt, found, held, out};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

pub const ALL: &[Attempt] = &[
    attempt("read-ssh-key", Works::Always, |map| {
        found(&fs::read_to_string(map.home().join(".ssh/id_ed25519"))?)
    }),
    attempt("read-netrc", Works::Always, |map| found(&fs::read_to_string(map.home().join(".netrc"))?)),
    attempt("read-shadow", Works::AsRoot, |_| match fs::read_to_string("/etc/shadow")?.len() {
        0 => held("empty"),
        size => out(&format!("{size} bytes")),
    }),
    attempt("read-users-of-the-host", Works::Always, |_| {
        let known = ["root", "builder", "nobody"];
        let text = fs::read_to_string("/etc/passwd")?;
        match text.lines().find(|line| !known.contains(&line.split(':').next().unwrap())) {
            Some(line) => out(line),
            None => held("only made-up users"),
        }
    }),
    attempt("read-machine-identity", Works::Perhaps, |_| {
        let id = fs::read_to_string("/etc/machine-id").or_else(|_| fs::read_to_string("/etc/hostname"))?;
        if id.trim().is_empty() { held("empty") } else { out(&id) }
    }),
    attempt("read-other-work-tree", Works::Always, |map| {
        found(&fs::read_to_string(map.other().join("source.c"))?)
    }),
    attempt("list-other-recipes", Works::Always, |map| {
        let names = fs::read_dir(map.top.join("tmp/work"))?.map(|entry| entry.unwrap().file_name());
        if names.into_iter().any(|name| name == "other") { out("saw `other`") } else { held("only the own") }
    }),
    attempt("read-hidden-part-of-layer", Works::Always, |map| {
        found(&fs::read_to_string(map.layer().join(".git/config"))?)
    }),
    attempt("read-temporary-files-of-the-host", Works::Always, |map| {
        found(&fs::read_to_string(host_temporary(map.uid, map.victim))?)
    }),
    attempt("list-running-services", Works::Perhaps, |_| {
        let count = fs::read_dir("/run")?.count();
        if count > 0 { out(&format!("{count} entries in /run")) } else { held("empty") }
    }),
    attempt("read-hardware-description", Works::Perhaps, |_| match fs::read_dir("/sys/class/net")?.count() {
        0 => held("nothing"),
        count => out(&format!("{count} interfaces")),
    }),
    attempt("read-environment-secret", Works::Always, |_| {
        found(&std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect::<String>())
    }),
    attempt("write-layer", Works::Always, |map| {
        fs::write(map.recipe(), "changed")?;
        out("recipe.bb changed")
    }),
    attempt("append-to-layer", Works::Always, |map| {
        fs::OpenOptions::new().append(true).open(map.recipe())?.write_all(b"more")?;
        out("recipe.bb longer")
    }),
    attempt("create-in-layer", Works::Always, |map| {
        fs::write(map.layer().join("new.bb"), "new")?;
        out("new.bb made")
    }),
    attempt("delete-from-layer", Works::Always, |map| {
        fs::remove_file(map.recipe())?;
        out("recipe.bb removed")
    }),
    attempt("rename-in-layer", Works::Always, |map| {
        fs::rename(map.recipe(), map.layer().join("other.bb"))?;
        out("recipe.bb renamed")
    }),
    attempt("chmod-in-layer", Works::Always, |map| {
        fs::set_permissions(map.recipe(), PermissionsExt::from_mode(0o777))?;
        out("mode changed")
    }),
    attempt("touch-in-layer", Works::Always, |map| {
        let file = fs::File::open(map.recipe())?;
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)?;
        out("time changed")
    }),
    attempt("write-home", Works::Always, |map| {
        fs::write(map.home().join(".ssh/authorized_keys"), "key")?;
        out("key added")
    }),
    attempt("write-downloads", Works::Always, |map| {
        fs::write(map.downloads().join("b.tar"), "poison")?;
        out("download added")
    }),
    attempt("write-other-sysroot", Works::Always, |map| {
        fs::write(map.top.join("tmp/sysroots/other/lib.so"), "poison")?;
        out("library changed")
    }),
    attempt("write-host-programs", Works::AsRoot, |map| {
        let file = format!("/usr/bin/bitzel-escape-{}", map.victim);
        fs::write(&file, "x")?;
        fs::remove_file(&file)?;
        out("program added to /usr/bin")
    }),
    attempt("write-host-configuration", Works::AsRoot, |map| {
        if !std::path::Path::new("/etc/fstab").exists() && !std::path::Path::new("/etc/shadow").exists() {
            return held("another /etc");
        }
        let file = format!("/etc/bitzel-escape-{}", map.victim);
        fs::write(&file, "x")?;
        fs::remove_file(&file)?;
        out("file added to /etc")
    }),
    attempt("leave-file-in-host-tmp", Works::Always, |map| {
        let file = host_temporary(map.uid, map.victim);
        if !std::path::Path::new(&file).exists() {
            return held("another /tmp");
        }
        fs::write(format!("{file}.left"), "x")?;
        fs::remove_file(format!("{file}.left"))?;
        out("file left")
    }),
    attempt("share-memory-file", Works::Always, |map| {
        found(&fs::read_to_string(host_temporary(map.uid, map.victim).replace("/tmp/", "/dev/shm/"))?)
    }),
];

/// A file the trial puts into the host's /tmp (and /dev/shm).
pub fn host_temporary(uid: u32, victim: i32) -> String {
    format!("/tmp/bitzel-escape-{uid}-{victim}")
}
