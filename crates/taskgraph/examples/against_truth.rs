//! Compares this crate's answers with a recorded dump of BitBake's:
//! `against_truth DIR [COREBASE]` with DIR holding `recipes-*.jsonl.zst`, `sig-*.jsonl.zst`,
//! `providers.jsonl.zst`, `graph.json.zst`, `config.jsonl.zst` and, if recorded,
//! `task-depends.dot.zst` and `pn-buildlist`. Exit status 1 on any difference.

use bitzel_base::RecipeInfo;
use bitzel_taskgraph::{
    ConfigVars, FileChecksums, GraphOptions, LockedSignatures, MapConfig, NoEquivalence, OeFilter,
    ProviderIndex, Recipe, ResolveOptions, SignInputs, TaskGraph, TaskIx,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

type Res<T> = Result<T, Box<dyn Error>>;

fn main() -> Res<()> {
    let dir = PathBuf::from(std::env::args().nth(1).ok_or("usage: against_truth DIR [COREBASE]")?);
    let start = Instant::now();
    let corebase = std::env::args().nth(2);
    let truth = Truth::read(&dir, corebase.as_deref())?;
    println!("read {} recipes in {:?}", truth.recipes.len(), start.elapsed());
    let start = Instant::now();
    let index = ProviderIndex::new(truth.recipes.clone(), truth.configs.clone());
    println!("index in {:?}", start.elapsed());
    let mut wrong = 0;
    wrong += providers(&index, &truth);
    wrong += graph(&index, &truth, &dir)?;
    println!("{}", if wrong == 0 { "all equal" } else { "NOT equal" });
    std::process::exit(i32::from(wrong > 0));
}

struct Truth {
    recipes: Vec<Recipe>,
    configs: BTreeMap<String, Arc<dyn ConfigVars + Send + Sync>>,
    providers: BTreeMap<String, Value>,
    graph: Value,
}

impl Truth {
    fn read(dir: &Path, corebase: Option<&str>) -> Res<Truth> {
        let mut configs: BTreeMap<String, Arc<dyn ConfigVars + Send + Sync>> = BTreeMap::new();
        for record in lines(&dir.join("config.jsonl.zst"))? {
            let record: Value = serde_json::from_str(&record?)?;
            let mc = record["mcfn"]
                .as_str()
                .unwrap_or("")
                .trim_start_matches("mc:")
                .trim_end_matches(':')
                .to_owned();
            let vars = record["vars"].as_object().ok_or("no vars")?;
            let config: MapConfig =
                vars.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect();
            configs.insert(mc, Arc::new(config));
        }
        let mut providers = BTreeMap::new();
        for record in lines(&dir.join("providers.jsonl.zst"))? {
            let record: Value = serde_json::from_str(&record?)?;
            providers.insert(record["mc"].as_str().unwrap_or("").to_owned(), record);
        }
        let mut recipes = Vec::new();
        for (infos, sigs) in shards(dir, "recipes-")?.into_iter().zip(shards(dir, "sig-")?) {
            for (info, sig) in lines(&infos)?.zip(lines(&sigs)?) {
                #[derive(serde::Deserialize)]
                struct InfoRecord {
                    mcfn: String,
                    info: RecipeInfo,
                }
                #[derive(serde::Deserialize)]
                struct SigRecord {
                    mcfn: String,
                    basehash: BTreeMap<String, String>,
                }
                let mut info: InfoRecord = serde_json::from_str(&info?)?;
                let sig: SigRecord = serde_json::from_str(&sig?)?;
                if info.mcfn != sig.mcfn {
                    return Err("recipes and sig records are in different order".into());
                }
                info.info.basehashes = sig.basehash;
                let id: bitzel_base::RecipeId = info.mcfn.parse()?;
                let priority = providers[&id.mc]["priorities"][&info.mcfn].as_i64().unwrap_or(0) as i32;
                recipes.push(Recipe { id, info: Arc::new(info.info), priority });
            }
        }
        let mut graph = lines(&dir.join("graph.json.zst"))?.next().ok_or("empty graph")??;
        if let Some(corebase) = corebase {
            // Only the paths of files that are read; recipe names stay as recorded.
            for recipe in &mut recipes {
                let info = Arc::make_mut(&mut recipe.info);
                info.file_checksums
                    .values_mut()
                    .for_each(|text| *text = text.replace("@COREBASE@", corebase));
            }
            let mut value: Value = serde_json::from_str(&graph)?;
            for task in value["tids"].as_object_mut().into_iter().flat_map(|tids| tids.values_mut()) {
                for pair in task["filechk"].as_array_mut().into_iter().flatten() {
                    let path = pair[0].as_str().unwrap_or("").replace("@COREBASE@", corebase);
                    pair[0] = Value::String(path);
                }
            }
            graph = value.to_string();
        }
        Ok(Truth { recipes, configs, providers, graph: serde_json::from_str(&graph)? })
    }
}

fn shards(dir: &Path, stem: &str) -> Res<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(stem)))
        .collect();
    found.sort();
    Ok(found)
}

