//! `bitbake TARGET`: running the tasks of targets.

use super::bitbake::TaskArguments;
use super::explain::explain;
use crate::console::{BuildView, ViewOptions};
use crate::record::{self, BuildRecord, Recorder};
use crate::session::Session;
use anyhow::{Context, Result};
use bitzel_engine::{Build, BuildOptions, Interrupt, Outcome, QueueOptions};
use bitzel_taskgraph::{NoEquivalence, TaskGraph, task_name};
use bitzel_workspace::{Equivalence, Plan};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs the tasks of targets.
pub fn run(session: &Session, targets: &[String], arguments: &TaskArguments) -> Result<ExitCode> {
    let variable = |name: &str| session.recipes.variable(name).unwrap_or("").trim().to_owned();
    let include_logs =
        (!variable("BBINCLUDELOGS").is_empty()).then(|| variable("BBINCLUDELOGS_LINES").parse().ok());
    let mut view = BuildView::new(ViewOptions {
        quiet: arguments.quiet,
        verbose: arguments.verbose,
        debug: (arguments.debug > 0).then(|| lowest_level(arguments).into()),
        domains: arguments.domains.clone(),
        include_logs,
        downloads: arguments.downloads,
    });
    if arguments.buildfile.is_some() {
        view.message(
            30,
            "Buildfile specified, dependencies will not be handled. If this is not what you want, do not use -b / --buildfile.",
        );
    }
    view.message(20, "Resolving any missing task queue dependencies");
    let options = arguments.plan_options(targets);
    let plan = session.plan(&options)?;
    for (task, stamp) in forced(session, &plan, arguments) {
        let taint = uuid::Uuid::new_v4().to_string();
        write_taint(&stamp, &taint)?;
        if arguments.verbose {
            view.message(20, &format!("Invalidate task {task}"));
        }
    }
    let mut equivalence = Equivalence::connect(&session.recipes);
    let signatures = session.sign_with(&plan, &mut equivalence)?;
    warn_of_taints(session, &plan.graph, &signatures, &mut view);
    let now = jiff::Timestamp::now();
    let text = |format: &str| now.strftime(format).to_string();
    let name = text("%Y%m%d%H%M%S");
    let mut variables = BTreeMap::from([
        ("BUILDNAME".to_owned(), name.clone()),
        ("DATE".to_owned(), text("%Y%m%d")),
        ("TIME".to_owned(), text("%H%M%S")),
    ]);
    variables.extend(sandbox_variables(session));
    if arguments.require_sandbox {
        variables.insert("BITZEL_SANDBOX_REQUIRE".to_owned(), "1".to_owned());
    }
    if let Some(equivalence) = &equivalence {
        variables.insert("BB_HASHSERVE".to_owned(), equivalence.address());
    }
    let options = BuildOptions {
        queue: QueueOptions {
            keep_going: arguments.keep_going,
            no_setscene: arguments.no_setscene,
            skip_setscene: arguments.skip_setscene,
            setscene_only: arguments.setscene_only,
            equivalence: equivalence.is_some(),
            ..QueueOptions::default()
        },
        dry_run: arguments.dry_run,
        variables,
        log_level: lowest_level(arguments),
        targets: plan.resolution.targets.iter().map(|t| format!("{}:{}", t.name, t.task)).collect(),
        durations: cache_folder(session),
    };
    let build = Build::new(&session.build_dir, &session.recipes, &plan, &signatures, options);
    listen(build.interrupt())?;
    let mut recorder = Recorder::new(&mut view);
    let outcome = match &mut equivalence {
        Some(equivalence) => build.run(&mut recorder, &mut equivalence.of(&session.recipes, &plan)),
        None => build.run(&mut recorder, &mut NoEquivalence),
    };
    let record =
        recorder.finish(&name, targets, &plan.graph, outcome.as_ref().unwrap_or(&Outcome::default()));
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            view.end();
            return Err(error.into());
        }
    };
    explain(session, &plan.graph, view.failures());
    if !arguments.dry_run {
        keep(session, &record, arguments, &mut view);
    }
    let tally = view.finish(&outcome);
    let failed = !outcome.failures.is_empty() || outcome.interrupted || tally.errors > 0;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What the caller's environment says about the sandbox: it counts without being passed on to
