//! `bitzel log`: what a build did.

use crate::arguments::ConfigArguments;
use crate::record::{self, BuildRecord, TaskFate, TaskRecord, seconds};
use crate::session::Session;
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Options of `log`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
    /// The build, by its BUILDNAME [default: the last one]
    #[arg(long, value_name = "NAME", global = true)]
    build: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(clap::Subcommand, Clone, Copy)]
enum What {
    /// The tasks that ran, in the order they started
    #[command(name = "what-ran")]
    Ran,
    /// The tasks that failed, with their logs
    #[command(name = "what-failed")]
    Failed,
    /// The tasks that took the longest one after the other: what to make faster first
    CriticalPath,
}

/// Prints what is asked for.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let session = Session::load(&arguments.config)?;
    let folder = record::folder(&session.recipes)
        .context("neither LOG_DIR nor TMPDIR is set: builds are not recorded")?;
    let record = BuildRecord::read(&folder, arguments.build.as_deref())?;
    let tasks: Vec<&TaskRecord> = match arguments.what {
        What::Ran => record.tasks.iter().collect(),
        What::Failed => record.tasks.iter().filter(|task| task.fate == TaskFate::Failed).collect(),
        What::CriticalPath => record.critical_tasks().collect(),
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&tasks).context("tasks cannot be written as JSON")?);
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "build {} of {}: {} tasks ran, {} did not have to, {:.1} s",
        record.name,
        record.targets.join(" "),
        record.tasks.len(),
        record.skipped,
        seconds(record.elapsed_ms)
    );
    if matches!(arguments.what, What::CriticalPath) {
        println!("critical path: {:.1} s", seconds(record.critical_ms()));
    }
    for task in tasks {
        let fate = match task.fate {
            TaskFate::Succeeded => "",
            TaskFate::Failed => "  FAILED",
            TaskFate::Unfinished => "  not finished",
        };
        println!(
            "{:>8.1} s {:>8.1} s CPU  {}:{}{fate}",
            seconds(task.elapsed_ms),
            seconds(task.cpu_ms),
            task.recipe,
            task.task
        );
        if let (TaskFate::Failed, Some(log)) = (task.fate, &task.log) {
            println!("             log: {log}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
