//! The export's record of a task graph: which tasks make the targets, what they depend on,
//! and their hashes.

use crate::{Plan, Recipes};
use bitzel_base::RecipeId;
use bitzel_recipe::export::Normaliser;
use bitzel_taskgraph::{ProviderIndex, Signatures, Taint, TaskIx, checksum_entries, task_label};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// Stands for what differs from run to run.
const RANDOM: &str = "@RANDOM@";

/// Name to a sorted list of names, as often as they are given.
type Lists<'a> = BTreeMap<String, Vec<&'a str>>;

impl Recipes {
    /// The record of a plan for `targets`, less what only this machine has.
    pub fn graph_record(
        &self,
        targets: &[String],
        plan: &Plan,
        signatures: &Signatures,
        normaliser: &Normaliser,
    ) -> Json {
        let mut record = self.recipes_of_graph(plan);
        record.insert("target".to_owned(), json!(targets.join(" ")));
        record.insert("providermap".to_owned(), self.provider_map(plan));
        record.insert("tdepends".to_owned(), self.edges_by_name(plan));
        record.insert("tids".to_owned(), tasks(&self.index, plan, signatures));
        let graph = &plan.graph;
        let setscene: BTreeSet<String> = graph
            .tasks()
            .filter(|&task| {
                let recipe = self.index.find(graph.recipe(task)).map(|ix| self.index.recipe(ix));
                recipe.is_some_and(|recipe| recipe.has_setscene(graph.task_name(task)))
            })
            .map(|task| graph.task_id(task).to_string())
            .collect();
        record.insert("setscene".to_owned(), json!(setscene));
        normaliser.json(&Json::Object(record))
    }

    /// What follows from the recipes that tasks of the graph belong to.
    fn recipes_of_graph(&self, plan: &Plan) -> Map<String, Json> {
        let (mut pns, mut packages) = (Map::new(), Map::new());
        let (mut depends, mut rdepends_pn) = (Lists::new(), Lists::new());
        let (mut rdepends_pkg, mut rrecs_pkg) = (Lists::new(), Lists::new());
        let taking_part: BTreeSet<&RecipeId> = plan.graph.recipes().iter().collect();
        let met = plan.resolution.recipes_as_met().iter().map(|&ix| self.index.recipe(ix));
        for recipe in met.filter(|recipe| taking_part.contains(&recipe.id)) {
            let id = &recipe.id;
            let info = &recipe.info;
            let (pn, version, file) = (recipe.mc_pn(), info.version(), id.to_string());
            pns.insert(pn.clone(), json!({"filename": file, "version": version, "inherits": info.inherits}));
            let named = info.depends.iter().chain(plan.resolution.extra_depends(id));
            let names: BTreeSet<&str> = named.map(String::as_str).collect();
            depends.insert(pn.clone(), names.into_iter().collect());
            let of_packages = info.rdepends_pkg.values().chain(info.rrecommends_pkg.values());
            let run_time = [&info.rdepends, &info.rrecommends].into_iter().chain(of_packages);
            let names: BTreeSet<&str> = run_time.flatten().map(String::as_str).collect();
            rdepends_pn.insert(pn.clone(), names.into_iter().collect());
            for package in &info.packages {
                let fact = json!({"pn": pn, "filename": file, "version": version});
                // BitBake: a package that two recipes claim is the first one's, with the
                // last one's needs.
                packages.entry(package.clone()).or_insert(fact);
                let names = info.rdepends_pkg.get(package).map_or(&[][..], Vec::as_slice);
                rdepends_pkg.insert(package.clone(), sorted(&info.rdepends, names));
                let names = info.rrecommends_pkg.get(package).map_or(&[][..], Vec::as_slice);
                rrecs_pkg.insert(package.clone(), sorted(&info.rrecommends, names));
            }
        }
        let lists = [
            ("depends", json!(depends)),
            ("rdepends_pn", json!(rdepends_pn)),
            ("rdepends_pkg", json!(rdepends_pkg)),
            ("rrecs_pkg", json!(rrecs_pkg)),
            ("pn", Json::Object(pns)),
            ("packages", Json::Object(packages)),
        ];
        lists.into_iter().map(|(name, table)| (name.to_owned(), table)).collect()
    }

