//! `kas why KEY`: which file of the project set a value.

use crate::args::{skipped, text};
use crate::commands::dump::UNNEEDED;
use crate::error::KasError;
use crate::session::Session;
use crate::steps::with_steps;
use bitzel_project::{EmitOptions, Value, closest, emit, origins, relative};
use clap::ArgMatches;

/// Runs the command.
pub fn run(mut session: Session, matches: &ArgMatches) -> Result<(), KasError> {
    let mut skip = skipped(matches);
    skip.extend(UNNEEDED.map(str::to_owned));
    let key = text(matches, "key").unwrap_or_default();
    with_steps(&mut session, &skip, |session| why(session, key))
}

fn why(session: &Session, key: &str) -> Result<(), KasError> {
    let used: Vec<_> = session
        .config_files
        .iter()
        .filter(|file| !(file.role.lock && session.ctx.options.update))
        .cloned()
        .collect();
    let origins = origins(&used, key);
    if origins.is_empty() {
        let mut known = Vec::new();
        keys(&Value::from(session.config.map.clone()), "", &mut known);
        let hint = closest(key, known.iter().map(String::as_str));
        let hint = hint.map(|close| format!("; did you mean `{close}`?")).unwrap_or_default();
        return Err(KasError::User(format!("no file of the project sets `{key}`{hint}")));
    }
    for (i, origin) in origins.iter().enumerate() {
        let file = relative(&origin.file, &session.ctx.cwd);
        let place =
            origin.line.map_or(file.display().to_string(), |line| format!("{}:{line}", file.display()));
        let merged = matches!(origin.value, Value::Map(_));
        let role = match (i + 1 == origins.len(), merged) {
            (true, false) => "in effect",
            (_, true) => "merged",
            (false, false) => "overridden",
        };
        println!("{place}: {role}: {}", shown(&origin.value));
    }
    for (path, variable) in
        [("machine", "KAS_MACHINE"), ("distro", "KAS_DISTRO"), ("target", "KAS_TARGET"), ("task", "KAS_TASK")]
    {
        if let Some(value) = session.ctx.env.get(variable).filter(|_| key == path) {
            println!("environment: {variable} wins over the files: {value}");
        }
    }
    let pinned = key.strip_prefix("repos.").and_then(|rest| rest.rsplit_once('.'));
    if let Some((id, part)) = pinned {
        for origin in self::origins_of_override(&used, id, part) {
            println!("{origin}");
        }
    }
    Ok(())
}

/// Overrides, which lock files are made of, win over the repository entry.
fn origins_of_override(files: &[bitzel_project::ConfigFile], id: &str, part: &str) -> Vec<String> {
    let found = origins(files, &format!("overrides.repos.{id}.{part}"));
    let tell = |origin: &bitzel_project::Origin| {
        let line = origin.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line}: overrides it: {}", origin.file.display(), shown(&origin.value))
    };
    found.iter().map(tell).collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Str(text) if !text.contains('\n') => text.clone(),
        Value::Null => "null".to_owned(),
        other => {
            let options = EmitOptions { null_word: true, ..EmitOptions::default() };
            let text = emit(other, &options);
            let text = text.trim_end().strip_prefix("|\n").unwrap_or(text.trim_end());
            if text.contains('\n') || text.contains(": ") {
                text.lines().map(|line| format!("\n    {line}")).collect()
            } else {
                text.to_owned()
            }
        }
    }
}

fn keys(value: &Value, prefix: &str, out: &mut Vec<String>) {
    for (key, value) in value.as_map().into_iter().flatten() {
        let path = if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") };
        keys(value, &path, out);
        out.push(path);
    }
}
