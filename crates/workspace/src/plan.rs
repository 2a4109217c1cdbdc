//! From targets to the tasks that make them, and their hashes.

use crate::layer_signatures::LayerSigner;
use crate::recipes::Recipes;
use bitzel_base::{CompatLevel, ErrorKind, RecipeId};
use bitzel_taskgraph::{
    DependencyFilter, FileChecksums, GraphError, GraphOptions, KeepAll, LockedSignatures, MalformedLock,
    OeFilter, Resolution, ResolveOptions, SignError, SignInputs, Signatures, Taint, TaskGraph, TaskIx,
    UniHashSource, task_name,
};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// What to plan.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// Target texts as BitBake takes them.
    pub targets: Vec<String>,
    /// `-c`: the task of targets that name none; BB_DEFAULT_TASK otherwise.
    pub task: Option<String>,
    /// `-I`: names to take as provided.
    pub ignore: BTreeSet<String>,
    /// `--runall`.
    pub run_all: Vec<String>,
    /// `--runonly`.
    pub run_only: Vec<String>,
}

/// The tasks that make the targets.
#[derive(Debug)]
pub struct Plan {
    /// Which recipes stand for which names.
    pub resolution: Resolution,
    /// The tasks.
    pub graph: TaskGraph,
}

/// Why there is no plan, or no hashes.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Targets or dependencies that cannot be.
    #[error("{}", lines(.0))]
    Graph(Vec<GraphError>),
    /// Hashes cannot be computed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// SIGGEN_LOCKEDSIGS or SIGGEN_UNIHASHMAP is malformed.
    #[error(transparent)]
    Locks(#[from] MalformedLock),
    /// The configuration asks for a policy nobody knows.
    #[error(
        "BB_SIGNATURE_HANDLER is `{0}`; known are noop, basic, basichash, OEBasicHash, OEEquivHash and the \
         names of classes that layers add to bb.siggen"
    )]
    UnknownHandler(String),
    /// A layer's signature generator failed.
    #[error("BB_SIGNATURE_HANDLER: {0}")]
    LayerSigner(String),
    /// A file with a task's taint cannot be read.
    #[error("cannot read `{path}`: {cause}; remove it or make it readable")]
    Taint {
        /// The file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// `calculate_extra_depends` failed.
    #[error("{recipe}: calculate_extra_depends: {message}")]
    ExtraDepends {
        /// The recipe.
        recipe: String,
        /// What Python says.
        message: String,
    },
}

impl PlanError {
    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            PlanError::Sign(error) => error.kind(),
            PlanError::Taint { .. } => ErrorKind::Environment,
            _ => ErrorKind::Input,
        }
    }
}

fn lines(errors: &[GraphError]) -> String {
    errors.iter().map(GraphError::to_string).collect::<Vec<_>>().join("\n")
}

/// What signing asks of others.
pub struct Signing<'a> {
    /// Whose order of file checksums to follow.
    pub level: CompatLevel,
    /// Gives the taints of `[nostamp]` tasks.
    pub random: &'a mut dyn FnMut() -> String,
    /// Knows the unihashes of tasks.
    pub unihashes: &'a mut dyn UniHashSource,
    /// Runs the signature generator of a layer.
    pub layer: &'a mut LayerSigner<'a>,
}

/// Asks Python for the further DEPENDS of a recipe: its id and its
/// `calculate_extra_depends` text to names.
pub type ExtraDepends<'a> = dyn FnMut(&RecipeId, &str) -> Result<Vec<String>, String> + 'a;

