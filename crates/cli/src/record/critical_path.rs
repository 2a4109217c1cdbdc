//! Which tasks took the longest one after the other.

use bitzel_taskgraph::{TaskGraph, TaskIx};
use rustc_hash::FxHashMap;

/// The dearest way through a graph, first to last; tasks that are not in `cost` cost nothing
/// and are left out.
pub fn critical_path(graph: &TaskGraph, cost: &FxHashMap<TaskIx, u64>) -> Vec<TaskIx> {
    let mut best: Vec<(u64, Option<TaskIx>)> = vec![(0, None); graph.len()];
    for task in graph.topological_order().into_iter().flatten() {
        let sums = graph.deps(task).map(|dep| (best[dep.0 as usize].0, dep));
        let dearest = sums.max_by_key(|&(sum, dep)| (sum, std::cmp::Reverse(dep)));
        let (sum, dep) = dearest.map_or((0, None), |(sum, dep)| (sum, Some(dep)));
        best[task.0 as usize] = (sum + cost.get(&task).copied().unwrap_or(0), dep);
    }
    let sum = |task: TaskIx| best[task.0 as usize].0;
    let mut next = graph.tasks().max_by_key(|&task| (sum(task), std::cmp::Reverse(task)));
    let mut path = Vec::new();
    while let Some(task) = next {
        if cost.contains_key(&task) {
            path.push(task);
        }
        next = best[task.0 as usize].1;
    }
    path.reverse();
    path
}
