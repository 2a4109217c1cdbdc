//! `kas clean`, `cleansstate`, `cleanall` and `purge`: what builds and kas
//! left behind, removed.

use crate::args::{is_set, text};
use crate::commands::shell::HISTORY;
use crate::error::{IoContext, KasError};
use crate::fetch::reference_name;
use crate::files::{clear, remove};
use crate::process::argv;
use crate::session::{DEFAULT_CONFIG, Session};
use crate::steps::with_steps;
use bitzel_project::{BuildSystem, ConfigFile, Refuses, Role, Schema, normalise};
use clap::ArgMatches;
use std::path::{Path, PathBuf};

/// Runs one of the commands; each does what the ones before it do, too.
pub fn run(mut session: Session, name: &str, matches: &ArgMatches) -> Result<(), KasError> {
    let dry = is_set(matches, "dry-run");
    let given = text(matches, "config").is_some_and(|config| !config.is_empty());
    let has_config = given || session.ctx.work_dir.join(DEFAULT_CONFIG).exists();
    clean(&session, matches, has_config, dry)?;
    let level =
        ["clean", "cleansstate", "cleanall", "purge"].iter().position(|known| *known == name).unwrap_or(0);
    for (variable, folder, needed) in [("SSTATE_DIR", "sstate-cache", 1), ("DL_DIR", "downloads", 2)] {
        let own = session.ctx.env.get(variable).map(|dir| session.ctx.cwd.join(dir));
        let dir = own.unwrap_or_else(|| session.ctx.build_dir.join(folder));
        if level >= needed && dir.exists() {
            session.ctx.log.info(&format!("Removing {}/*", dir.display()));
            if !dry {
                clear(&dir)?;
            }
        }
    }
    if level < 3 {
        return Ok(());
    }
    if !has_config {
        return Err(KasError::User("Purge requires a config file to locate managed repos.".to_owned()));
    }
    // the repositories have to be there to know them all
    let skip = ["repos_apply_patches", "setup_environ"].map(str::to_owned);
    with_steps(&mut session, &skip, |_| Ok(()))?;
    purge(&session, is_set(matches, "preserve-repo-refs"), dry)
}

/// Removes `tmp*` of the build directory; isar's belongs to other users.
fn clean(session: &Session, matches: &ArgMatches, has_config: bool, dry: bool) -> Result<(), KasError> {
    let ctx = &session.ctx;
    let mut system = BuildSystem::OpenEmbedded;
    if has_config {
        // by definition the build system stands in the first file
        let role = Role { main: true, ..Role::default() };
        let mut notes = Vec::new();
        // kas: here, unlike elsewhere, a missing file is exit code 1
        std::fs::metadata(&session.files[0]).doing("read", &session.files[0])?;
        let schema = Schema::new().refusing(Refuses::Nothing);
        let file = ConfigFile::load(&session.files[0], role, &schema, &mut notes);
        // kas: here, unlike elsewhere, the file is named as it was given
        let given = text(matches, "config").and_then(|files| files.split(':').next()).unwrap_or_default();
        let file = file.map_err(|error| if given.is_empty() { error } else { error.with_file_named(given) });
        let file = file.inspect_err(|error| ctx.log.problems(error))?;
        ctx.log.notes(notes);
        system =
            BuildSystem::named(file.config.get("build_system").and_then(|v| v.as_str()).unwrap_or_default());
    }
    if is_set(matches, "isar-privileged") {
        system = BuildSystem::IsarPrivileged;
    } else if is_set(matches, "isar-rootless") {
        system = BuildSystem::IsarRootless;
    }
    if dry {
        ctx.log.warning("Dry run, not removing anything");
    }
    let entries = std::fs::read_dir(&ctx.build_dir).into_iter().flatten().flatten();
    let is_tmp = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("tmp");
    let mut dirs: Vec<PathBuf> = entries.filter(|e| is_tmp(&e.file_name())).map(|e| e.path()).collect();
    dirs.sort();
    for dir in &dirs {
        ctx.log.info(&format!("Removing {}", dir.display()));
    }
    if dry || dirs.is_empty() {
        return Ok(());
    }
    match system {
        BuildSystem::OpenEmbedded => dirs.iter().try_for_each(|dir| remove(dir)),
        BuildSystem::IsarPrivileged => {
            let mut words = argv(&[
                "sudo",
                "--prompt",
                "[sudo] enter password for %U to clean ISAR artifacts",
                "rm",
                "-rf",
            ]);
            words.extend(dirs.iter().map(|dir| dir.display().to_string()));
            run_tool(session, &words)
        }
        BuildSystem::IsarRootless => dirs.iter().try_for_each(|dir| remove_rootless(session, dir)),
    }
}

/// Folders of mapped users are removed from within a user namespace.
fn remove_rootless(session: &Session, dir: &Path) -> Result<(), KasError> {
    let path = dir.display().to_string();
    let uid = rustix::process::getuid().as_raw().to_string();
    let find = [
        "find",
        &path,
        "(",
        "!",
        "-user",
        &uid,
        "-type",
        "d",
        "-prune",
        ")",
        "-exec",
        "unshare",
        "--map-auto",
        "--map-root-user",
        "--keep-caps",
        "rm",
        "-rf",
        "{}",
        ";",
    ];
    run_tool(session, &argv(&find))?;
    run_tool(session, &argv(&["rm", "-rf", &path]))
}

/// Runs a program of the caller's with the caller's environment.
fn run_tool(session: &Session, words: &[String]) -> Result<(), KasError> {
    let runner = crate::process::Runner { environ: &session.ctx.env, ..session.ctx.runner() };
    match runner.foreground(words, &session.ctx.cwd)? {
        0 => Ok(()),
        code => Err(KasError::Environment(format!("`{}` failed: exit code {code}", words.join(" ")))),
    }
}

fn purge(session: &Session, keep_references: bool, dry: bool) -> Result<(), KasError> {
    let ctx = &session.ctx;
    let drop = |path: &Path| {
        ctx.log.info(&format!("Removing {}", path.display()));
        if dry { Ok(()) } else { remove(path) }
    };
    for repo in session.repos.values().filter(|repo| repo.is_managed()) {
        let path = normalise(&repo.path);
        if ctx.work_dir.starts_with(&path) || !path.starts_with(&ctx.work_dir) {
            let path = path.display();
            return Err(KasError::User(format!(
                "`{path}` holds the work directory or is outside of it; not removed"
            )));
        }
        if path.symlink_metadata().is_ok() {
            drop(&path)?;
        }
        let reference =
            ctx.ref_dir.as_ref().map(|dir| dir.join(reference_name(repo.url.as_deref().unwrap_or_default())));
        if let Some(reference) = reference.filter(|dir| !keep_references && dir.exists()) {
            drop(&reference)?;
        }
    }
    ctx.log.info(&format!("Removing {}/*", ctx.build_dir.display()));
    if !dry {
        clear(&ctx.build_dir)?;
    }
    if let Some(tools) = ctx.var("KAS_BUILDTOOLS_DIR") {
        let tools = ctx.cwd.join(tools);
        if tools.exists() {
            drop(&tools.canonicalize().doing("find", &tools)?)?;
        }
    }
    let mut rest: Vec<PathBuf> = [DEFAULT_CONFIG, HISTORY].map(|name| ctx.work_dir.join(name)).to_vec();
    if !ctx.own_build_dir {
        rest.push(ctx.build_dir.clone());
    }
    rest.extend(ctx.key_dirs.iter().cloned());
    rest.iter().filter(|path| path.symlink_metadata().is_ok()).try_for_each(|path| drop(path))
}
