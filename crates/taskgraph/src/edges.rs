//! From resolved recipes to edges: every kind of dependency a task can declare.

use crate::error::GraphError;
use crate::graph::{EdgeKinds, GraphBuilder, TaskGraph};
use crate::index::{ProviderIndex, RecipeIx};
use crate::resolve::Resolution;
use crate::words::{BadWord, depends_words, mcdepends_words};
use bitzel_base::RecipeInfo;
use rustc_hash::FxHashMap;

/// A task with `[recrdeptask]`: what is to be found recursively from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recursion {
    /// Number of the task.
    pub(crate) task: u32,
    /// Names of `[recrdeptask]`.
    pub(crate) names: Vec<String>,
    /// Numbers of the tasks of `[recideptask]`.
    pub(crate) through: Vec<u32>,
    /// The task names itself.
    pub(crate) own: bool,
}

/// Everything declared, before recursive dependencies are followed.
pub(crate) struct Declared {
    pub(crate) builder: GraphBuilder,
    /// Task numbers by recipe and name.
    pub(crate) numbers: FxHashMap<RecipeIx, FxHashMap<String, u32>>,
    /// Recipe of each task number.
    pub(crate) owners: Vec<RecipeIx>,
    pub(crate) edges: Vec<(u32, u32, EdgeKinds)>,
    pub(crate) recursions: Vec<Recursion>,
}

/// All tasks of all recipes of a resolution with their declared edges.
pub(crate) fn declare(index: &ProviderIndex, resolution: &Resolution) -> Result<Declared, Vec<GraphError>> {
    let mut declared = Declared {
        builder: GraphBuilder::default(),
        numbers: FxHashMap::default(),
        owners: Vec::new(),
        edges: Vec::new(),
        recursions: Vec::new(),
    };
    for &ix in resolution.recipes() {
        let recipe = index.recipe(ix);
        let tasks = declared.numbers.entry(ix).or_default();
        for task in &recipe.info.task_deps.tasks {
            let number = declared.builder.add_task(&recipe.id, task);
            if number as usize == declared.owners.len() {
                declared.owners.push(ix);
            }
            tasks.insert(task.clone(), number);
        }
    }
    let mut errors = Vec::new();
    for &ix in resolution.recipes() {
        RecipeEdges::new(index, resolution, &declared, ix).collect().apply(&mut declared, &mut errors);
    }
    if errors.is_empty() { Ok(declared) } else { Err(errors) }
}

/// What one recipe declares.
struct RecipeEdges<'a> {
    index: &'a ProviderIndex,
    resolution: &'a Resolution,
    numbers: &'a FxHashMap<RecipeIx, FxHashMap<String, u32>>,
    ix: RecipeIx,
    info: &'a RecipeInfo,
    mc: &'a str,
    build: Vec<RecipeIx>,
    runtime: Vec<RecipeIx>,
    found: Found,
}

#[derive(Default)]
struct Found {
    edges: Vec<(u32, u32, EdgeKinds)>,
    recursions: Vec<Recursion>,
    errors: Vec<GraphError>,
}

impl Found {
    /// BitBake: what a task says about itself is no dependency.
    fn push(&mut self, from: u32, to: u32, kinds: EdgeKinds) {
        if from != to {
            self.edges.push((from, to, kinds));
        }
    }

    fn apply(self, declared: &mut Declared, errors: &mut Vec<GraphError>) {
        declared.edges.extend(self.edges);
        declared.recursions.extend(self.recursions);
        errors.extend(self.errors);
    }
}

impl<'a> RecipeEdges<'a> {
    fn new(
        index: &'a ProviderIndex,
        resolution: &'a Resolution,
        declared: &'a Declared,
        ix: RecipeIx,
    ) -> Self {
        let recipe = index.recipe(ix);
        let (info, mc) = (&*recipe.info, recipe.id.mc.as_str());
        let lists = [&info.rdepends, &info.rrecommends].into_iter();
        let by_package = info.rdepends_pkg.values().chain(info.rrecommends_pkg.values());
        let mut runtime: Vec<RecipeIx> = lists
            .chain(by_package)
            .flatten()
            .filter_map(|name| resolution.runtime_provider(mc, name))
            .collect();
        runtime.sort();
        runtime.dedup();
        let extra = resolution.extra_depends.get(&recipe.id).into_iter().flatten();
        let mut build: Vec<RecipeIx> =
            info.depends.iter().chain(extra).filter_map(|name| resolution.provider(mc, name)).collect();
        build.sort();
        build.dedup();
        let numbers = &declared.numbers;
        RecipeEdges { index, resolution, numbers, ix, info, mc, build, runtime, found: Found::default() }
    }

    fn number(&self, recipe: RecipeIx, task: &str) -> Option<u32> {
        self.numbers.get(&recipe)?.get(task).copied()
    }

    fn collect(mut self) -> Found {
        for task in &self.info.task_deps.tasks {
            let Some(from) = self.number(self.ix, task) else { continue };
            for parent in self.info.task_deps.parents.get(task).into_iter().flatten() {
                // BitBake: `after` and `before` may name tasks that are not there.
                if let Some(to) = self.number(self.ix, parent) {
                    self.found.push(from, to, EdgeKinds::TASK);
                }
            }
            let words: Vec<&str> = self.flag("deptask", task).split_whitespace().collect();
            self.each_of(from, &words, true, false, EdgeKinds::BUILD);
            let words: Vec<&str> = self.flag("rdeptask", task).split_whitespace().collect();
            self.each_of(from, &words, false, true, EdgeKinds::RUNTIME);
            self.named(from, task, "depends");
            self.named(from, task, "rdepends");
            self.across_multiconfigs(from, task);
            self.recursive(from, task);
        }
        self.found
    }

