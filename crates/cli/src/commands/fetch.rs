//! `bitzel fetch`: the sources of a build: fetching them, what is missing, their licences.

use crate::arguments::ConfigArguments;
use crate::commands::bitbake::TaskArguments;
use crate::commands::run_tasks;
use crate::session::Session;
use anyhow::{Context, Result};
use bitzel_fetch::{OfflineReport, Source, SourceState, license_manifest, offline_report};
use bitzel_workspace::PlanOptions;
use std::process::ExitCode;

/// Options of `fetch`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Targets whose sources are meant, those of all they need included
    #[arg(required = true)]
    targets: Vec<String>,
    /// Fetch nothing; tell whether the build could go without network, and what is missing
    #[arg(long)]
    offline_check: bool,
    /// Fetch nothing; print every download with the licences of the recipes that use it, as JSON
    #[arg(long)]
    licenses: bool,
    /// Print the report as JSON
    #[arg(long, requires = "offline_check")]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Fetches, or reports.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let session = Session::load(&arguments.config)?;
    let sources = sources(&session, &arguments.targets)?;
    if arguments.licenses {
        println!("{}", serde_json::to_string_pretty(&license_manifest(&sources))?);
        return Ok(ExitCode::SUCCESS);
    }
    let report = offline_report(&sources);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    if arguments.offline_check {
        return Ok(if report.offline { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    // Also where nothing is missing: what is there is verified, and its stamps are made.
    let tasks =
        TaskArguments { runall: vec!["fetch".to_owned()], downloads: true, ..TaskArguments::default() };
    run_tasks::run(&session, &arguments.targets, &tasks)
}

/// The SRC_URI entries of every recipe with a fetch task that the targets need.
fn sources(session: &Session, targets: &[String]) -> Result<Vec<Source>> {
    let options = PlanOptions {
        targets: targets.to_vec(),
        run_all: vec!["fetch".to_owned()],
        ..PlanOptions::default()
    };
    let plan = session.plan(&options)?;
    let mut sources = Vec::new();
    for task in plan.graph.tasks().filter(|&task| plan.graph.task_name(task) == "do_fetch") {
        let id = plan.graph.recipe(task);
        let text = session.call("sources", session.recipe_arguments(id)?)?;
        let found: Vec<Source> =
            serde_json::from_str(&text).with_context(|| format!("the sources of {id}"))?;
        sources.extend(found);
    }
    Ok(sources)
}

fn print(report: &OfflineReport) {
    for (state, url, recipes) in &report.missing {
        println!("{}: {url} ({})", named(*state), recipes.join(", "));
    }
    let counts: Vec<String> =
        report.counts.iter().map(|(state, count)| format!("{count} {}", named(*state))).collect();
    println!("sources: {}", counts.join(", "));
    if report.offline {
        println!("This build can go without network.");
        return;
    }
    let estimate = report.estimated_bytes.map_or(String::new(), |bytes| {
        format!(", about {} MiB by the size of those that are there", bytes.div_ceil(1 << 20))
    });
    println!("{} downloads are missing{estimate}.", report.missing.len());
}

fn named(state: SourceState) -> &'static str {
    match state {
        SourceState::Local => "local",
        SourceState::Present => "present",
        SourceState::Unverified => "unverified",
        SourceState::Wrong => "wrong",
        SourceState::Partial => "partial",
        SourceState::Missing => "missing",
    }
}
