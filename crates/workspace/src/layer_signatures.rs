//! Hashes by a signature generator that a layer brings: its Python is asked for all tasks
//! at once.
//!
//! The order is `{"recipes": {MCFN: {pn, basehashes, task_deps, stamp, file_checksums,
//! inherits}}, "tasks": [[TID, [TID, ...]], ...], "setscene": [TID, ...]}` with tasks behind those
//! they depend on; the answer is `[{hash, unihash, deps, files, taint}, ...]` in that order.

use crate::plan::PlanError;
use crate::{Plan, Recipes};
use bitzel_taskgraph::{
    BaseHash, FileChecksum, SignError, Signatures, Taint, TaskHash, TaskIx, TaskSignature, UniHash,
};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// Asks the Python of layers: an order to its answer.
pub type LayerSigner<'a> = dyn FnMut(String) -> Result<String, String> + 'a;

/// What the generator says of a task.
#[derive(Deserialize)]
struct Answer {
    hash: String,
    unihash: String,
    deps: Vec<String>,
    files: Vec<(String, Option<String>)>,
    taint: Option<String>,
}

impl Recipes {
    /// Whether a layer brings the class that BB_SIGNATURE_HANDLER names.
    pub(crate) fn layer_signs(&self) -> bool {
        let module = self.signature_module();
        !matches!(module, "" | "oe.sstatesig") && !module.starts_with("bb.")
    }

    pub(crate) fn sign_by_layer(
        &self,
        plan: &Plan,
        signer: &mut LayerSigner<'_>,
    ) -> Result<Signatures, PlanError> {
        let graph = &plan.graph;
        let order = graph.topological_order().ok_or(SignError::Cycle)?;
        let text = signer(self.order(plan, &order).to_string()).map_err(PlanError::LayerSigner)?;
        let answers: Vec<Answer> = serde_json::from_str(&text).map_err(|error| strange(&error))?;
        if answers.len() != order.len() {
            return Err(strange(&format!("{} answers for {} tasks", answers.len(), order.len())));
        }
        let numbers: FxHashMap<String, TaskIx> =
            graph.tasks().map(|task| (graph.task_id(task).to_string(), task)).collect();
        let mut signatures: BTreeMap<TaskIx, TaskSignature> = BTreeMap::new();
        for (&task, answer) in order.iter().zip(answers) {
            signatures.insert(task, self.signature(plan, task, answer, &numbers)?);
        }
        Ok(Signatures::from_tasks(signatures.into_values().collect()))
    }

    fn order(&self, plan: &Plan, order: &[TaskIx]) -> Json {
        let graph = &plan.graph;
        let tid = |task: TaskIx| graph.task_id(task).to_string();
        let mut recipes = Map::new();
        let mut setscene = Vec::new();
        for (number, id) in (0u32..).zip(graph.recipes()) {
            let Some(recipe) = self.index.find(id).map(|ix| self.index.recipe(ix)) else { continue };
            let info = &recipe.info;
            let record = json!({
                "pn": info.pn,
                "basehashes": info.basehashes,
                "task_deps": info.task_deps,
                "stamp": info.stamp,
                "file_checksums": info.file_checksums,
                "inherits": info.inherits,
            });
            recipes.insert(id.to_string(), record);
            let restorable =
                graph.tasks_of(number).filter(|&task| recipe.has_setscene(graph.task_name(task)));
            setscene.extend(restorable.map(tid));
        }
        let tasks: Vec<(String, Vec<String>)> =
            order.iter().map(|&task| (tid(task), graph.deps(task).map(tid).collect())).collect();
        json!({ "recipes": recipes, "tasks": tasks, "setscene": setscene })
    }

    fn signature(
        &self,
        plan: &Plan,
        task: TaskIx,
        answer: Answer,
        numbers: &FxHashMap<String, TaskIx>,
    ) -> Result<TaskSignature, PlanError> {
        let info = self.index.find(plan.graph.recipe(task)).map(|ix| &self.index.recipe(ix).info);
        let base = info.and_then(|info| info.basehashes.get(plan.graph.task_name(task)));
        let number = |name: &String| {
            numbers.get(name).copied().ok_or_else(|| strange(&format!("there is no task `{name}`")))
        };
        let file =
            |(path, md5): (String, Option<String>)| FileChecksum { path, md5: md5.unwrap_or_default() };
        Ok(TaskSignature {
            base: base.map_or("", String::as_str).parse::<BaseHash>().map_err(|error| strange(&error))?,
            deps: answer.deps.iter().map(number).collect::<Result<_, _>>()?,
            files: answer.files.into_iter().map(file).collect(),
            taint: answer.taint.as_deref().map(Taint::of_text),
            task_hash: answer.hash.parse::<TaskHash>().map_err(|error| strange(&error))?,
            unihash: answer.unihash.parse::<UniHash>().map_err(|error| strange(&error))?,
            locked: false,
        })
    }
}

fn strange(what: &dyn std::fmt::Display) -> PlanError {
    PlanError::LayerSigner(format!("what the signature generator answers is no signature: {what}"))
}
