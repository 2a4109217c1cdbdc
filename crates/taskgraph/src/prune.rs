//! From all tasks of all recipes to those that are to run.

use crate::edges::{Declared, GraphOptions};
use crate::error::GraphError;
use crate::graph::{TaskGraph, TaskIx};
use crate::index::ProviderIndex;
use crate::resolve::Resolution;
use crate::similar::close_matches;
use crate::target::task_name;
use rustc_hash::FxHashSet;

impl ProviderIndex {
    /// The task numbers of the targets, and those of them that are not to run
    /// themselves (asked for as `task-`).
    pub(crate) fn target_tasks(
        &self,
        resolution: &Resolution,
        declared: &Declared,
    ) -> Result<(Vec<u32>, Vec<bool>), Vec<GraphError>> {
        let mut errors = Vec::new();
        let mut found = Vec::new();
        let mut leave_out = Vec::new();
        for target in &resolution.targets {
            let Some(ix) = resolution.target_provider(target) else { continue };
            let (task, without) = match target.task.strip_suffix('-') {
                Some(task) => (task, true),
                None => (target.task.as_str(), false),
            };
            match declared.numbers.get(&ix).and_then(|tasks| tasks.get(task)) {
                Some(&number) => {
                    found.push(number);
                    leave_out.push(without);
                }
                None => {
                    let recipe = self.recipe(ix);
                    errors.push(GraphError::NoSuchTask {
                        target: target.name.clone(),
                        task: task.to_owned(),
                        recipe: recipe.id.to_string(),
                        close_matches: close_matches(
                            task,
                            recipe.info.task_deps.tasks.iter().map(String::as_str),
                        ),
                    });
                }
            }
        }
        if errors.is_empty() { Ok((found, leave_out)) } else { Err(errors) }
    }
}

/// The tasks of `graph` its targets need. `leave_out` says for each target
/// whether it is wanted only for what it depends on.
pub(crate) fn prune(
    graph: &TaskGraph,
    leave_out: &[bool],
    options: &GraphOptions,
) -> Result<TaskGraph, GraphError> {
    let mut roots: Vec<TaskIx> = Vec::new();
    let mut left_out: FxHashSet<TaskIx> = FxHashSet::default();
    for (n, &target) in graph.targets.iter().enumerate() {
        if leave_out.get(n).copied().unwrap_or(false) {
            left_out.insert(target);
            roots.extend(graph.deps(target));
        } else {
            roots.push(target);
        }
    }
    left_out.retain(|t| !roots.contains(t));
    let mut wanted = reachable(graph, &roots);
    if !options.run_all.is_empty() {
        let names = normal(&options.run_all);
        let mut recipes: Vec<u32> =
            graph.tasks().filter(|t| wanted[t.0 as usize]).map(|t| graph.recipe_number(t)).collect();
        recipes.dedup();
        roots = recipes
            .into_iter()
            .flat_map(|recipe| graph.tasks_of(recipe))
            .filter(|&t| names.iter().any(|name| name == graph.task_name(t)))
            .collect();
        if roots.is_empty() {
            return Err(GraphError::NoTasksLeft { option: "runall", tasks: names });
        }
        wanted = reachable(graph, &roots);
    }
    if !options.run_only.is_empty() {
        let names = normal(&options.run_only);
        roots = graph
            .tasks()
            .filter(|t| wanted[t.0 as usize] && names.iter().any(|name| name == graph.task_name(*t)))
            .collect();
        if roots.is_empty() {
            return Err(GraphError::NoTasksLeft { option: "runonly", tasks: names });
        }
        wanted = reachable(graph, &roots);
    }
    Ok(graph.subgraph(|t| wanted[t.0 as usize]))
}

fn normal(names: &[String]) -> Vec<String> {
    names.iter().map(|name| task_name(name)).collect()
}

/// For each task whether it is one of `roots` or needed by one.
fn reachable(graph: &TaskGraph, roots: &[TaskIx]) -> Vec<bool> {
    let mut seen = vec![false; graph.len()];
    let mut todo: Vec<TaskIx> = roots.to_vec();
    while let Some(task) = todo.pop() {
        if !std::mem::replace(&mut seen[task.0 as usize], true) {
            todo.extend(graph.deps(task));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::drawn;

    fn pruned(options: &GraphOptions, leave_out: bool) -> Result<Vec<String>, GraphError> {
        let mut graph = drawn("c>b b>a x>a");
        let recipe = "/r.bb".parse().unwrap();
        graph.targets = vec![graph.find(&recipe, "do_c").unwrap()];
        let part = prune(&graph, &[leave_out], options)?;
        Ok(part.tasks().map(|t| part.task_name(t).to_owned()).collect())
    }

    #[test]
    fn only_what_targets_need_stays() {
        assert_eq!(pruned(&GraphOptions::default(), false).unwrap(), ["do_a", "do_b", "do_c"]);
        assert_eq!(pruned(&GraphOptions::default(), true).unwrap(), ["do_a", "do_b"]);
    }

    #[test]
    fn runall_takes_tasks_outside_runonly_takes_from_inside() {
        let all = GraphOptions { run_all: vec!["x".into()], run_only: vec![] };
        assert_eq!(pruned(&all, false).unwrap(), ["do_a", "do_x"]);
        let only = GraphOptions { run_all: vec![], run_only: vec!["do_b".into()] };
        assert_eq!(pruned(&only, false).unwrap(), ["do_a", "do_b"]);
        let outside = GraphOptions { run_all: vec![], run_only: vec!["x".into()] };
        assert!(matches!(pruned(&outside, false), Err(GraphError::NoTasksLeft { option: "runonly", .. })));
    }
}
