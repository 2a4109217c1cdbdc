//! `bitzel build`: targets of the build directory, or a whole kas project.

use super::bitbake::{self, TaskArguments};
use super::project;
use crate::arguments::ConfigArguments;
use anyhow::Result;
use std::process::ExitCode;

/// Options of `build`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Recipes, or anything they provide; or a kas project file
    #[arg(required = true)]
    targets: Vec<String>,
    /// Of a project's build: options of `bitbake`
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
    #[command(flatten)]
    tasks: TaskArguments,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Builds.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    if let [files] = &arguments.targets[..]
        && project::is_project(files)
    {
        return project::build(files, &arguments.options);
    }
    bitbake::run(bitbake::Arguments {
        targets: arguments.targets,
        tasks: TaskArguments { profile: true, ..arguments.tasks },
        config: arguments.config,
        ..bitbake::Arguments::default()
    })
}
