//! Small recipes written in one line each.

// Every test file uses a part of this one.
#![allow(dead_code)]

use bitzel_base::{RecipeId, RecipeInfo};
use bitzel_taskgraph::{
    ConfigVars, GraphOptions, MapConfig, ProviderIndex, Recipe, Resolution, ResolveOptions, TaskGraph,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A recipe with the tasks `do_a`, `do_b` after it, `do_build` after that, and
/// `do_c` by itself. Further words set fields: `DEPENDS=x,y`, `RDEPENDS=x`,
/// `RPROVIDES=x`, `PROVIDES=x`, `PV=1`, `pref=-1`, `prio=6`, `mc=x`, `skip=why`,
/// `PACKAGES_DYNAMIC=re`, `do_a[flag]=text` (commas stand for blanks).
pub fn recipe(text: &str) -> Recipe {
    let mut words = text.split_whitespace();
    let pn = words.next().unwrap().to_owned();
    let mut info = RecipeInfo {
        pn: pn.clone(),
        pv: "1.0".into(),
        pr: "r0".into(),
        provides: vec![pn.clone()],
        packages: vec![pn.clone()],
        ..RecipeInfo::default()
    };
    info.task_deps.tasks = ["do_a", "do_b", "do_build", "do_c"].map(str::to_owned).into();
    info.task_deps.parents =
        [("do_b", "do_a"), ("do_build", "do_b")].map(|(t, p)| (t.to_owned(), vec![p.to_owned()])).into();
    let (mut priority, mut mc) = (5, String::new());
    for word in words {
        let (name, value) = word.split_once('=').unwrap();
        let list = || value.split(',').map(str::to_owned).collect::<Vec<_>>();
        match name {
            "DEPENDS" => info.depends = list(),
            "RDEPENDS" => drop(info.rdepends_pkg.insert(pn.clone(), list())),
            "RRECOMMENDS" => drop(info.rrecommends_pkg.insert(pn.clone(), list())),
            "RPROVIDES" => drop(info.rprovides_pkg.insert(pn.clone(), list())),
            "PACKAGES_DYNAMIC" => info.packages_dynamic = list(),
            "PROVIDES" => info.provides.extend(list()),
            "PV" => info.pv = value.into(),
            "PE" => info.pe = value.into(),
            "pref" => info.defaultpref = value.parse().unwrap(),
            "prio" => priority = value.parse().unwrap(),
            "mc" => mc = value.into(),
            "world" => info.not_world = value.into(),
            "skip" => {
                info.skipped = true;
                info.skipreason = value.into();
            }
            flag => {
                let (task, flag) = flag.trim_end_matches(']').split_once('[').unwrap();
                let texts = info.task_deps.flags.entry(flag.to_owned()).or_default();
                texts.insert(task.to_owned(), value.replace(',', " "));
            }
        }
    }
    let file = format!("/r/{pn}_{}.bb", info.pv);
    Recipe { id: RecipeId { mc, variant: String::new(), file }, info: Arc::new(info), priority }
}

/// An index over recipes, one a line, with configuration variables `NAME=value`.
pub fn index(recipes: &str, config: &[(&str, &str)]) -> ProviderIndex {
    let config: Arc<dyn ConfigVars + Send + Sync> = Arc::new(config.iter().copied().collect::<MapConfig>());
    let recipes: Vec<Recipe> = recipes.lines().filter(|l| !l.trim().is_empty()).map(recipe).collect();
    let mut configs = BTreeMap::from([(String::new(), config.clone())]);
    configs.extend(recipes.iter().map(|r| (r.id.mc.clone(), config.clone())));
    ProviderIndex::new(recipes, configs)
}

/// What targets, separated by blanks, need.
pub fn resolve(index: &ProviderIndex, targets: &str) -> Resolution {
    let words: Vec<&str> = targets.split_whitespace().collect();
    index.resolve(index.targets(&words, "do_build").unwrap(), &ResolveOptions::default())
}

/// The graph of targets.
pub fn graph(index: &ProviderIndex, targets: &str) -> TaskGraph {
    index.task_graph(&resolve(index, targets), &GraphOptions::default()).unwrap_or_else(|e| panic!("{e:?}"))
}

/// Edges between different recipes as `x.do_a>y.do_b`, sorted; own ones too with `all`.
pub fn edges(index: &ProviderIndex, graph: &TaskGraph, all: bool) -> String {
    let name = |t| {
        let id = graph.recipe(t);
        let pn = &index.recipe(index.find(id).unwrap()).info.pn;
        let mc = if id.mc.is_empty() { String::new() } else { format!("{}:", id.mc) };
        format!("{mc}{pn}.{}", &graph.task_name(t)[3..])
    };
    let pairs = graph.tasks().flat_map(|t| graph.deps(t).map(move |d| (t, d)));
    let mut out: Vec<String> = pairs
        .filter(|&(t, d)| all || graph.recipe(t) != graph.recipe(d))
        .map(|(t, d)| format!("{}>{}", name(t), name(d)))
        .collect();
    out.sort();
    out.join(" ")
}
