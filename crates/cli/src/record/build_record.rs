//! The record of a build and its file.

use crate::record::trace;
use anyhow::{Context, Result, bail};
use bitzel_workspace::Recipes;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// How many builds are kept.
const KEPT: usize = 20;
/// End of the names of records; traces stand beside them.
const END: &str = ".json";
const TRACE_END: &str = ".trace.json";

/// A build that is over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildRecord {
    /// BUILDNAME.
    pub name: String,
    /// What was to be built.
    pub targets: Vec<String>,
    /// Wall clock of all tasks together, in milliseconds.
    pub elapsed_ms: u64,
    /// Tasks that did not have to run.
    pub skipped: usize,
    /// Those that ran, in the order they started.
    pub tasks: Vec<TaskRecord>,
    /// Indices of `tasks`: those that took the longest one after the other.
    pub critical_path: Vec<usize>,
}

/// A task that ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// `FILE:do_x`, with `_setscene` if it restored something.
    pub id: String,
    /// PN.
    pub recipe: String,
    /// `do_x`, as above.
    pub task: String,
    /// Milliseconds after the first task.
    pub start_ms: u64,
    /// Wall clock, in milliseconds.
    pub elapsed_ms: u64,
    /// Processor time, in milliseconds; 0 where nobody told.
    pub cpu_ms: u64,
    /// The largest memory of one of its processes, in KiB.
    pub max_rss_kib: u64,
    /// What became of it.
    pub fate: TaskFate,
    /// The lane of a chart it is drawn in: no two tasks of a lane overlap.
    pub lane: usize,
    /// Its log.
    pub log: Option<String>,
}

/// What became of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskFate {
    /// It went well.
    Succeeded,
    /// It did not.
    Failed,
    /// The build ended before it.
    Unfinished,
}

/// Where builds of a configuration are kept.
pub fn folder(recipes: &Recipes) -> Option<PathBuf> {
    let named = recipes.variable("LOG_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
    let logs = named.or_else(|| Some(Path::new(recipes.variable("TMPDIR")?).join("log")))?;
    logs.is_absolute().then(|| logs.join("bitzel"))
}

impl BuildRecord {
    /// Writes the record and its trace, and forgets the oldest builds. Gives the trace's path.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, folder: &Path) -> std::io::Result<PathBuf> {
        fs::create_dir_all(folder)?;
        let trace = folder.join(format!("{}{TRACE_END}", self.name));
        fs::write(&trace, trace::chrome(self).to_string())?;
        fs::write(folder.join(format!("{}{END}", self.name)), serde_json::to_vec(self)?)?;
        let names = names(folder)?;
        for old in names.iter().rev().skip(KEPT) {
            for end in [TRACE_END, END] {
                // Somebody else may have removed it.
                drop(fs::remove_file(folder.join(format!("{old}{end}"))));
            }
        }
        Ok(trace)
    }

    /// Reads a build's record: the last one, or the one of a name.
    ///
    /// # Errors
    /// Where there is none, or none that can be read.
    pub fn read(folder: &Path, name: Option<&str>) -> Result<BuildRecord> {
        let names = names(folder).unwrap_or_default();
        let Some(found) = (match name {
            Some(name) => names.iter().find(|known| *known == name),
            None => names.last(),
        }) else {
            match name {
                Some(name) => {
                    bail!("no build `{name}` in `{}`; kept are: {}", folder.display(), names.join(" "))
                }
                None => bail!("no build is recorded in `{}`; build something first", folder.display()),
            }
        };
        let path = folder.join(format!("{found}{END}"));
        let text = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("`{}` is damaged; remove it", path.display()))
    }

    /// The tasks that took the longest one after the other, first to last.
    pub fn critical_tasks(&self) -> impl Iterator<Item = &TaskRecord> {
        self.critical_path.iter().filter_map(|&n| self.tasks.get(n))
    }

    /// How long these took together, in milliseconds.
    pub fn critical_ms(&self) -> u64 {
        self.critical_tasks().map(|task| task.elapsed_ms).sum()
    }
}

/// Names of the builds kept, the oldest first.
fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(folder)?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.ends_with(TRACE_END))
        .filter_map(|name| name.strip_suffix(END).map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_builds_are_kept_and_found_by_name() {
        let dir = tempfile::tempdir().unwrap();
        for n in 10..35 {
            let record = BuildRecord { name: format!("b{n}"), ..BuildRecord::default() };
            record.write(dir.path()).unwrap();
        }
        assert_eq!(BuildRecord::read(dir.path(), None).unwrap().name, "b34");
        assert_eq!(BuildRecord::read(dir.path(), Some("b15")).unwrap().name, "b15");
        assert!(
            BuildRecord::read(dir.path(), Some("b14")).unwrap_err().to_string().contains("no build `b14`")
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2 * KEPT);
    }
}
