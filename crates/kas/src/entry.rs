//! The program: arguments in, exit code out.

use crate::args;
use crate::cancel::Cancel;
use crate::commands;
use crate::context::{Context, Invocation, RepoOptions, distro};
use crate::error::KasError;
use crate::log::{Level, Logger};
use crate::session::Session;
use bitzel_project::Overrides;
use clap::ArgMatches;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs a kas command; `args` are without the program's name.
pub fn main(args: Vec<OsString>, invocation: &Invocation) -> ExitCode {
    let mut parser = args::command(&invocation.program);
    let argv = std::iter::once(OsString::from("kas")).chain(args);
    let matches = match parser.try_get_matches_from_mut(argv) {
        Ok(matches) => matches,
        Err(error) => {
            // a closed stdout or stderr is no reason for another error
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let level = args::text(&matches, "log-level").and_then(Level::named);
    let Some((name, matches)) = matches.subcommand() else {
        let _ = parser.print_help();
        return ExitCode::SUCCESS;
    };
    let log = Logger::new(level.unwrap_or(Level::Info));
    run(name, matches, invocation, log)
}

fn run(name: &str, matches: &ArgMatches, invocation: &Invocation, log: Logger) -> ExitCode {
    let system = distro();
    log.info(&format!("kas {} started on {} {}", crate::KAS_VERSION, system.name, system.release));
    let cancel = match Cancel::listen() {
        Ok(cancel) => cancel,
        Err(error) => {
            log.error(&format!("signals cannot be handled: {error}"));
            return ExitCode::from(1);
        }
    };
    let quiet = Logger::new(if log.shows(Level::Error) { Level::Error } else { Level::Critical });
    match dispatch(name, matches, invocation, log, cancel) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            quiet.error(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(
    name: &str,
    matches: &ArgMatches,
    invocation: &Invocation,
    log: Logger,
    cancel: Arc<Cancel>,
) -> Result<(), KasError> {
    if name == "convert" {
        return commands::convert::run(matches, invocation, log, cancel);
    }
    let switch = |name: &str, variable: &str| {
        args::is_set(matches, name) || invocation.env.get(variable).is_some_and(|value| value == "1")
    };
    let options = RepoOptions {
        force_checkout: args::is_set(matches, "force-checkout"),
        update: args::is_set(matches, "update"),
        submodules: switch("submodules", "BITZEL_KAS_SUBMODULES"),
        lfs: switch("lfs", "BITZEL_KAS_LFS"),
    };
    let ctx = Context::new(invocation, options, log, cancel)?;
    if name == "menu" {
        return commands::menu::run(ctx, matches);
    }
    let overrides = match name {
        "build" => Overrides {
            targets: args::texts(matches, "target"),
            task: args::text(matches, "task").filter(|task| !task.is_empty()).map(str::to_owned),
        },
        _ => Overrides::default(),
    };
    let config = args::text(matches, "config").or(args::text(matches, "config1"));
    // `kas build -- -k`: the first argument after `--` is no project
    let option = config.filter(|config| name == "build" && config.starts_with('-'));
    let session = Session::new(ctx, config.filter(|_| option.is_none()), overrides);
    match name {
        "build" => commands::build::run(session, matches, option),
        "checkout" => commands::checkout::run(session, matches),
        "clean" | "cleansstate" | "cleanall" | "purge" => commands::clean::run(session, name, matches),
        "diff" => commands::diff::run(session, matches),
        "dump" => commands::dump::run(session, matches),
        "for-all-repos" => commands::for_all_repos::run(session, matches),
        "lock" => commands::lock::run(session, matches),
        "shell" => commands::shell::run(session, matches),
        "why" => commands::why::run(session, matches),
        other => Err(KasError::User(format!("there is no command `{other}`"))),
    }
}
