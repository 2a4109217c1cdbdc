//! `synthetic [RECIPES]`: times the task graph of made-up recipes, 40 tasks each,
//! at twice the size too: the time per edge should stay the same.

use bitzel_base::{RecipeId, RecipeInfo};
use bitzel_taskgraph::{ConfigVars, GraphOptions, MapConfig, ProviderIndex, Recipe, ResolveOptions};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

const TASKS: usize = 40;
/// DEPENDS of each recipe; every fourth task waits for a task of all of them.
const DEPENDS: usize = 40;

fn main() {
    let recipes = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(5000);
    for count in [recipes / 2, recipes] {
        let config: Arc<dyn ConfigVars + Send + Sync> = Arc::new(MapConfig::default());
        let made: Vec<Recipe> = (0..count).map(|n| recipe(n, count)).collect();
        let start = Instant::now();
        let index = ProviderIndex::new(made, BTreeMap::from([(String::new(), config)]));
        let indexed = start.elapsed();
        let start = Instant::now();
        let names: Vec<String> = (0..count).map(|n| format!("r{n}")).collect();
        let targets = index.targets(&names, "do_39").expect("plain names");
        let resolution = index.resolve(targets, &ResolveOptions::default());
        let resolved = start.elapsed();
        let start = Instant::now();
        let graph = index.task_graph(&resolution, &GraphOptions::default()).expect("no cycles");
        let built = start.elapsed();
        println!(
            "{count} recipes: index {indexed:?}, resolve {resolved:?}, graph of {} tasks and {} edges {built:?}, {:.0} ns an edge",
            graph.len(),
            graph.edge_count(),
            built.as_nanos() as f64 / graph.edge_count() as f64
        );
    }
}

fn recipe(n: usize, count: usize) -> Recipe {
    let pn = format!("r{n}");
    // Only later recipes, so that there is no cycle.
    let depends: Vec<String> =
        (1..=DEPENDS).map(|k| n + k * k).filter(|&m| m < count).map(|m| format!("r{m}")).collect();
    let mut info = RecipeInfo {
        pn: pn.clone(),
        pv: "1".into(),
        provides: vec![pn.clone()],
        packages: vec![pn],
        depends,
        ..RecipeInfo::default()
    };
    let name = |t: usize| format!("do_{t}");
    info.task_deps.tasks = (0..TASKS).map(name).collect();
    info.task_deps.parents = (1..TASKS).map(|t| (name(t), vec![name(t - 1)])).collect();
    let each = (0..TASKS).step_by(4).map(|t| (name(t), name(t + 1))).collect();
    info.task_deps.flags.insert("deptask".into(), each);
    info.task_deps.flags.insert("recrdeptask".into(), BTreeMap::from([(name(TASKS - 1), "do_none".into())]));
    Recipe {
        id: RecipeId { mc: String::new(), variant: String::new(), file: format!("/r{n:05}.bb") },
        info: Arc::new(info),
        priority: 0,
    }
}
