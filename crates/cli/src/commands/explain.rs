//! What to say of a failed task: the first error of its log, the line of the recipe, and how
//! to run it again.

use crate::console::{FailedTask, first_error, recipe_line};
use crate::session::Session;
use bitzel_taskgraph::TaskGraph;

/// Adds what is known to each failed task. What cannot be found out is left out: the build's
/// own error stands above.
pub fn explain(session: &Session, graph: &TaskGraph, failures: &mut [FailedTask]) {
    for failure in failures {
        let bytes = failure.log.as_ref().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        let log = String::from_utf8_lossy(&bytes);
        if let Some(error) = first_error(&log) {
            failure.details.push(format!("first error: {}", shortened(error)));
        }
        let Some(task) = graph.tasks().find(|&task| graph.task_id(task).to_string() == failure.id) else {
            continue;
        };
        let (recipe, name) = (graph.recipe(task), graph.task_name(task));
        let defined = || {
            let mut arguments = vec![name.to_owned()];
            arguments.extend(session.recipe_arguments(recipe).ok()?);
            session.call("place", arguments).ok().filter(|place| !place.is_empty())
        };
        if let Some(place) = recipe_line(&log).or_else(defined) {
            failure.details.push(format!("in: {place}"));
        }
        if let Some(ix) = session.recipes.index.find(recipe) {
            let pn = session.recipes.index.recipe(ix).mc_pn();
            failure.details.push(format!("run it again: bitzel build {pn}:{name}"));
        }
    }
}

fn shortened(line: &str) -> String {
    const MOST: usize = 300;
    let short: String = line.chars().take(MOST).collect();
    if short.len() < line.len() { short + " ..." } else { short }
}