    /// Build-time names that are not the PN of the recipe that stands for them.
    fn provider_map(&self, plan: &Plan) -> Json {
        let mut map = Map::new();
        for mc in self.index.multiconfigs() {
            for (name, provider) in plan.resolution.build_names(mc) {
                let recipe = self.index.recipe(provider);
                if *recipe.info.pn != *name {
                    map.insert(name.to_owned(), json!([recipe.mc_pn(), recipe.info.version()]));
                }
            }
        }
        Json::Object(map)
    }

    fn edges_by_name(&self, plan: &Plan) -> Json {
        let graph = &plan.graph;
        let name = |task| task_label(graph, &self.index, task);
        let edges: BTreeMap<String, BTreeSet<String>> =
            graph.tasks().map(|task| (name(task), graph.deps(task).map(name).collect())).collect();
        json!(edges)
    }
}

/// The names of both lists, sorted.
fn sorted<'a>(one: &'a [String], other: &'a [String]) -> Vec<&'a str> {
    let mut names: Vec<&str> = one.iter().chain(other).map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Each task's hashes and what they stand on.
fn tasks(index: &ProviderIndex, plan: &Plan, signatures: &Signatures) -> Json {
    let graph = &plan.graph;
    let id = |task: TaskIx| graph.task_id(task).to_string();
    let random = random_hashes(plan, signatures);
    let all = graph.tasks().map(|task| {
        let signature = signatures.get(task);
        let hash = |hash: &str| json!(if random[task.0 as usize] { RANDOM } else { hash });
        let taint = signature.taint.as_ref().map(|taint| match taint {
            Taint::NoStamp(_) => format!("nostamp:{RANDOM}"),
            forced => forced.text(),
        });
        let depends: BTreeSet<String> = graph.deps(task).map(id).collect();
        let mut files: Vec<[&str; 2]> =
            signature.files.iter().map(|file| [file.path.as_str(), file.md5.as_str()]).collect();
        // BitBake: by checksum, equal ones as the recipe lists them.
        let listed = listed_files(index, plan, task);
        files.sort_by_key(|[path, md5]| (*md5, listed.iter().position(|(listed, _)| listed == path)));
        let record = json!({
            "basehash": signature.base.as_str(),
            "hash": hash(signature.task_hash.as_str()),
            "unihash": hash(signature.unihash.as_str()),
            "depends": depends,
            "sigdeps": signature.deps.iter().map(|&dep| id(dep)).collect::<Vec<_>>(),
            "filechk": files,
            "taint": taint,
        });
        (id(task), record)
    });
    Json::Object(all.collect())
}

/// The `[file-checksums]` of a task, in order; signing would have failed were they malformed.
fn listed_files<'a>(index: &'a ProviderIndex, plan: &Plan, task: TaskIx) -> Vec<(&'a str, bool)> {
    let info = index.find(plan.graph.recipe(task)).map(|ix| &index.recipe(ix).info);
    let listed = info.and_then(|info| info.file_checksums.get(plan.graph.task_name(task)));
    listed.and_then(|text| checksum_entries(text).ok()).unwrap_or_default()
}

/// Which hashes hold a random taint, their own or that of a task they take in.
fn random_hashes(plan: &Plan, signatures: &Signatures) -> Vec<bool> {
    let mut random = vec![false; plan.graph.len()];
    for task in plan.graph.topological_order().into_iter().flatten() {
        let signature = signatures.get(task);
        random[task.0 as usize] = matches!(signature.taint, Some(Taint::NoStamp(_)))
            || signature.deps.iter().any(|dep| random[dep.0 as usize]);
    }
    random
}