    fn flag(&self, flag: &str, task: &str) -> &'a str {
        self.info.task_deps.flags.get(flag).and_then(|tasks| tasks.get(task)).map_or("", String::as_str)
    }

    /// `tasks` of every recipe in DEPENDS or behind RDEPENDS. BitBake: recipes
    /// that have no such task are passed over.
    fn each_of(&mut self, from: u32, tasks: &[&str], build: bool, runtime: bool, kinds: EdgeKinds) {
        if tasks.is_empty() {
            return;
        }
        let lists = [(build, &self.build), (runtime, &self.runtime)];
        for &recipe in lists.iter().filter(|(wanted, _)| *wanted).flat_map(|(_, list)| *list) {
            for task in tasks {
                if let Some(to) = self.number(recipe, task) {
                    self.found.push(from, to, kinds);
                }
            }
        }
    }

    fn named(&mut self, from: u32, task: &str, flag: &'static str) {
        let (runtime, kinds) =
            if flag == "rdepends" { (true, EdgeKinds::RUNTIME) } else { (false, EdgeKinds::BUILD) };
        for word in depends_words(self.flag(flag, task)) {
            match word {
                Ok((name, dep_task)) => {
                    let provider = if runtime {
                        self.resolution.runtime_provider(self.mc, name)
                    } else {
                        self.resolution.provider(self.mc, name)
                    };
                    // Names in ASSUME_PROVIDED have no provider here; names nobody
                    // provides have taken this recipe out before.
                    if let Some(provider) = provider {
                        self.edge_to(from, task, flag, provider, dep_task, kinds);
                    }
                }
                Err(BadWord(word)) => self.malformed(task, flag, word, "NAME:TASK"),
            }
        }
    }

    fn across_multiconfigs(&mut self, from: u32, task: &str) {
        for word in mcdepends_words(self.flag("mcdepends", task)) {
            match word {
                Ok(dep) if dep.from != self.mc => {}
                Ok(dep) if self.index.mc(dep.to).is_none() => {
                    self.found.errors.push(GraphError::UnknownMulticonfig {
                        mc: dep.to.to_owned(),
                        context: format!("{}:{task}[mcdepends]", self.index.recipe(self.ix).id),
                        known: self
                            .index
                            .multiconfigs()
                            .filter(|mc| !mc.is_empty())
                            .map(str::to_owned)
                            .collect(),
                    });
                }
                Ok(dep) => {
                    if let Some(provider) = self.resolution.provider(dep.to, dep.name) {
                        self.edge_to(from, task, "mcdepends", provider, dep.task, EdgeKinds::MULTICONFIG);
                    }
                }
                Err(BadWord(word)) => self.malformed(task, "mcdepends", word, "mc:FROM:TO:NAME:TASK"),
            }
        }
    }

    fn edge_to(
        &mut self,
        from: u32,
        task: &str,
        flag: &'static str,
        to: RecipeIx,
        dep_task: &str,
        kinds: EdgeKinds,
    ) {
        match self.number(to, dep_task) {
            Some(to) => self.found.push(from, to, kinds),
            None => self.found.errors.push(GraphError::DependsOnMissingTask {
                recipe: self.index.recipe(self.ix).id.to_string(),
                task: task.to_owned(),
                flag,
                dep_task: dep_task.to_owned(),
                dep_recipe: self.index.recipe(to).id.to_string(),
            }),
        }
    }

    fn malformed(&mut self, task: &str, flag: &'static str, word: &str, expected: &'static str) {
        self.found.errors.push(GraphError::MalformedFlag {
            recipe: self.index.recipe(self.ix).id.to_string(),
            task: task.to_owned(),
            flag,
            word: word.to_owned(),
            expected,
        });
    }

    fn recursive(&mut self, from: u32, task: &str) {
        let names: Vec<&str> = self.flag("recrdeptask", task).split_whitespace().collect();
        if names.is_empty() {
            return;
        }
        self.each_of(from, &names, true, true, EdgeKinds::RECURSIVE);
        let through = self
            .flag("recideptask", task)
            .split_whitespace()
            .filter_map(|name| self.number(self.ix, name))
            .collect();
        self.found.recursions.push(Recursion {
            task: from,
            own: names.contains(&task),
            names: names.into_iter().map(str::to_owned).collect(),
            through,
        });
    }
}

impl ProviderIndex {
    /// The task graph of a resolution: what its targets need, nothing else.
    ///
    /// # Errors
    /// Flags that name what does not exist, targets without the task asked for,
    /// circular dependencies.
    pub fn task_graph(
        &self,
        resolution: &Resolution,
        options: &GraphOptions,
    ) -> Result<TaskGraph, Vec<GraphError>> {
        let mut declared = declare(self, resolution)?;
        crate::recursion::follow(&mut declared);
        let (targets, leave_out) = self.target_tasks(resolution, &declared)?;
        let Declared { mut builder, edges, .. } = declared;
        edges.into_iter().for_each(|(from, to, kinds)| builder.add_edge(from, to, kinds));
        targets.iter().for_each(|&target| builder.add_target(target));
        let graph = crate::prune::prune(&builder.finish(), &leave_out, options).map_err(|e| vec![e])?;
        match graph.cycles() {
            Some(report) => Err(vec![GraphError::Cycle(Box::new(report))]),
            None => Ok(graph),
        }
    }
}

/// Which tasks of the targets' graph to take.
#[derive(Clone, Debug, Default)]
pub struct GraphOptions {
    /// `--runall`: these tasks of every recipe the targets need.
    pub run_all: Vec<String>,
    /// `--runonly`: of what the targets need only these tasks and what they need.
    pub run_only: Vec<String>,
}