impl Recipes {
    /// Finds recipes and tasks for targets. Where some cannot be built, the plan is made of
    /// the others and [`Resolution::problems`] says what is wrong.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn plan(&self, options: &PlanOptions, extra: &mut ExtraDepends<'_>) -> Result<Plan, PlanError> {
        let default = options.task.as_deref().or_else(|| self.variable("BB_DEFAULT_TASK")).unwrap_or("build");
        let one = |error| PlanError::Graph(vec![error]);
        let targets = self.index.targets(&options.targets, &task_name(default)).map_err(one)?;
        let mut resolve = ResolveOptions { ignore: options.ignore.clone(), ..ResolveOptions::default() };
        let resolution = loop {
            let resolution = self.index.resolve(targets.clone(), &resolve);
            if !self.add_extra_depends(&resolution, &mut resolve.extra_depends, extra)? {
                break resolution;
            }
        };
        if resolution.targets.is_empty() {
            return Err(PlanError::Graph(resolution.problems));
        }
        let prefixed = |names: &[String]| names.iter().map(|name| task_name(name)).collect();
        let pruning =
            GraphOptions { run_all: prefixed(&options.run_all), run_only: prefixed(&options.run_only) };
        let graph = self.index.task_graph(&resolution, &pruning).map_err(PlanError::Graph)?;
        let conflicts = self.index.conflicts(&graph);
        if !conflicts.is_empty() {
            return Err(PlanError::Graph(conflicts));
        }
        Ok(Plan { resolution, graph })
    }

    /// Whether a recipe of the resolution has further dependencies not asked for so far.
    fn add_extra_depends(
        &self,
        resolution: &Resolution,
        known: &mut BTreeMap<RecipeId, Vec<String>>,
        extra: &mut ExtraDepends<'_>,
    ) -> Result<bool, PlanError> {
        let mut more = false;
        for &ix in resolution.recipes() {
            let recipe = self.index.recipe(ix);
            if recipe.info.extradepsfunc.is_empty() || known.contains_key(&recipe.id) {
                continue;
            }
            let names = extra(&recipe.id, &recipe.info.extradepsfunc)
                .map_err(|message| PlanError::ExtraDepends { recipe: recipe.id.to_string(), message })?;
            more |= !names.is_empty();
            known.insert(recipe.id.clone(), names);
        }
        Ok(more)
    }

    /// Computes the hashes of a plan's tasks.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn sign(&self, plan: &Plan, signing: &mut Signing<'_>) -> Result<Signatures, PlanError> {
        if self.layer_signs() {
            return self.sign_by_layer(plan, signing.layer);
        }
        let filter = self.filter()?;
        let locked = match self.config() {
            Some(config) => LockedSignatures::from_config(config)?,
            None => LockedSignatures::default(),
        };
        let taints = self.taints(&plan.graph, signing.random)?;
        let inputs = SignInputs {
            index: &self.index,
            graph: &plan.graph,
            filter: &*filter,
            locked: &locked,
            taints: &taints,
            level: signing.level,
        };
        Ok(bitzel_taskgraph::sign(&inputs, &mut FileChecksums::default(), signing.unihashes)?)
    }

    fn filter(&self) -> Result<Box<dyn DependencyFilter>, PlanError> {
        match self.variable("BB_SIGNATURE_HANDLER").unwrap_or("noop") {
            "noop" | "basic" | "basichash" | "TestEquivHash" => Ok(Box::new(KeepAll)),
            "OEBasicHash" | "OEEquivHash" => {
                let words = |name: &str| self.config().map(|c| c.words(name)).unwrap_or_default();
                let (abi_safe, safe_deps) =
                    (words("SIGGEN_EXCLUDERECIPES_ABISAFE"), words("SIGGEN_EXCLUDE_SAFE_RECIPE_DEPS"));
                let names = abi_safe
                    .iter()
                    .map(String::as_str)
                    .chain(safe_deps.iter().flat_map(|pair| pair.split("->")))
                    .filter(|name| name.starts_with("virtual/"));
                let virtual_pns = names
                    .filter_map(|name| {
                        let chosen = *self.index.choose("", name).eligible.first()?;
                        Some((name.to_owned(), self.index.recipe(chosen).info.pn.clone()))
                    })
                    .collect();
                Ok(Box::new(OeFilter::new(&abi_safe, &safe_deps, &virtual_pns)))
            }
            other => Err(PlanError::UnknownHandler(other.to_owned())),
        }
    }

    /// Taints of `[nostamp]` tasks and of tasks that were forced (`STAMP.TASK.taint`).
    fn taints(
        &self,
        graph: &TaskGraph,
        random: &mut dyn FnMut() -> String,
    ) -> Result<FxHashMap<TaskIx, Taint>, PlanError> {
        let mut taints = FxHashMap::default();
        for task in graph.tasks() {
            let Some(ix) = self.index.find(graph.recipe(task)) else { continue };
            let info = &self.index.recipe(ix).info;
            let name = graph.task_name(task);
            let nostamp = info.task_deps.flags.get("nostamp").is_some_and(|tasks| tasks.contains_key(name));
            if nostamp {
                taints.insert(task, Taint::NoStamp(random()));
                continue;
            }
            let path = format!("{}.{name}.taint", info.stamp);
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    taints.insert(task, Taint::Forced(text));
                }
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
                Err(cause) => return Err(PlanError::Taint { path, cause }),
            }
        }
        Ok(taints)
    }
}
