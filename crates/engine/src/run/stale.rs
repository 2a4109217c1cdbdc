//! Stamps of tasks that can be restored, left by other hashes: metadata removes what such
//! tasks put into shared places before new ones are put there.

use crate::queue::TaskTable;
use bitzel_taskgraph::TaskIx;
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// By multiconfig, task names to stamps.
pub(crate) fn stale_stamps(table: &TaskTable<'_>) -> BTreeMap<String, Map<String, Value>> {
    let mut folders: FxHashMap<&Path, Vec<String>> = FxHashMap::default();
    let mut found: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for task in table.graph().tasks().filter(|&task| table.has_scene(task) && !table.is_noexec(task)) {
        let base = Path::new(&table.info(task).stamp);
        let (Some(folder), Some(name)) = (base.parent(), base.file_name().and_then(|n| n.to_str())) else {
            continue;
        };
        let names = folders.entry(folder).or_insert_with(|| names_in(folder));
        let stale: Vec<Value> = stale_of(table, task, name, names)
            .map(|stamp| Value::String(folder.join(stamp).to_string_lossy().into_owned()))
            .collect();
        if !stale.is_empty() {
            let mc = table.recipe(task).id.mc.clone();
            found.entry(mc).or_default().insert(table.tid(task), Value::Array(stale));
        }
    }
    found
}

/// Sorted names; none of a folder that is not there.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn stale_of<'n>(
    table: &TaskTable<'_>,
    task: TaskIx,
    base: &str,
    names: &'n [String],
) -> impl Iterator<Item = &'n String> + use<'n> {
    let own = [false, true].map(|setscene| {
        let stamp = table.stamp(task, setscene);
        Path::new(&stamp).file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned()
    });
    let starts = ["", "_setscene"].map(|end| format!("{base}.{}{end}.", table.name(task)));
    starts.into_iter().flat_map(move |start| {
        let first = names.partition_point(|name| *name < start);
        let own = own.clone();
        names[first..]
            .iter()
            .take_while({
                let start = start.clone();
                move |name| name.starts_with(&start)
            })
            .filter(move |name| {
                let rest = &name[start.len()..];
                let kept = rest.starts_with("sigdata") || rest.starts_with("sigbasedata") || rest == "taint";
                !kept && !own.contains(name)
            })
    })
}
