//! The `bitzel` command, which also answers to the names of the tools it replaces.
//! Arguments and wiring only; one file for each command.

mod arguments;
mod commands;
mod console;
mod progress;
mod record;
mod session;

use bitzel_query::Flavour;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A drop-in replacement for BitBake and kas.
#[derive(Parser)]
#[command(name = "bitzel", version, about, long_about = None, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build targets, or a kas project from its file to the end
    Build(commands::build::Arguments),
    /// What `bitbake` does, with its options
    Bitbake(commands::bitbake::Arguments),
    /// Show a variable's value and where it comes from (bitbake-getvar)
    Getvar(commands::getvar::Arguments),
    /// Show and change layers (bitbake-layers)
    Layers(commands::layers::Arguments),
    /// Write everything evaluated metadata says as JSON lines
    Export(commands::export::Arguments),
    /// Answer a question about recipes, in Bazel's query language
    Query(commands::query::Arguments),
    /// The same with multiconfigs and variants
    Cquery(commands::query::Arguments),
    /// Answer a question about tasks
    Aquery(commands::query::Arguments),
    /// Say why a task has to run again: what changed, where, and how it reaches the task
    Why(commands::why::Arguments),
    /// Say which tasks would run again if a file or a variable changed
    WhatIf(commands::what_if::Arguments),
    /// List the recipes that changes in the layers touch
    Affected(commands::affected::Arguments),
    /// Compare signature files (bitbake-diffsigs)
    Diffsigs(commands::sigfiles::DiffArguments),
    /// Show a signature file (bitbake-dumpsig)
    Dumpsig(commands::sigfiles::DumpArguments),
    /// Fetch the sources of a build, or say what is missing of them
    Fetch(commands::fetch::Arguments),
    /// Say what a build did: what ran, what failed, what took longest
    Log(commands::log::Arguments),
    /// Open a shell in a task's sandbox and environment
    Sh(commands::sh::Arguments),
    /// Write a task as a bundle for OCI runtimes
    Sandbox(commands::sandbox::Arguments),
    /// Say what this host can enforce on tasks, and how to get the rest
    Doctor(commands::doctor::Arguments),
    /// Run python3 with the `bb` package importable
    #[command(disable_help_flag = true)]
    Python(commands::python::Arguments),
    /// Set up and build kas projects, as `kas` does
    #[command(disable_help_flag = true)]
    Kas(commands::kas::Arguments),
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == bitzel_exec::HELPER_ARGUMENT) {
        // The process that starts sandboxed tasks is this program again.
        bitzel_exec::helper_main(std::env::args().skip(2));
    }
    let name = arguments
        .first()
        .map(Path::new)
        .and_then(Path::file_name)
        .and_then(|n| n.to_str())
        .unwrap_or("bitzel");
    let result = match name {
        "bitbake" => commands::bitbake::run(commands::bitbake::Arguments::parse_from(&arguments)),
        "bitbake-getvar" => commands::getvar::run(commands::getvar::Arguments::parse_from(&arguments)),
        "bitbake-layers" => commands::layers::run(commands::layers::Arguments::parse_from(&arguments)),
        "bitbake-diffsigs" => commands::sigfiles::diff(Parser::parse_from(&arguments)),
        "bitbake-dumpsig" => commands::sigfiles::dump_file(Parser::parse_from(&arguments)),
        "kas" => commands::kas::run(commands::kas::Arguments { arguments: arguments[1..].to_vec() }, "kas"),
        _ => match Arguments::parse().command {
            Command::Build(arguments) => commands::build::run(arguments),
            Command::Bitbake(arguments) => commands::bitbake::run(arguments),
            Command::Getvar(arguments) => commands::getvar::run(arguments),
            Command::Layers(arguments) => commands::layers::run(arguments),
            Command::Export(arguments) => commands::export::run(arguments),
            Command::Query(arguments) => commands::query::recipes(&arguments, Flavour::Query),
            Command::Cquery(arguments) => commands::query::recipes(&arguments, Flavour::Cquery),
            Command::Aquery(arguments) => commands::query::tasks(&arguments),
            Command::Why(arguments) => commands::why::run(arguments),
            Command::WhatIf(arguments) => commands::what_if::run(arguments),
            Command::Affected(arguments) => commands::affected::run(arguments),
            Command::Diffsigs(arguments) => commands::sigfiles::diff(arguments),
            Command::Dumpsig(arguments) => commands::sigfiles::dump_file(arguments),
            Command::Fetch(arguments) => commands::fetch::run(arguments),
            Command::Log(arguments) => commands::log::run(&arguments),
            Command::Sh(arguments) => commands::sh::run(arguments),
            Command::Sandbox(arguments) => commands::sandbox::run(arguments),
            Command::Doctor(arguments) => commands::doctor::run(arguments),
            Command::Python(arguments) => commands::python::run(arguments),
            Command::Kas(arguments) => commands::kas::run(arguments, "bitzel kas"),
        },
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ERROR: {error:#}");
            ExitCode::FAILURE
        }
    }
}
