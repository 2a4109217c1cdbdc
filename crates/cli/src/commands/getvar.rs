//! `bitbake-getvar`: a variable's value, and where it comes from.

use crate::commands::environment::configured;
use anyhow::{Result, bail};
use bitzel_recipe::protocol::{Reply, Request};
use bitzel_workspace::{BuildDir, ConfigChoice};
use std::process::ExitCode;

/// Options of `bitbake-getvar`.
#[derive(clap::Parser)]
#[command(name = "bitbake-getvar", about = "BitBake Query Variable")]
pub struct Arguments {
    /// Variable to query
    variable: String,
    /// Recipe in whose context to look
    #[arg(short = 'r', long, value_name = "RECIPE")]
    recipe: Option<String>,
    /// Do not expand references
    #[arg(short = 'u', long)]
    unexpand: bool,
    /// Flag of the variable to query
    #[arg(short = 'f', long, value_name = "FLAG")]
    flag: Option<String>,
    /// Only the value, without its history
    #[arg(long)]
    value: bool,
    /// Print nothing but the value and errors
    #[arg(short = 'q', long)]
    quiet: bool,
    /// Say no error if the variable is not set
    #[arg(long)]
    ignore_undefined: bool,
}

/// Prints the variable.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    if arguments.unexpand && !arguments.value {
        bail!("--unexpand only makes sense with --value");
    }
    if arguments.flag.is_some() && !arguments.value {
        bail!("--flag only makes sense with --value");
    }
    let build_dir = BuildDir::find(&ConfigChoice::default(), !arguments.value)?;
    let (mut host, target) = configured(&build_dir, arguments.recipe.as_deref())?;
    let how = match (arguments.value, arguments.unexpand) {
        (true, true) => "unexpanded",
        (true, false) => "value",
        _ => "history",
    };
    let flag = arguments.flag.clone().unwrap_or_default();
    let mut request = vec![arguments.variable.clone(), flag, how.to_owned()];
    request.extend(target);
    let Reply::Text(text) = host.ask(&Request::Call("getvar".to_owned(), request))? else {
        bail!("unexpected answer of the host");
    };
    if text.is_empty() && !arguments.ignore_undefined {
        bail!("The variable '{}' is not defined", arguments.variable);
    }
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}
