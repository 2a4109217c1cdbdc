//! `bitzel doctor`: what this host can enforce on tasks, and how to get the rest.

use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::ExitCode;

/// Options of `doctor`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where builds go; file systems differ in what they allow
    #[arg(value_name = "DIR", default_value = ".")]
    work: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Fail if anything is less than full, as builds with this option would
    #[arg(long)]
    require_sandbox: bool,
}

/// Prints the report; the exit code is 1 where tasks cannot be isolated as wanted.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let work = arguments
        .work
        .canonicalize()
        .with_context(|| format!("cannot look at `{}`; name an existing folder", arguments.work.display()))?;
    let report = bitzel_exec::examine(&program, &work);
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        print!("{report}");
    }
    let full = report.degradations().next().is_none();
    let good = if arguments.require_sandbox { full } else { report.can_enforce };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
