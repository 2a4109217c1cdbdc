//! `kas checkout`: repositories and build directory, nothing more.

use crate::args::skipped;
use crate::error::KasError;
use crate::session::Session;
use crate::steps::with_steps;
use clap::ArgMatches;

/// Runs the command.
pub fn run(mut session: Session, matches: &ArgMatches) -> Result<(), KasError> {
    with_steps(&mut session, &skipped(matches), |_| Ok(()))
}
