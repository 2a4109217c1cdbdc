//! `kas lock`: what branches and tags stand for now, kept in lock files.

use crate::args::{is_set, skipped};
use crate::commands::diff::{Style, commits, show_commits};
use crate::commands::dump::{UNNEEDED, indent};
use crate::error::KasError;
use crate::files;
use crate::repository::Repository;
use crate::session::Session;
use crate::steps::with_steps;
use bitzel_project::{
    ConfigFile, EmitOptions, Floating, LOCK_VERSION, LockEvent, Value, emit, emit_json, lock_path, new_lock,
    relative, update_lock,
};
use clap::ArgMatches;

/// Runs the command.
pub fn run(mut session: Session, matches: &ArgMatches) -> Result<(), KasError> {
    let mut skip = skipped(matches);
    skip.extend(UNNEEDED.map(str::to_owned));
    session.warn_unpinned = false;
    with_steps(&mut session, &skip, |session| lock(session, matches))
}

/// Locks the repositories of a session whose steps have run.
pub fn lock(session: &mut Session, matches: &ArgMatches) -> Result<(), KasError> {
    let mut floating = floating(session)?;
    if floating.is_empty() {
        session.ctx.log.info("No floating repos found. Nothing to lock.");
        return Ok(());
    }
    let mut locks: Vec<ConfigFile> =
        session.config_files.iter().filter(|file| file.role.lock).cloned().collect();
    for lock in &mut locks {
        update(session, lock, &mut floating, false, matches)?;
    }
    floating.retain(|repo| !repo.locked_elsewhere);
    if floating.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = floating.iter().map(|repo| repo.name.as_str()).collect();
    session.ctx.log.warning(&format!(
        "The following repos are not covered by any lockfile. Adding to top lockfile: {}",
        names.join(", ")
    ));
    let path = lock_path(session.main_file()?);
    let mut lock = match locks.into_iter().next().filter(|lock| lock.path == path) {
        Some(lock) => lock,
        None => new_lock(path),
    };
    update(session, &mut lock, &mut floating, true, matches)
}

/// The managed repositories without commit.
fn floating(session: &Session) -> Result<Vec<Floating>, KasError> {
    let wanted = session.repos.iter().filter(|(_, spec)| spec.is_managed() && spec.commit.is_none());
    wanted
        .map(|(id, spec)| {
            let repo = Repository::new(&session.ctx, spec);
            Ok(Floating {
                id: id.clone(),
                name: spec.name.clone(),
                revision: repo.revision()?.unwrap_or_default(),
                annotated_tag: repo.annotated_tag()?,
                locked_elsewhere: false,
            })
        })
        .collect()
}

fn update(
    session: &Session,
    lock: &mut ConfigFile,
    floating: &mut Vec<Floating>,
    add: bool,
    matches: &ArgMatches,
) -> Result<(), KasError> {
    let (events, changed) = update_lock(lock, floating, add);
    for event in &events {
        tell(session, lock, event)?;
    }
    if !changed {
        return Ok(());
    }
    session.ctx.log.info(&format!("Updating lockfile {}", relative(&lock.path, &session.ctx.cwd).display()));
    let (indent, sort) = (indent(matches), is_set(matches, "sort"));
    let value = Value::from(lock.config.clone());
    let text = match lock.path.extension().is_some_and(|e| e == "json") {
        true => emit_json(&value, indent, sort) + "\n",
        false => emit(&value, &EmitOptions { indent, sort, ..EmitOptions::default() }),
    };
    files::write(&lock.path, &text)
}

fn tell(session: &Session, lock: &ConfigFile, event: &LockEvent) -> Result<(), KasError> {
    let log = &session.ctx.log;
    match event {
        LockEvent::UpToDate { name, commit } => log.info(&format!("Lock of {name} is up-to-date: {commit}")),
        LockEvent::Added { name, commit } => log.info(&format!("Adding lock of {name}: {commit}")),
        LockEvent::Elsewhere { name } => {
            let file = lock.path.display();
            log.warning(&format!("Repo {name} is locked in remote lockfile {file}. Not updating."));
        }
        LockEvent::OldVersion(version) => log.warning(&format!(
            "Lockfile uses too-old header version ({version}). Updating to version {LOCK_VERSION}"
        )),
        LockEvent::Updated { id, name, old, new } => {
            log.info(&format!("Updating lock of {name}: {old} -> {new}"));
            let Some(spec) = session.repos.get(id) else { return Ok(()) };
            match commits(Repository::new(&session.ctx, spec), old, "HEAD") {
                Ok(Some(commits)) => {
                    show_commits(&[(name.clone(), commits.clone())], true, &Style::coloured());
                    log.info(&in_words(name, commits.len(), old, new));
                }
                Ok(None) => {}
                Err(error @ KasError::User(_)) => log.warning(&error.to_string()),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// What an update of a lock means.
fn in_words(name: &str, commits: usize, old: &str, new: &str) -> String {
    let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
    let (old, new) = (short(old), short(new));
    match commits {
        0 => format!("{name} goes from {old} back or sideways to {new}: no commit is new"),
        1 => format!("{name} goes from {old} to {new}: 1 new commit"),
        _ => format!("{name} goes from {old} to {new}: {commits} new commits"),
    }
}
