//! `bitzel what-if`: which tasks would run again if a file or a variable changed.

use crate::arguments::ConfigArguments;
use crate::progress::Terminal;
use crate::session::Session;
use anyhow::{Context, Result, bail};
use bitzel_taskgraph::{NoEquivalence, Signatures, TaskIx, rebuilds, tasks_reading};
use bitzel_workspace::{BuildDir, Evaluation, Plan, PlanOptions, Recipes};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use tempfile::NamedTempFile;

/// Options of `what-if`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A file that changes, or VARIABLE=VALUE (overrides may be part of the name)
    change: String,
    /// The targets whose tasks are looked at
    #[arg(required = true)]
    targets: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Tells what would run.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let session = Session::load(&arguments.config)?;
    let options = PlanOptions { targets: arguments.targets.clone(), ..PlanOptions::default() };
    let plan = session.plan(&options)?;
    // Both times the same taint, so that only what changes differs.
    let mut random = String::new;
    let signatures = session.hashes(&plan, &mut random, &mut NoEquivalence)?;
    let path = Path::new(&arguments.change);
    let (tasks, added, exact) = match arguments.change.split_once('=') {
        Some((name, value)) if !path.exists() => {
            let (other_session, _file) = changed(&arguments, name.trim(), value)?;
            let other_plan = other_session.plan_possible(&options)?;
            let other = other_session.hashes(&other_plan, &mut random, &mut NoEquivalence)?;
            let (tasks, added) = compare(&plan, &signatures, &other_plan, &other);
            (tasks, added, true)
        }
        _ => {
            let file = path
                .canonicalize()
                .with_context(|| format!("`{}` is neither a file nor VARIABLE=VALUE", arguments.change))?;
            (of_file(&session, &plan, &signatures, &file)?, Vec::new(), false)
        }
    };
    let names = tasks.iter().map(|&task| plan.graph.task_id(task).to_string());
    let mut names: Vec<String> = names.chain(added).collect();
    names.sort();
    if arguments.json {
        let json = serde_json::json!({ "tasks": names, "of": plan.graph.len(), "exact": exact });
        println!("{}", serde_json::to_string_pretty(&json)?);
    } else {
        print(&names, plan.graph.len(), exact);
    }
    Ok(ExitCode::SUCCESS)
}

/// The recipes there would be with the variable set.
///
/// The file that sets it has to be there as long as the session's hosts may start.
fn changed(arguments: &Arguments, name: &str, value: &str) -> Result<(Session, NamedTempFile)> {
    if name.is_empty() || name.contains(char::is_whitespace) {
        bail!("`{name}` is no name of a variable");
    }
    let mut file = tempfile::Builder::new().prefix("what-if").suffix(".conf").tempfile()?;
    writeln!(file, "{name} = \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))?;
    let mut choice = arguments.config.choice();
    choice.postread.push(file.path().to_str().context("the temporary folder's name is UTF-8")?.to_owned());
    let build_dir = BuildDir::find(&choice, false)?;
    let evaluation = Evaluation::run_anew(&build_dir, &Terminal::default())?;
    if let Some(error) = evaluation.errors().first() {
        bail!("with {name} = \"{value}\":\n{error}");
    }
    Ok((Session::with(build_dir, Recipes::new(evaluation)), file))
}

/// Tasks whose hashes differ, and tasks only the other plan has.
fn compare(
    plan: &Plan,
    signatures: &Signatures,
    other: &Plan,
    others: &Signatures,
) -> (Vec<TaskIx>, Vec<String>) {
    let hashes: BTreeMap<String, &str> = other
        .graph
        .tasks()
        .map(|task| (other.graph.task_id(task).to_string(), others.get(task).task_hash.as_str()))
        .collect();
    let known: BTreeSet<String> =
        plan.graph.tasks().map(|task| plan.graph.task_id(task).to_string()).collect();
    let differs = |task: &TaskIx| {
        let now = hashes.get(&plan.graph.task_id(*task).to_string());
        now.is_some_and(|&hash| hash != signatures.get(*task).task_hash.as_str())
    };
    let added = hashes.keys().filter(|name| !known.contains(*name)).cloned().collect();
    (plan.graph.tasks().filter(differs).collect(), added)
}

/// Tasks that read the file, tasks of recipes that are made from it, and what stands on them.
fn of_file(session: &Session, plan: &Plan, signatures: &Signatures, file: &Path) -> Result<Vec<TaskIx>> {
    let file = file.to_str().context("the file's name is UTF-8")?;
    let mut direct = tasks_reading(&session.recipes.index, &plan.graph, file);
    for (number, id) in (0u32..).zip(plan.graph.recipes()) {
        if session.recipes.files_read(id).iter().any(|read| read == file) {
            direct.extend(plan.graph.tasks_of(number));
        }
    }
    Ok(rebuilds(&plan.graph, signatures, &direct).tasks.into_iter().map(|(task, _)| task).collect())
}

fn print(names: &[String], of: usize, exact: bool) {
    let most = if exact { "" } else { "at most " };
    println!("{most}{} of {of} tasks would run again:", names.len());
    for name in names {
        println!("  {name}");
    }
    if !exact {
        println!("(every task of a recipe made from the file is counted, whatever of it the file sets)");
    }
}
