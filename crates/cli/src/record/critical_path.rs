//! Which tasks took the longest one after the other.

use bitzel_taskgraph::{TaskGraph, TaskIx};
use rustc_hash::FxHashMap;

/// The dearest way through a graph, first to last; tasks that are not in `cost` cost nothing
/// and are left out.
pub fn critical_path(graph: &TaskGraph, cost: &FxHashMap<TaskIx, u64>) -> Vec<TaskIx> {
    let mut best: Vec<Option<(u64, Option<TaskIx>)>> = vec![None; graph.len()];
    let own = |task: TaskIx| cost.get(&task).copied().unwrap_or(0);
    for start in graph.tasks() {
        let mut open = vec![start];
        while let Some(&task) = open.last() {
            if best[task.0 as usize].is_some() {
                open.pop();
                continue;
            }
            let before = open.len();
            open.extend(graph.deps(task).filter(|dep| best[dep.0 as usize].is_none()));
            if open.len() > before {
                continue;
            }
            open.pop();
            let dearest = graph
                .deps(task)
                .filter_map(|dep| Some((best[dep.0 as usize]?.0, dep)))
                .max_by_key(|&(sum, dep)| (sum, std::cmp::Reverse(dep)));
            let (sum, dep) = dearest.map_or((0, None), |(sum, dep)| (sum, Some(dep)));
            best[task.0 as usize] = Some((sum + own(task), dep));
        }
    }
    let sum = |task: TaskIx| best[task.0 as usize].map_or(0, |(sum, _)| sum);
    let mut next = graph.tasks().max_by_key(|&task| (sum(task), std::cmp::Reverse(task)));
    let mut path = Vec::new();
    while let Some(task) = next {
        if cost.contains_key(&task) {
            path.push(task);
        }
        next = best[task.0 as usize].and_then(|(_, dep)| dep);
    }
    path.reverse();
    path
}
