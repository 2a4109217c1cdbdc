//! What the run queue has to know of each task, in tables by task number.

use bitzel_base::RecipeInfo;
use bitzel_taskgraph::{
    FileChecksum, ProviderIndex, Recipe, RecipeIx, Rows, Signatures, Taint, TaskGraph, TaskHash, TaskIx,
    hash_task,
};
use rustc_hash::FxHashMap;

/// Facts of one task.
#[derive(Clone, Debug)]
struct Facts {
    recipe: RecipeIx,
    noexec: bool,
    nostamp: bool,
    fakeroot: bool,
    scene: bool,
    task_hash: String,
    unihash: String,
}

/// The tasks of a graph.
pub struct TaskTable<'a> {
    index: &'a ProviderIndex,
    graph: &'a TaskGraph,
    signatures: &'a Signatures,
    facts: Vec<Facts>,
    /// Stamps carry hashes (all signature handlers but `noop` and `basic`).
    hashed_stamps: bool,
    dependents: Rows,
}

impl<'a> TaskTable<'a> {
    /// Collects what is known. `hashed_stamps` tells whether stamp names hold hashes.
    pub fn new(
        index: &'a ProviderIndex,
        graph: &'a TaskGraph,
        signatures: &'a Signatures,
        hashed_stamps: bool,
    ) -> TaskTable<'a> {
        let recipes: Vec<RecipeIx> = graph
            .recipes()
            .iter()
            .map(|id| index.find(id).expect("a graph is made of the index's recipes"))
            .collect();
        let facts = graph
            .tasks()
            .map(|task| {
                let recipe = recipes[graph.recipe_number(task) as usize];
                let (info, name) = (&index.recipe(recipe).info, graph.task_name(task));
                let flag = |flag: &str| info.task_deps.flags.get(flag).is_some_and(|f| f.contains_key(name));
                let signature = signatures.get(task);
                let setscene = format!("{name}_setscene");
                Facts {
                    recipe,
                    noexec: flag("noexec"),
                    nostamp: flag("nostamp"),
                    fakeroot: flag("fakeroot"),
                    scene: info.task_deps.tasks.contains(&setscene),
                    task_hash: signature.task_hash.as_str().to_owned(),
                    unihash: signature.unihash.as_str().to_owned(),
                }
            })
            .collect();
        TaskTable { index, graph, signatures, facts, hashed_stamps, dependents: graph.reversed() }
    }

    fn of(&self, task: TaskIx) -> &Facts {
        &self.facts[task.0 as usize]
    }

    /// The graph.
    pub fn graph(&self) -> &'a TaskGraph {
        self.graph
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The recipe of a task.
    pub fn recipe(&self, task: TaskIx) -> &'a Recipe {
        self.index.recipe(self.of(task).recipe)
    }

    /// The record of a task's recipe.
    pub fn info(&self, task: TaskIx) -> &'a RecipeInfo {
        &self.recipe(task).info
    }

    /// `do_x`.
    pub fn name(&self, task: TaskIx) -> &'a str {
        self.graph.task_name(task)
    }

    /// `RECIPE:do_x`, as BitBake names it.
    pub fn tid(&self, task: TaskIx) -> String {
        self.graph.task_id(task).to_string()
    }

    /// Who waits for a task.
    pub fn dependents(&self, task: TaskIx) -> impl ExactSizeIterator<Item = TaskIx> + '_ {
        self.dependents.row(task.0).iter().map(|&n| TaskIx(n))
    }

    /// `[noexec]`.
    pub fn is_noexec(&self, task: TaskIx) -> bool {
        self.of(task).noexec
    }

    /// `[nostamp]`.
    pub fn is_nostamp(&self, task: TaskIx) -> bool {
        self.of(task).nostamp
    }

    /// `[fakeroot]`.
    pub fn is_fakeroot(&self, task: TaskIx) -> bool {
        self.of(task).fakeroot
    }

    /// Whether there is a setscene task for it.
    pub fn has_scene(&self, task: TaskIx) -> bool {
        self.of(task).scene
    }

    /// BB_TASKHASH.
    pub fn task_hash(&self, task: TaskIx) -> &str {
        &self.of(task).task_hash
    }

    /// BB_UNIHASH.
    pub fn unihash(&self, task: TaskIx) -> &str {
        &self.of(task).unihash
    }

    pub(super) fn set_task_hash(&mut self, task: TaskIx, hash: &str) {
        hash.clone_into(&mut self.facts[task.0 as usize].task_hash);
    }

    pub(super) fn set_unihash(&mut self, task: TaskIx, unihash: &str) {
        unihash.clone_into(&mut self.facts[task.0 as usize].unihash);
    }

    /// The task hash by the present unihashes of what the task depends on. One that is
    /// locked stays.
    pub(super) fn hash_again(&self, task: TaskIx) -> TaskHash {
        let signature = self.signatures.get(task);
        if signature.locked {
            return signature.task_hash.clone();
        }
        let names: Vec<String> = signature.files.iter().map(FileChecksum::name).collect();
        hash_task(
            signature.base.as_str(),
            signature.deps.iter().map(|&dep| self.unihash(dep)),
            names.iter().zip(signature.files.iter()).map(|(name, file)| (name.as_str(), file.md5.as_str())),
            signature.taint.as_ref().map(Taint::hashed),
        )
    }

    /// The path of a task's stamp, or of its setscene task's. BitBake:
    /// `STAMP.TASK.HASH.EXTRA` without parts that are empty.
    pub fn stamp(&self, task: TaskIx, setscene: bool) -> String {
        let extra = |name: &str| self.info(task).stamp_extrainfo.get(name).cloned().flatten();
        let name = self.stamp_name(task, setscene);
        let mut stamp = self.bare_stamp(task, setscene);
        if let Some(extra) = extra(&name).filter(|extra| !extra.is_empty()) {
            stamp.push('.');
            stamp.push_str(&extra);
        }
        stamp
    }

    /// A stamp's path without [stamp-extra-info].
    pub fn bare_stamp(&self, task: TaskIx, setscene: bool) -> String {
        let base = format!("{}.{}", self.info(task).stamp, self.stamp_name(task, setscene));
        if self.hashed_stamps { format!("{base}.{}", self.unihash(task)) } else { base }
    }

    fn stamp_name(&self, task: TaskIx, setscene: bool) -> String {
        let name = self.name(task);
        if setscene { format!("{name}_setscene") } else { name.to_owned() }
    }

    /// Setscene tasks that must have succeeded before a task's own may start, by
    /// `do_x_setscene[depends]`. They name recipes by what provides them: `provider` finds
    /// the recipe in a multiconfig.
    pub fn hard_dependencies(
        &self,
        provider: &dyn Fn(&str, &str) -> Option<RecipeIx>,
    ) -> FxHashMap<TaskIx, Vec<TaskIx>> {
        let mut found = FxHashMap::default();
        for task in self.graph.tasks().filter(|&task| self.has_scene(task)) {
            let flags = self.info(task).task_deps.flags.get("depends");
            let Some(text) = flags.and_then(|f| f.get(&format!("{}_setscene", self.name(task)))) else {
                continue;
            };
            let mut hard: Vec<TaskIx> = text
                .split_whitespace()
                .filter_map(|word| word.split_once(':'))
                .filter_map(|(name, wanted)| {
                    let recipe = provider(&self.recipe(task).id.mc, name)?;
                    self.graph.find(&self.index.recipe(recipe).id, wanted.strip_suffix("_setscene")?)
                })
                .filter(|&other| other != task && self.has_scene(other))
                .collect();
            hard.sort();
            hard.dedup();
            if !hard.is_empty() {
                found.insert(task, hard);
            }
        }
        found
    }
}
