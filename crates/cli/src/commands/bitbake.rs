//! `bitbake`, by its own options.

use super::server_options::ServerArguments;
use super::{environment, graph, run_tasks, signatures, versions};
use crate::arguments::ConfigArguments;
use crate::progress::Terminal;
use crate::session::Session;
use anyhow::{Result, bail};
use bitzel_workspace::{BuildDir, Evaluation, PlanOptions};
use std::process::ExitCode;

/// Options of `bitbake`.
#[derive(clap::Parser, Clone, Default)]
#[command(name = "bitbake", version = env!("CARGO_PKG_VERSION"), about = "Evaluates recipes and runs their tasks")]
pub struct Arguments {
    /// Recipes, or anything they provide; `NAME:do_TASK`, `mc:CONFIG:NAME`, world
    pub targets: Vec<String>,
    /// Show current and preferred versions of all recipes
    #[arg(short = 's', long)]
    pub show_versions: bool,
    /// Show the global or per-recipe environment, with the history of variables
    #[arg(short = 'e', long)]
    pub environment: bool,
    /// Save the tasks and their dependencies as task-depends.dot, the recipes as pn-buildlist
    #[arg(short = 'g', long)]
    pub graphviz: bool,
    /// Quit after parsing the recipes
    #[arg(short = 'p', long)]
    pub parse_only: bool,
    /// Write signature files of all tasks, run none: none, printdiff or lockedsigs
    #[arg(short = 'S', long, value_name = "HANDLER")]
    pub dump_signatures: Vec<String>,
    /// How to plan and run.
    #[command(flatten)]
    pub tasks: TaskArguments,
    /// What is of BitBake's server and user interfaces.
    #[command(flatten)]
    pub server: ServerArguments,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArguments,
}

/// Which tasks to run, and how.
#[derive(clap::Args, Clone, Default)]
#[command(next_help_heading = "Task control options")]
pub struct TaskArguments {
    /// The task to run for targets that name none
    #[arg(short = 'c', long = "cmd", value_name = "TASK")]
    pub command: Option<String>,
    /// Run the targets' tasks even if they are up to date
    #[arg(short = 'f', long)]
    pub force: bool,
    /// Invalidate the stamp of this task and run the default task
    #[arg(short = 'C', long, value_name = "TASK")]
    pub clear_stamp: Option<String>,
    /// Run this task for every recipe in the task graph of the targets
    #[arg(long, value_name = "TASK")]
    pub runall: Vec<String>,
    /// Run only this task within the task graph of the targets, and what it needs
    #[arg(long, value_name = "TASK")]
    pub runonly: Vec<String>,
    /// Run no setscene tasks: build everything, ignoring sstate
    #[arg(long)]
    pub no_setscene: bool,
    /// Run no more setscene tasks, but keep what they restored before
    #[arg(long)]
    pub skip_setscene: bool,
    /// Run only setscene tasks
    #[arg(long)]
    pub setscene_only: bool,
    /// Do not run tasks, just go through the motions
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Go on as far as possible after an error
    #[arg(short = 'k', long = "continue")]
    pub keep_going: bool,
    /// Run tasks of this recipe file alone, without its dependencies
    #[arg(short = 'b', long, value_name = "FILE")]
    pub buildfile: Option<String>,
    /// Say in the end how long things took, and where the trace of the build is
    #[arg(short = 'P', long)]
    pub profile: bool,
    /// Assume these are provided already, as ASSUME_PROVIDED does
    #[arg(short = 'I', long = "ignore-deps", value_name = "NAME")]
    pub ignore: Vec<String>,
    /// Fail instead of running a task less isolated than it should be (BITZEL_SANDBOX_REQUIRE)
    #[arg(long)]
    pub require_sandbox: bool,
    /// More debug messages; may be given several times
    #[arg(short = 'D', long, action = clap::ArgAction::Count)]
    pub debug: u8,
    /// Show debug messages of this logger: `Fetcher` for `BitBake.Fetcher`
    #[arg(short = 'l', long = "log-domains", value_name = "DOMAIN")]
    pub domains: Vec<String>,
    /// Print notes of tasks and trace shell tasks
    #[arg(short = 'v', long)]
    pub verbose: bool,
    /// Print less; may be given several times
    #[arg(short = 'q', long, action = clap::ArgAction::Count, conflicts_with_all = ["verbose", "debug"])]
    pub quiet: u8,
    /// Tell of each download
    #[arg(skip)]
    pub downloads: bool,
}

impl TaskArguments {
    /// What to plan for targets.
    pub fn plan_options(&self, targets: &[String]) -> PlanOptions {
        PlanOptions {
            targets: targets.to_vec(),
            task: self.command.clone(),
            ignore: self.ignore.iter().cloned().collect(),
            run_all: self.runall.clone(),
            run_only: self.runonly.clone(),
        }
    }
}

/// Runs what the options ask for.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    if arguments.server.check()? {
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.environment {
        return environment::run(&arguments.targets, &arguments.config);
    }
    if arguments.show_versions {
        let build_dir = BuildDir::find(&arguments.config.choice(), false)?;
        return versions::show_versions(Evaluation::run(&build_dir, &Terminal::default())?);
    }
    if arguments.parse_only {
        let build_dir = BuildDir::find(&arguments.config.choice(), false)?;
        return parse_only(&build_dir);
    }
    if let Some(file) = &arguments.tasks.buildfile {
        let (session, pn) = Session::load_file(&arguments.config, file)?;
        return run_tasks::run(&session, &[pn], &arguments.tasks);
    }
    if arguments.targets.is_empty() {
        bail!(
            "Nothing to do.  Use 'bitbake world' to build everything, or run 'bitbake --help' for usage information."
        );
    }
    let options = arguments.tasks.plan_options(&arguments.targets);
    let session = Session::load(&arguments.config)?;
    if arguments.graphviz {
        return graph::run(&session, &options);
    }
    if !arguments.dump_signatures.is_empty() {
        return signatures::run(&session, &options, &arguments.dump_signatures);
    }
    run_tasks::run(&session, &arguments.targets, &arguments.tasks)
}

fn parse_only(build_dir: &BuildDir) -> Result<ExitCode> {
    let parsed = Evaluation::check(build_dir, &Terminal::default())?;
    println!("{parsed}");
    refuse(parsed.errors.iter().map(String::as_str))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the errors of all files; a single one ends the command.
pub fn refuse_errors(evaluation: &Evaluation) -> Result<()> {
    refuse(evaluation.errors().into_iter())
}

fn refuse<'e>(errors: impl ExactSizeIterator<Item = &'e str>) -> Result<()> {
    let fine = errors.len() == 0;
    for error in errors {
        eprintln!("ERROR: {error}");
    }
    if !fine {
        bail!("Parsing halted due to errors, see error messages above");
    }
    Ok(())
}
