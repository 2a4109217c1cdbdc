//! `bitzel python`: the system's python3 with our `bb` importable.

use anyhow::{Context, Result};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// All arguments go to python3.
#[derive(clap::Args)]
pub struct Arguments {
    /// Arguments of python3
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Replaces this process by python3.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let payload = bitzel_workspace::payload()?;
    let mut path = vec![payload.root().to_owned()];
    if let Some(old) = std::env::var_os("PYTHONPATH") {
        path.extend(std::env::split_paths(&old));
    }
    let path = std::env::join_paths(path).context("PYTHONPATH")?;
    let error = Command::new("python3").args(arguments.arguments).env("PYTHONPATH", path).exec();
    Err(error).context("cannot start python3; install it (Debian: apt-get install python3)")
}
