//! `bitzel sandbox export`: a task for other programs to run.

use crate::arguments::ConfigArguments;
use crate::commands::task_sandbox::described_task;
use anyhow::{Context, Result, bail};
use bitzel_exec::{HostView, Mode, export_bundle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Options of `sandbox`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(clap::Subcommand)]
enum Command {
    /// Write a task as a bundle that an OCI runtime (crun, runc, youki) runs as bitzel would
    Export(Export),
}

/// Options of `sandbox export`.
#[derive(clap::Args)]
struct Export {
    /// Write an OCI bundle, a folder
    #[arg(long, required = true)]
    oci: bool,
    /// The task: `busybox:do_compile`, `mc:CONFIG:busybox:do_compile`
    #[arg(value_name = "RECIPE:TASK")]
    task: String,
    /// The folder to write, which must not exist; RECIPE-TASK.oci by default
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Run this instead of the task
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Exports.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let Command::Export(Export { oci: _, task, output, command, config }) = arguments.command;
    let (described, sandbox, mut spec) = described_task(&config, &task, "bundle")?;
    if sandbox.mode == Mode::Off {
        bail!("`{task}` has no sandbox to export: BITZEL_SANDBOX is \"off\" for it");
    }
    spec.argv.clone_from(&described.launcher);
    match described.script {
        _ if !command.is_empty() => spec.argv.extend(command),
        Some(script) => {
            spec.argv.push(script);
            for function in &described.skipped {
                eprintln!("NOTE: `{function}` is written in Python and no part of the bundle");
            }
        }
        None => {
            bail!("`{task}` cannot be exported: {}. Name a command to run in its sandbox", described.refused)
        }
    }
    let name = task.replace(':', "-");
    let bundle = std::path::absolute(output.unwrap_or_else(|| PathBuf::from(format!("{name}.oci"))))
        .context("the working directory is gone")?;
    if bundle.exists() {
        bail!("`{}` is there already: remove it, or name another folder by `--output`", bundle.display());
    }
    export_bundle(&spec, &HostView::probe(), &bundle)?;
    println!("{}", how_to_run(&bundle, &name));
    Ok(ExitCode::SUCCESS)
}

fn how_to_run(bundle: &Path, name: &str) -> String {
    format!("Run it by: crun run --bundle '{}' '{name}'", bundle.display())
}
