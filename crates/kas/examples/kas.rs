//! The kas command by itself, for trying it out.

use bitzel_kas::{Invocation, main as kas};
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::current_dir() {
        Ok(cwd) => {
            let invocation = Invocation::new("kas", std::env::vars_os(), cwd);
            kas(std::env::args_os().skip(1).collect(), &invocation)
        }
        Err(error) => {
            eprintln!("kas: the current folder is gone: {error}");
            ExitCode::from(1)
        }
    }
}
