//! `kas build`: everything set up, then bitbake.

use crate::args::{skipped, text, texts};
use crate::attestation;
use crate::error::KasError;
use crate::process::{failed, find_program};
use crate::session::Session;
use crate::steps::with_steps;
use clap::ArgMatches;
use std::io::IsTerminal;

/// Runs the command; `option` is an argument for bitbake that stood in the
/// place of the project file.
pub fn run(mut session: Session, matches: &ArgMatches, option: Option<&str>) -> Result<(), KasError> {
    let mut extra = texts(matches, "extra");
    if let Some(option) = option {
        extra.insert(0, option.to_owned());
    }
    let provenance = text(matches, "provenance");
    with_steps(&mut session, &skipped(matches), |session| build(session, &extra, provenance))
}

/// Builds in a session whose steps have run.
pub fn build(session: &Session, extra: &[String], provenance: Option<&str>) -> Result<(), KasError> {
    let started = jiff::Timestamp::now();
    run_bitbake(session, extra)?;
    match provenance {
        None => Ok(()),
        Some(mode) => {
            let request = attestation::Request {
                max: mode == "mode=max",
                extra,
                started,
                finished: jiff::Timestamp::now(),
            };
            attestation::write(session, &request)
        }
    }
}

fn run_bitbake(session: &Session, extra: &[String]) -> Result<(), KasError> {
    let ctx = &session.ctx;
    let path = ctx.environ.get("PATH").map_or("", String::as_str);
    let bitbake = find_program(path, "bitbake").ok_or_else(|| {
        KasError::Environment(format!(
            "`bitbake` is in no folder of the build environment's PATH (`{path}`); does a repository provide it?"
        ))
    })?;
    let mut argv = vec![bitbake.display().to_string(), "-c".to_owned(), session.task()];
    argv.extend_from_slice(extra);
    argv.extend(session.targets());
    if !std::io::stdout().is_terminal() {
        return ctx.runner().logged(&argv, &ctx.build_dir);
    }
    ctx.log.info(&format!("{}$ {}", ctx.build_dir.display(), argv.join(" ")));
    match ctx.runner().foreground(&argv, &ctx.build_dir)? {
        0 => Ok(()),
        code => Err(failed(&argv, code)),
    }
}