fn lines(path: &Path) -> Res<impl Iterator<Item = std::io::Result<String>>> {
    let mut decoder =
        zstd::Decoder::new(std::fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))?)?;
    decoder.window_log_max(27)?;
    Ok(BufReader::with_capacity(1 << 20, decoder).lines())
}

/// Counts and shows differences.
struct Tally {
    what: String,
    total: usize,
    wrong: usize,
}

impl Tally {
    fn new(what: &str) -> Tally {
        Tally { what: what.to_owned(), total: 0, wrong: 0 }
    }

    fn check<T: PartialEq + std::fmt::Debug>(&mut self, name: &str, ours: &T, theirs: &T) {
        self.total += 1;
        if ours != theirs {
            self.wrong += 1;
            if self.wrong <= 5 {
                println!("  {} {name}:\n    ours   {ours:?}\n    theirs {theirs:?}", self.what);
            }
        }
    }

    fn check_sets(&mut self, name: &str, ours: &BTreeSet<String>, theirs: &BTreeSet<String>) {
        let some =
            |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).take(6).cloned().collect::<Vec<_>>();
        self.check(name, &some(ours, theirs), &some(theirs, ours));
    }

    fn done(self) -> usize {
        println!("{}: {} of {} equal", self.what, self.total - self.wrong, self.total);
        self.wrong
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| Some(v.as_str()?.to_owned())).collect()
}

fn providers(index: &ProviderIndex, truth: &Truth) -> usize {
    let mut wrong = 0;
    for (mc, record) in &truth.providers {
        let ids = |list: &[bitzel_taskgraph::RecipeIx]| -> Vec<String> {
            list.iter().map(|&ix| index.recipe(ix).id.to_string()).collect()
        };
        let start = Instant::now();
        for (key, runtime) in [("choice", false), ("rchoice", true)] {
            let mut tally = Tally::new(key);
            let names = if runtime { index.runtime_names(mc) } else { index.provided_names(mc) };
            let theirs = record[key].as_object().expect("an object");
            tally.check("names", &names.len(), &theirs.len());
            for (name, list) in theirs {
                let choice = if runtime { index.choose_runtime(mc, name) } else { index.choose(mc, name) };
                tally.check(name, &ids(&choice.eligible), &strings(list));
            }
            wrong += tally.done();
        }
        println!("chosen in {:?}", start.elapsed());
        let mut tally = Tally::new("world");
        let ours: BTreeSet<String> = index.world(mc).into_iter().collect();
        let theirs: BTreeSet<String> = strings(&record["world"])
            .iter()
            .map(|f| record["pkg_fn"][f].as_str().unwrap_or("").to_owned())
            .collect();
        println!("  world: ours {} theirs {} (before shared names are dropped)", ours.len(), theirs.len());
        tally.check("subset", &ours.difference(&theirs).count(), &0);
        wrong += tally.done();
    }
    wrong
}

