//! `bitzel kas`, also by the name `kas`.

use anyhow::{Context, Result};
use bitzel_kas::Invocation;
use std::ffi::OsString;
use std::process::ExitCode;

/// All arguments go to kas.
#[derive(clap::Args)]
pub struct Arguments {
    /// kas's own arguments; see `bitzel kas --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Runs the kas command line; `program` is the name shown in its help.
pub fn run(arguments: Arguments, program: &str) -> Result<ExitCode> {
    let cwd = std::env::current_dir().context("the working directory is gone")?;
    let invocation = Invocation::new(program, std::env::vars_os(), cwd);
    Ok(bitzel_kas::main(arguments.arguments, &invocation))
}
