//! `kas convert`: project files to bitbake-setup's configurations and back,
//! on standard output.

use crate::args::{text, texts};
use crate::cancel::Cancel;
use crate::context::{Context, Invocation, RepoOptions};
use crate::error::{IoContext, KasError};
use crate::log::Logger;
use crate::session::Session;
use bitzel_project::{
    EmitOptions, Overrides, ProjectError, SetupChoice, emit, emit_json, from_setup, parse_json, to_setup,
};
use clap::ArgMatches;
use std::io::Write;
use std::sync::Arc;

/// Runs the command.
pub fn run(
    matches: &ArgMatches,
    invocation: &Invocation,
    log: Logger,
    cancel: Arc<Cancel>,
) -> Result<(), KasError> {
    let input = text(matches, "input").unwrap_or_default();
    let output = if input.ends_with(".conf.json") {
        to_project(matches, invocation, input, &log)?
    } else {
        to_configuration(invocation, input, log, cancel)?
    };
    // who closes stdout has seen enough
    let _ = std::io::stdout().write_all(output.as_bytes());
    Ok(())
}

fn to_project(
    matches: &ArgMatches,
    invocation: &Invocation,
    input: &str,
    log: &Logger,
) -> Result<String, KasError> {
    let file = invocation.cwd.join(input);
    let bytes = std::fs::read(&file).doing("read", &file)?;
    let document = parse_json(&bytes).map_err(|e| {
        let line = e.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        KasError::User(format!("`{input}` is no JSON: {line}{}", e.problem))
    })?;
    let choice = SetupChoice {
        configuration: text(matches, "configuration").map(str::to_owned),
        fragments: texts(matches, "choice"),
    };
    let mut notes = Vec::new();
    let project = from_setup(&document.value, &choice, &mut notes)?;
    log.notes(notes);
    Ok(emit(&project.into(), &EmitOptions::default()))
}

/// Needs the files of the project only, not its repositories.
fn to_configuration(
    invocation: &Invocation,
    input: &str,
    log: Logger,
    cancel: Arc<Cancel>,
) -> Result<String, KasError> {
    let ctx = Context::new(invocation, RepoOptions::default(), log, cancel)?;
    let mut session = Session::new(ctx, Some(input), Overrides::default());
    session.warn_unpinned = false;
    session.read()?;
    if let Some(id) = session.missing().first() {
        return Err(KasError::Project(ProjectError::Convert(format!(
            "the project includes files of the repository `{id}`; convert the output of `dump` instead"
        ))));
    }
    session.resolve_repos()?;
    let name = session.files[0].file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut notes = Vec::new();
    let setup = to_setup(&name, &session.config, &session.repo_list(), &mut notes)?;
    session.ctx.log.notes(notes);
    Ok(emit_json(&setup, 4, false) + "\n")
}
