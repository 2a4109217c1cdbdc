//! `kas dump`: the project as one file.

use crate::args::{is_set, skipped, text};
use crate::commands::lock;
use crate::error::KasError;
use crate::repository::Repository;
use crate::session::Session;
use crate::steps::with_steps;
use bitzel_project::{EmitOptions, LOCK_VERSION, Map, RepoSpec, Value, emit, emit_json, parse};
use clap::ArgMatches;
use std::io::Write;

/// What neither a dump nor a lock needs.
pub const UNNEEDED: [&str; 4] = ["setup_dir", "repos_apply_patches", "setup_environ", "write_bbconfig"];

/// kas' dumper puts anchors at the wrong places; what reads kas' dumps gets what kas writes.
const ALIASES: &str = "The project has aliases (`*`) or merge keys (`<<`), and as YAML the dump means something \
                       else than they do: use --format json, or write them out in the project";

/// Runs the command.
pub fn run(mut session: Session, matches: &ArgMatches) -> Result<(), KasError> {
    let mut skip = skipped(matches);
    skip.extend(UNNEEDED.map(str::to_owned));
    with_steps(&mut session, &skip, |_| Ok(()))?;
    let (as_lock, inplace) = (is_set(matches, "lock"), is_set(matches, "inplace"));
    let invalid = |text: &str| Err(KasError::User(format!("Invalid combination of arguments: {text}")));
    if inplace && !as_lock {
        return invalid("--inplace requires --lock");
    }
    if as_lock && is_set(matches, "resolve-local") {
        return invalid("--resolve-local cannot be used with --lock");
    }
    if inplace {
        session.ctx.log.warning("The --inplace option is deprecated. Migrate to the \"lock\" command.");
        return lock::lock(&mut session, matches);
    }
    let config = if as_lock { lock_only(&session)? } else { resolved(&session, matches)? };
    let indent = indent(matches);
    let sort = is_set(matches, "sort");
    let value = Value::from(config);
    let text = match text(matches, "format") {
        Some("json") => emit_json(&value, indent, sort) + "\n",
        _ => {
            let plain = EmitOptions { indent, sort, ..EmitOptions::default() };
            let text = emit(&value, &EmitOptions { kas_aliases: true, ..plain });
            let has_aliases = text != emit(&value, &plain);
            if has_aliases && parse(text.as_bytes()).is_ok_and(|document| document.value != value) {
                session.ctx.log.warning(ALIASES);
            }
            text
        }
    };
    // who closes stdout has seen enough
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// `--indent`.
pub fn indent(matches: &ArgMatches) -> i64 {
    matches.get_one::<i64>("indent").copied().unwrap_or(2)
}

/// Only what a lock file holds.
fn lock_only(session: &Session) -> Result<Map, KasError> {
    let mut pins = Map::new();
    for (id, spec) in session.repos.iter().filter(|(_, spec)| spec.is_managed()) {
        let revision = Repository::new(&session.ctx, spec).revision()?;
        pins.insert(
            id.as_str().into(),
            Value::mapping([("commit", revision.map_or(Value::Null, Value::Str))]),
        );
    }
    let header = Value::mapping([("version", Value::Int(LOCK_VERSION))]);
    let overrides = Value::mapping([("repos", pins.into())]);
    Ok([("header".into(), header), ("overrides".into(), overrides)].into_iter().collect())
}

/// The configuration, references resolved as asked for.
fn resolved(session: &Session, matches: &ArgMatches) -> Result<Map, KasError> {
    let mut config = session.config.flattened();
    if is_set(matches, "resolve-refs") {
        for (id, spec) in session.repos.iter().filter(|(_, spec)| spec.is_managed()) {
            let Some(revision) = Repository::new(&session.ctx, spec).revision()? else { continue };
            let by_refspec = spec.commit.is_none() && spec.branch.is_none() && spec.tag.is_none();
            set(&mut config, id, if by_refspec { "refspec" } else { "commit" }, revision);
        }
        // what is resolved needs no overrides
        config.shift_remove("overrides");
    }
    if is_set(matches, "resolve-local") {
        for (id, spec) in session.repos.iter().filter(|(_, spec)| !spec.is_managed()) {
            resolve_local(session, id, Repository::new(&session.ctx, spec), &mut config)?;
        }
    }
    if is_set(matches, "resolve-env") && config.contains_key("env") {
        let env = session.config.environment(&session.ctx.env);
        let env = env.into_iter().map(|(name, value)| (name.into(), value.map_or(Value::Null, Value::Str)));
        config.insert("env".into(), env.collect::<Map>().into());
    }
    Ok(config)
}

fn resolve_local(
    session: &Session,
    id: &str,
    repo: Repository<'_>,
    config: &mut Map,
) -> Result<(), KasError> {
    let name = &repo.spec.name;
    let spec = repo.spec;
    let wanted = [&spec.commit, &spec.tag, &spec.branch, &spec.refspec].iter().any(|name| name.is_some());
    if wanted && !spec.path.exists() {
        resolve_absent(session, id, spec, config);
        return Ok(());
    }
    let (url, commit) = repo.local_state()?;
    // kas: a default branch or tag stands in where there is no commit
    let commit = commit.filter(|commit| !commit.is_empty());
    let Some(commit) = commit.map_or_else(|| repo.revision(), |commit| Ok(Some(commit)))? else {
        session.ctx.log.warning(&format!("Repository {name} (root repo) is not under version control."));
        return Ok(());
    };
    if url.is_none() || repo.is_dirty()? {
        session.ctx.log.warning(&format!("Repository {name} (root repo) contains uncommitted changes."));
    }
    match url {
        Some(url) => set(config, id, "url", url),
        None => set_value(config, id, "url", Value::Null),
    }
    set(config, id, "commit", commit);
    Ok(())
}

/// A local repository that is not there. kas writes what Python says of it as its commit; whoever builds
/// with that is told so; here so is who makes it.
fn resolve_absent(session: &Session, id: &str, spec: &RepoSpec, config: &mut Map) {
    let (name, path) = (&spec.name, spec.path.display());
    let log = &session.ctx.log;
    log.warning(&format!("Repository {name} (root repo) contains uncommitted changes."));
    log.warning(&format!(
        "Repository {name} (root repo) is not at `{path}`: nothing can be made of its commit"
    ));
    set_value(config, id, "url", Value::Null);
    set(config, id, "commit", format!("[Errno 2] No such file or directory: '{path}'"));
}

fn set(config: &mut Map, id: &str, key: &str, text: String) {
    set_value(config, id, key, Value::Str(text));
}

/// Sets a key of a repository entry; one without content gets some. Entries that are one by an alias stay one.
fn set_value(config: &mut Map, id: &str, key: &str, value: Value) {
    let Some(repos) = config.get_mut("repos").and_then(Value::as_map_mut) else { return };
    let Some(before) = repos.get(id).cloned() else { return };
    let mut entry = before.as_map().cloned().unwrap_or_default();
    entry.insert(key.into(), value);
    let entry = Value::from(entry);
    for other in repos.values_mut().filter(|other| other.is_same(&before)) {
        *other = entry.clone();
    }
    repos.insert(id.into(), entry);
}