fn graph(index: &ProviderIndex, truth: &Truth, dir: &Path) -> Res<usize> {
    let start = Instant::now();
    let target = truth.graph["target"].as_str().ok_or("no target")?;
    let words: Vec<&str> = target.split_whitespace().collect();
    let targets = index.targets(&words, "do_build")?;
    let resolution = index.resolve(targets, &ResolveOptions::default());
    println!("resolved {} recipes in {:?}", resolution.recipes().len(), start.elapsed());
    resolution.problems.iter().for_each(|p| println!("  problem: {p}"));
    let start_graph = Instant::now();
    let graph =
        index.task_graph(&resolution, &GraphOptions::default()).map_err(|errors| format!("{errors:?}"))?;
    println!("graph of {} tasks, {} edges in {:?}", graph.len(), graph.edge_count(), start_graph.elapsed());
    let mut wrong = index.conflicts(&graph).len();
    let mut tally = Tally::new("tasks");
    let theirs = truth.graph["tids"].as_object().ok_or("no tids")?;
    tally.check("count", &graph.len(), &theirs.len());
    let ours: BTreeMap<String, BTreeSet<String>> = graph
        .tasks()
        .map(|t| {
            (graph.task_id(t).to_string(), graph.deps(t).map(|d| graph.task_id(d).to_string()).collect())
        })
        .collect();
    for (tid, record) in theirs {
        let deps: BTreeSet<String> = strings(&record["depends"]).into_iter().collect();
        tally.check_sets(tid, ours.get(tid).unwrap_or(&BTreeSet::new()), &deps);
    }
    wrong += tally.done();
    let mut tally = Tally::new("files of bitbake -g");
    if let Ok(list) = std::fs::read_to_string(dir.join("pn-buildlist")) {
        tally.check("pn-buildlist", &(bitzel_taskgraph::pn_buildlist(&graph, index) == list), &true);
    }
    if dir.join("task-depends.dot.zst").exists() {
        let start = Instant::now();
        let mut text = String::new();
        bitzel_taskgraph::task_depends(&graph, index, &mut text)?;
        println!("dot of {} bytes in {:?}", text.len(), start.elapsed());
        let theirs: String = lines(&dir.join("task-depends.dot.zst"))?
            .map(|l| l.map(|l| l + "\n"))
            .collect::<Result<_, _>>()?;
        tally.check("task-depends.dot", &(text == theirs), &true);
    }
    wrong += tally.done();
    Ok(wrong + signatures(index, truth, &graph)?)
}

/// Task hashes from base hashes, the filter's dependencies and the files as
/// they lie below the folder named by the second argument (for `@COREBASE@`).
fn signatures(index: &ProviderIndex, truth: &Truth, graph: &TaskGraph) -> Res<usize> {
    let config = &truth.configs[""];
    let words = |name: &str| config.words(name);
    let filter = OeFilter::new(
        &words("SIGGEN_EXCLUDERECIPES_ABISAFE"),
        &words("SIGGEN_EXCLUDE_SAFE_RECIPE_DEPS"),
        &BTreeMap::new(),
    );
    let inputs = SignInputs {
        index,
        graph,
        filter: &filter,
        locked: &LockedSignatures::default(),
        taints: &Default::default(),
        level: bitzel_base::CompatLevel::from_core_names(
            &config.get("LAYERSERIES_CORENAMES").unwrap_or_default(),
        ),
    };
    let start = Instant::now();
    let signed = bitzel_taskgraph::sign(&inputs, &mut FileChecksums::default(), &mut NoEquivalence)?;
    println!("signed {} tasks in {:?}, {} warnings", graph.len(), start.elapsed(), signed.warnings.len());
    signed.warnings.iter().take(3).for_each(|w| println!("  {w}"));
    let names: BTreeMap<String, TaskIx> = graph.tasks().map(|t| (graph.task_id(t).to_string(), t)).collect();
    let (mut deps, mut files, mut hashes) =
        (Tally::new("sigdeps"), Tally::new("filechk"), Tally::new("task hashes"));
    for (tid, record) in truth.graph["tids"].as_object().ok_or("no tids")? {
        let Some(&task) = names.get(tid) else { continue };
        let ours = signed.get(task);
        let ids: Vec<String> = ours.deps.iter().map(|&d| graph.task_id(d).to_string()).collect();
        deps.check(tid, &(ids == strings(&record["sigdeps"])), &true);
        let mut ours_files: Vec<(&str, &str)> =
            ours.files.iter().map(|f| (f.md5.as_str(), f.path.as_str())).collect();
        ours_files.sort_unstable();
        let mut theirs: Vec<(&str, &str)> = record["filechk"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|pair| Some((pair[1].as_str()?, pair[0].as_str()?)))
            .collect();
        theirs.sort_unstable();
        files.check(tid, &ours_files, &theirs);
        hashes.check(tid, &ours.task_hash.as_str(), &record["hash"].as_str().unwrap_or(""));
    }
    Ok(deps.done() + files.done() + hashes.done())
}