/// metadata.
pub fn sandbox_variables(session: &Session) -> BTreeMap<String, String> {
    let given = &session.build_dir.configure.env;
    let named = ["BITZEL_SANDBOX", "BITZEL_SANDBOX_REQUIRE"].into_iter();
    named.filter_map(|name| Some((name.to_owned(), given.get(name)?.clone()))).collect()
}

/// The lowest level of messages to ask for, as Python's `logging` numbers them. BitBake:
/// each `-D` shows one level more.
fn lowest_level(arguments: &TaskArguments) -> u32 {
    match arguments.debug {
        0 if arguments.domains.is_empty() => 20,
        0 | 1 => 10,
        more => 11u32.saturating_sub(more.into()),
    }
}

/// Keeps the record of a build in which something ran.
fn keep(session: &Session, record: &BuildRecord, arguments: &TaskArguments, view: &mut BuildView) {
    let Some(folder) = record::folder(&session.recipes).filter(|_| !record.tasks.is_empty()) else { return };
    match record.write(&folder) {
        Ok(trace) if arguments.profile => view.summarise(record, &trace),
        Ok(_) => {}
        Err(error) => {
            let text = format!("what ran cannot be recorded in `{}`: {error}", folder.display());
            view.message(30, &text);
        }
    }
}

/// The tasks to run whatever their stamps say, with the starts of their stamps' paths.
fn forced(session: &Session, plan: &Plan, arguments: &TaskArguments) -> Vec<(String, String)> {
    let graph = &plan.graph;
    let mut found = Vec::new();
    let stamp = |task| {
        let ix = session.recipes.index.find(graph.recipe(task))?;
        let info = &session.recipes.index.recipe(ix).info;
        Some(format!("{}.{}", info.stamp, graph.task_name(task)))
    };
    if arguments.force {
        for &task in &graph.targets {
            found.extend(stamp(task).map(|stamp| (graph.task_id(task).to_string(), stamp)));
        }
    }
    let names = arguments.clear_stamp.as_deref().unwrap_or("");
    for name in names.split(',').filter(|name| !name.is_empty()) {
        for &target in &graph.targets {
            if let Some(task) = graph.find(graph.recipe(target), &task_name(name)) {
                found.extend(stamp(task).map(|stamp| (graph.task_id(task).to_string(), stamp)));
            }
        }
    }
    found
}

/// A taint makes a task's hash, and so its stamp, another one.
fn write_taint(stamp: &str, taint: &str) -> Result<()> {
    let path = PathBuf::from(format!("{stamp}.taint"));
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, taint))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn warn_of_taints(
    session: &Session,
    graph: &TaskGraph,
    signatures: &bitzel_taskgraph::Signatures,
    view: &mut BuildView,
) {
    // BitBake: stamps of these carry no hashes, and so taints mean nothing there.
    if !session.recipes.hashed_stamps() {
        return;
    }
    for task in graph.tasks() {
        if let Some(bitzel_taskgraph::Taint::Forced(_)) = signatures.get(task).taint {
            view.message(30, &format!("{} is tainted from a forced run", graph.task_id(task)));
        }
    }
}

/// Where what is learned is kept.
fn cache_folder(session: &Session) -> Option<PathBuf> {
    let folder = session.recipes.variable("CACHE").or_else(|| session.recipes.variable("BB_CACHEDIR"))?;
    std::fs::create_dir_all(folder).ok()?;
    Some(PathBuf::from(folder))
}

/// Signals that ask to stop are passed on to the build.
fn listen(interrupt: Interrupt) -> Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .context("cannot listen for signals")?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                interrupt.ask();
                if signal != SIGINT {
                    interrupt.ask();
                }
            }
        })
        .context("cannot start a thread")?;
    Ok(())
}
