//! What the configuration says about running tasks.

use crate::limits::{DiskMonitor, Pressure};
use crate::queue::Scheduler;
use crate::{Error, Result};
use bitzel_taskgraph::{ProviderIndex, TaskGraph};
use bitzel_workspace::Recipes;
use globset::{Glob, GlobSet, GlobSetBuilder};

/// The variables of BitBake that concern the run queue, read.
pub(crate) struct Settings {
    pub(crate) threads: usize,
    pub(crate) scheduler: Scheduler,
    pub(crate) pressure: Pressure,
    pub(crate) disks: DiskMonitor,
    pub(crate) enforce: Option<GlobSet>,
    /// Stamp names hold hashes.
    pub(crate) hashed_stamps: bool,
}

impl Settings {
    pub(crate) fn read(recipes: &Recipes, graph: &TaskGraph) -> Result<Settings> {
        let get = |name: &str| recipes.variable(name).map(str::to_owned);
        Ok(Settings {
            threads: threads(get("BB_NUMBER_THREADS"))?,
            scheduler: scheduler(get("BB_SCHEDULER"))?,
            pressure: Pressure::from_settings(&get)?,
            disks: DiskMonitor::from_settings(&get)?,
            enforce: enforce(&get, &recipes.index, graph)?,
            hashed_stamps: recipes.hashed_stamps(),
        })
    }
}

fn threads(value: Option<String>) -> Result<usize> {
    let Some(value) = value.filter(|value| !value.trim().is_empty()) else {
        return Ok(std::thread::available_parallelism().map_or(1, usize::from));
    };
    match value.trim().parse() {
        Ok(threads) if threads > 0 => Ok(threads),
        _ => Err(Error::Setting {
            variable: "BB_NUMBER_THREADS",
            value,
            problem: "it must be a number greater than 0".to_owned(),
        }),
    }
}

/// DIFFERS: BB_SCHEDULERS names Python classes of BitBake's own run queue; there is none.
fn scheduler(value: Option<String>) -> Result<Scheduler> {
    let Some(value) = value.filter(|value| !value.trim().is_empty()) else {
        return Ok(Scheduler::default());
    };
    Scheduler::named(value.trim()).ok_or_else(|| Error::Setting {
        variable: "BB_SCHEDULER",
        value,
        problem: "known are basic, speed and completion".to_owned(),
    })
}

/// BB_SETSCENE_ENFORCE_IGNORE_TASKS: globs of `PN:TASK`; `%` stands for the targets.
fn enforce(
    get: &dyn Fn(&str) -> Option<String>,
    index: &ProviderIndex,
    graph: &TaskGraph,
) -> Result<Option<GlobSet>> {
    if get("BB_SETSCENE_ENFORCE").as_deref().map(str::trim) != Some("1") {
        return Ok(None);
    }
    const IGNORE: &str = "BB_SETSCENE_ENFORCE_IGNORE_TASKS";
    let bad = |word: &str, error: globset::Error| Error::Setting {
        variable: IGNORE,
        value: word.to_owned(),
        problem: error.to_string(),
    };
    let mut globs = GlobSetBuilder::new();
    for word in get(IGNORE).unwrap_or_default().split_whitespace() {
        match word.strip_prefix("%:") {
            Some(task) => {
                for &target in &graph.targets {
                    let Some(ix) = index.find(graph.recipe(target)) else { continue };
                    let name = format!("{}:{task}", globset::escape(&index.recipe(ix).info.pn));
                    globs.add(Glob::new(&name).map_err(|error| bad(word, error))?);
                }
            }
            None => {
                globs.add(Glob::new(word).map_err(|error| bad(word, error))?);
            }
        }
    }
    globs.build().map(Some).map_err(|error| bad("", error))
}
