//! What a change would make run again: first the tasks and recipes it touches
//! itself, then everything whose hash stands on theirs.

use crate::graph::{Rows, TaskGraph, TaskIx};
use crate::index::{ProviderIndex, Recipe, RecipeIx};
use crate::siginfo::TaskText;
use crate::sign::{Signatures, checksum_entries};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Why a recipe is affected by changed files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The file is read to evaluate the recipe.
    Read(String),
    /// The file is a source of the recipe.
    Source(String),
}

/// A recipe that changed files touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The recipe.
    pub recipe: RecipeIx,
    /// Sorted.
    pub reasons: Vec<Reason>,
}

/// The recipes that any of `changed` touches, sorted. `reads` tells which files
/// were read for a recipe, files that were looked for in vain included.
pub fn affected_recipes(
    index: &ProviderIndex,
    changed: &BTreeSet<String>,
    reads: &dyn Fn(&Recipe) -> Vec<String>,
) -> Vec<Affected> {
    let mut found = Vec::new();
    for (n, recipe) in (0u32..).zip(index.recipes()) {
        let mut reasons = BTreeSet::new();
        let files = reads(recipe);
        reasons.extend(files.into_iter().filter(|file| changed.contains(file)).map(Reason::Read));
        for text in recipe.info.file_checksums.values() {
            let touched = changed.iter().filter(|file| names_file(text, file));
            reasons.extend(touched.map(|file| Reason::Source(file.clone())));
        }
        if !reasons.is_empty() {
            found.push(Affected { recipe: RecipeIx(n), reasons: reasons.into_iter().collect() });
        }
    }
    found
}

/// Whether a `[file-checksums]` text names a file or a folder above it.
fn names_file(text: &str, file: &str) -> bool {
    checksum_entries(text).unwrap_or_default().into_iter().any(|(path, _)| {
        let path = path.replace("/./", "/");
        let rest = file.strip_prefix(path.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The tasks of a graph that read a file.
pub fn tasks_reading(index: &ProviderIndex, graph: &TaskGraph, file: &str) -> Vec<TaskIx> {
    let reads = |task: &TaskIx| {
        let recipe = index.find(graph.recipe(*task)).map(|ix| index.recipe(ix));
        recipe
            .and_then(|recipe| recipe.info.file_checksums.get(graph.task_name(*task)))
            .is_some_and(|text| names_file(text, file))
    };
    graph.tasks().filter(reads).collect()
}

/// The tasks of a graph whose text stands on a variable. `text` gives what
/// evaluation knows of a task.
pub fn tasks_using<'a>(
    graph: &TaskGraph,
    variable: &str,
    text: &dyn Fn(TaskIx) -> Option<&'a TaskText>,
) -> Vec<TaskIx> {
    let uses = |task: &TaskIx| text(*task).is_some_and(|text| text.taskdeps.contains(variable));
    graph.tasks().filter(uses).collect()
}

/// Tasks that would run again, and through which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebuild {
    /// Each task with the dependency that makes it run, `None` for those that
    /// changed themselves; nearest first.
    pub tasks: Vec<(TaskIx, Option<TaskIx>)>,
}

impl Rebuild {
    /// From a task that would run back to one that changed itself.
    pub fn chain(&self, task: TaskIx) -> Vec<TaskIx> {
        let via: BTreeMap<TaskIx, Option<TaskIx>> = self.tasks.iter().copied().collect();
        let mut chain = vec![task];
        while let Some(Some(next)) = via.get(&chain[chain.len() - 1]) {
            chain.push(*next);
        }
        chain
    }
}

/// What has to run if the hashes of `direct` change: those, and all tasks whose
/// hashes are made of theirs. Dependencies that do not count carry no change.
pub fn rebuilds(graph: &TaskGraph, signatures: &Signatures, direct: &[TaskIx]) -> Rebuild {
    let pairs =
        graph.tasks().flat_map(|task| signatures.get(task).deps.iter().map(move |dep| (dep.0, task.0)));
    let dependents = Rows::from_pairs(graph.len(), pairs);
    let mut seen = vec![false; graph.len()];
    let mut queue: VecDeque<(TaskIx, Option<TaskIx>)> = direct.iter().map(|&task| (task, None)).collect();
    let mut rebuild = Rebuild::default();
    while let Some((task, via)) = queue.pop_front() {
        if std::mem::replace(&mut seen[task.0 as usize], true) {
            continue;
        }
        rebuild.tasks.push((task, via));
        queue.extend(dependents.row(task.0).iter().map(|&next| (TaskIx(next), Some(task))));
    }
    rebuild
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_stand_for_the_files_below() {
        let text = "/l/files/a.patch:True /l/dir:True /l/sub/./d2/:True /l/none:False";
        for file in ["/l/files/a.patch", "/l/dir/x/y", "/l/sub/d2/k", "/l/none"] {
            assert!(names_file(text, file), "{file}");
        }
        for file in ["/l/files/a.patch2", "/l/directory", "/l/sub/d3"] {
            assert!(!names_file(text, file), "{file}");
        }
    }
}
