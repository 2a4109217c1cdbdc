//! Which of several ready tasks starts first.

use crate::queue::table::TaskTable;
use bitzel_taskgraph::TaskIx;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

/// BB_SCHEDULER.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheduler {
    /// In the order of the graph.
    Basic,
    /// What most waits for first.
    #[default]
    Speed,
    /// Like `speed`, but a recipe that was begun is finished first, so that `rm_work` can
    /// remove its work folder early.
    Completion,
}

impl Scheduler {
    /// By its name in BB_SCHEDULER.
    pub fn named(name: &str) -> Option<Scheduler> {
        match name {
            "basic" => Some(Scheduler::Basic),
            "speed" => Some(Scheduler::Speed),
            "completion" => Some(Scheduler::Completion),
            _ => None,
        }
    }
}

/// How long tasks took in earlier builds, by `PN:TASK`.
pub type Durations = FxHashMap<String, Duration>;

/// The importance of each task; more is earlier.
pub(crate) fn weights(table: &TaskTable<'_>, scheduler: Scheduler, durations: &Durations) -> Vec<f64> {
    let graph = table.graph();
    let count = table.len();
    if scheduler == Scheduler::Basic {
        return (0..count).map(|n| (count - n) as f64).collect();
    }
    let order = graph.topological_order().unwrap_or_default();
    let weights = match cost_of_tasks(table, durations) {
        Some(costs) => critical_path(table, &order, &costs),
        None => dependents_sum(table, &order),
    };
    if scheduler == Scheduler::Speed { weights } else { by_recipe(table, &weights) }
}

/// Seconds of each task, known ones as learned, others as the mean of their name. `None`
/// where nothing was learned.
fn cost_of_tasks(table: &TaskTable<'_>, durations: &Durations) -> Option<Vec<f64>> {
    let graph = table.graph();
    let known: Vec<Option<f64>> = graph
        .tasks()
        .map(|task| {
            let key = format!("{}:{}", table.info(task).pn, table.name(task));
            durations.get(&key).map(Duration::as_secs_f64)
        })
        .collect();
    let mut sums: FxHashMap<&str, (f64, f64)> = FxHashMap::default();
    for (task, seconds) in graph.tasks().zip(&known) {
        if let Some(seconds) = seconds {
            let sum = sums.entry(table.name(task)).or_default();
            *sum = (sum.0 + seconds, sum.1 + 1.0);
        }
    }
    if sums.is_empty() {
        return None;
    }
    let mean = |task: TaskIx| sums.get(table.name(task)).map_or(1.0, |(sum, count)| sum / count);
    Some(graph.tasks().zip(known).map(|(task, seconds)| seconds.unwrap_or_else(|| mean(task))).collect())
}

/// Seconds from a task's start to the end of the longest chain of what waits for it.
fn critical_path(table: &TaskTable<'_>, order: &[TaskIx], costs: &[f64]) -> Vec<f64> {
    let mut weights = vec![0.0f64; table.len()];
    for &task in order.iter().rev() {
        let longest = table.dependents(task).map(|d| weights[d.0 as usize]).fold(0.0, f64::max);
        weights[task.0 as usize] = longest + costs[task.0 as usize];
    }
    weights
}

/// BitBake: a task nothing waits for weighs 10, every other 1 and all that waits for it.
fn dependents_sum(table: &TaskTable<'_>, order: &[TaskIx]) -> Vec<f64> {
    let mut weights = vec![0.0f64; table.len()];
    for &task in order.iter().rev() {
        let dependents = table.dependents(task);
        weights[task.0 as usize] = if dependents.len() == 0 {
            10.0
        } else {
            (1.0 + dependents.map(|d| weights[d.0 as usize]).sum::<f64>()).min(f64::MAX / 1e6)
        };
    }
    weights
}

/// All tasks of a recipe right after each other: the recipe by its heaviest task, its later
/// tasks before its earlier ones.
fn by_recipe(table: &TaskTable<'_>, weights: &[f64]) -> Vec<f64> {
    let graph = table.graph();
    let mut best = vec![0.0f64; graph.recipes().len()];
    for task in graph.tasks() {
        let recipe = graph.recipe_number(task) as usize;
        best[recipe] = best[recipe].max(weights[task.0 as usize]);
    }
    let mut order: Vec<TaskIx> = graph.tasks().collect();
    order.sort_by(|&a, &b| {
        let key = |task: TaskIx| best[graph.recipe_number(task) as usize];
        key(b)
            .total_cmp(&key(a))
            .then(graph.recipe_number(a).cmp(&graph.recipe_number(b)))
            .then(weights[a.0 as usize].total_cmp(&weights[b.0 as usize]))
    });
    let mut ranks = vec![0.0; table.len()];
    for (rank, task) in order.iter().enumerate() {
        ranks[task.0 as usize] = (table.len() - rank) as f64;
    }
    ranks
}

/// A heap of tasks, heaviest first, ties in the graph's order.
#[derive(Debug, Default)]
pub(crate) struct ReadyHeap(BinaryHeap<Entry>);

#[derive(Debug, PartialEq)]
struct Entry {
    weight: f64,
    task: TaskIx,
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        self.weight.total_cmp(&other.weight).then(other.task.cmp(&self.task))
    }
}

impl ReadyHeap {
    pub(crate) fn push(&mut self, task: TaskIx, weight: f64) {
        self.0.push(Entry { weight, task });
    }

    pub(crate) fn pop(&mut self) -> Option<TaskIx> {
        self.0.pop().map(|entry| entry.task)
    }
}
