//! What a runner is told about a task.

use crate::queue::{Job, TaskTable};
use bitzel_recipe::protocol::{TaskOrder, TaskSignatureParts};
use bitzel_taskgraph::{SigRuntime, Signatures, TaskGraph, TaskIx};
use bitzel_workspace::Recipes;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The order for one task, to ask a host about it.
pub fn task_order(
    recipes: &Recipes,
    graph: &TaskGraph,
    signatures: &Signatures,
    task: TaskIx,
    variables: BTreeMap<String, String>,
) -> TaskOrder {
    let table = TaskTable::new(&recipes.index, graph, signatures, recipes.hashed_stamps());
    Orders::new(recipes, signatures, variables).order(&table, Job { task, setscene: false })
}

/// Makes orders; keeps what several need.
pub(crate) struct Orders<'a> {
    recipes: &'a Recipes,
    signatures: &'a Signatures,
    variables: BTreeMap<String, String>,
    /// `"TID":{...}` of tasks whose dependents were ordered.
    entries: Vec<Option<String>>,
}

impl<'a> Orders<'a> {
    /// `variables` are the same for all tasks.
    pub(crate) fn new(
        recipes: &'a Recipes,
        signatures: &'a Signatures,
        variables: BTreeMap<String, String>,
    ) -> Orders<'a> {
        Orders { recipes, signatures, variables, entries: Vec::new() }
    }

    /// Hashes changed.
    pub(crate) fn forget(&mut self) {
        self.entries.clear();
    }

    /// The order for a job.
    pub(crate) fn order(&mut self, table: &TaskTable<'_>, job: Job) -> TaskOrder {
        let task = job.task;
        let name = table.name(task);
        let recipe = table.recipe(task);
        TaskOrder {
            address: self.recipes.address(&recipe.id).unwrap_or_default(),
            task: if job.setscene { format!("{name}_setscene") } else { name.to_owned() },
            task_hash: table.task_hash(task).to_owned(),
            unihash: table.unihash(task).to_owned(),
            task_dep_data: self.dep_data(table, task),
            signature: self.signature(table, task),
            variables: self.variables.clone(),
            dry_run: false,
            quiet_errors: job.setscene,
        }
    }

    /// What a task's signature file holds.
    fn signature(&self, table: &TaskTable<'_>, task: TaskIx) -> TaskSignatureParts {
        let mut runtime = SigRuntime::of_task(&self.recipes.index, table.graph(), self.signatures, task);
        runtime.taskhash = Some(table.task_hash(task).to_owned());
        runtime.unihash = Some(table.unihash(task).to_owned());
        // Hash equivalence may have changed them since the graph was signed.
        for (&dep, name) in self.signatures.get(task).deps.iter().zip(runtime.runtaskdeps.clone()) {
            runtime.runtaskhashes.insert(name, table.unihash(dep).to_owned());
        }
        let runtime = serde_json::to_string(&runtime).expect("texts and maps of texts are JSON");
        TaskSignatureParts { task: table.name(task).to_owned(), runtime, path: String::new() }
    }

    /// BB_TASKDEPDATA: the task and all it stands on.
    fn dep_data(&mut self, table: &TaskTable<'_>, task: TaskIx) -> String {
        let graph = table.graph();
        let mut seen = vec![false; graph.len()];
        let mut open = vec![task];
        seen[task.0 as usize] = true;
        while let Some(next) = open.pop() {
            for dep in graph.deps(next) {
                if !std::mem::replace(&mut seen[dep.0 as usize], true) {
                    open.push(dep);
                }
            }
        }
        self.entries.resize(graph.len(), None);
        let mut text = String::from("{");
        for found in graph.tasks().filter(|found| seen[found.0 as usize]) {
            if text.len() > 1 {
                text.push(',');
            }
            let n = found.0 as usize;
            if self.entries[n].is_none() {
                self.entries[n] = Some(self.entry(table, found));
            }
            text.push_str(self.entries[n].as_deref().unwrap_or_default());
        }
        text.push('}');
        text
    }

    fn entry(&self, table: &TaskTable<'_>, task: TaskIx) -> String {
        let (recipe, graph) = (table.recipe(task), table.graph());
        let tids = |tasks: &mut dyn Iterator<Item = TaskIx>| -> Vec<Value> {
            tasks.map(|dep| Value::String(table.tid(dep))).collect()
        };
        let counted = &self.signatures.get(task).deps;
        let fields = json!({
            "pn": recipe.info.pn,
            "taskname": table.name(task),
            "fn": recipe.id.to_string(),
            "deps": tids(&mut graph.deps(task)),
            "provides": recipe.info.provides,
            "taskhash": table.task_hash(task),
            "unihash": table.unihash(task),
            "hashfn": recipe.info.hashfilename,
            "taskhash_deps": tids(&mut counted.iter().copied()),
        });
        let mut text = Value::String(table.tid(task)).to_string();
        write!(text, ":{fields}").expect("writing to a string does not fail");
        text
    }
}
