//! Task hashes of a whole graph, dependencies first.

use crate::graph::{TaskGraph, TaskIx};
use crate::index::{ProviderIndex, Recipe};
use crate::sign::checksum::{ChecksumWarning, FileChecksum, FileChecksums, InvalidFileFlag, hex};
use crate::sign::filter::{DependencyFilter, SignedEdge};
use crate::sign::hashes::{BaseHash, InvalidHash, TaskHash, UniHash};
use crate::sign::locked::{LockedMismatch, LockedSignatures};
use crate::sign::taint::Taint;
use crate::sign::unihash::{UniHashQuery, UniHashSource};
use bitzel_base::{CompatLevel, ErrorKind};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What task hashes are made of, beside the files.
pub struct SignInputs<'a> {
    /// The recipes.
    pub index: &'a ProviderIndex,
    /// The tasks.
    pub graph: &'a TaskGraph,
    /// Which dependencies count.
    pub filter: &'a dyn DependencyFilter,
    /// Hashes the configuration fixes.
    pub locked: &'a LockedSignatures,
    /// Taints of `[nostamp]` and forced tasks.
    pub taints: &'a FxHashMap<TaskIx, Taint>,
    /// Whose order of file checksums to follow.
    pub level: CompatLevel,
}

/// The hashes of a task and what they were made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSignature {
    /// Hash of the task's text.
    pub base: BaseHash,
    /// Dependencies that count, in the order hashed.
    pub deps: Vec<TaskIx>,
    /// Files read, in the order hashed.
    pub files: Arc<[FileChecksum]>,
    /// What makes it differ, if anything.
    pub taint: Option<Taint>,
    /// The task hash.
    pub task_hash: TaskHash,
    /// The unihash.
    pub unihash: UniHash,
    /// The hash is fixed by SIGGEN_LOCKEDSIGS.
    pub locked: bool,
}

/// The signatures of a graph's tasks.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    tasks: Vec<TaskSignature>,
    /// Files that could not be read.
    pub warnings: Vec<ChecksumWarning>,
    /// Tasks that are not what they are locked to.
    pub mismatches: Vec<LockedMismatch>,
}

impl Signatures {
    /// Signatures made elsewhere, one for each task of a graph in its order.
    pub fn from_tasks(tasks: Vec<TaskSignature>) -> Signatures {
        Signatures { tasks, ..Signatures::default() }
    }

    /// The signature of a task.
    pub fn get(&self, task: TaskIx) -> &TaskSignature {
        &self.tasks[task.0 as usize]
    }
}

/// Why there are no signatures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The recipe's record has no base hash for a task of the graph.
    #[error("{task} has no base hash")]
    NoBaseHash {
        /// The task.
        task: String,
    },
    /// A base hash is no hash.
    #[error("base hash of {task}: {source}")]
    BadBaseHash {
        /// The task.
        task: String,
        /// What is wrong.
        source: InvalidHash,
    },
    /// A `[file-checksums]` text is malformed.
    #[error("{task}: {source}")]
    FileFlag {
        /// The task.
        task: String,
        /// What is wrong.
        source: InvalidFileFlag,
    },
    /// The graph has a cycle.
    #[error("the task graph has a cycle")]
    Cycle,
    /// The graph names a recipe the index does not have.
    #[error("{0} is not among the recipes")]
    UnknownRecipe(String),
}

impl SignError {
    /// Malformed flags are the user's, the rest are broken promises of callers.
    pub fn kind(&self) -> ErrorKind {
        match self {
            SignError::FileFlag { .. } => ErrorKind::Input,
            _ => ErrorKind::Internal,
        }
    }
}

/// SHA-256 over a base hash, the unihashes of dependencies, the files and the
/// taint, in the order given.
pub fn hash_task<'a>(
    base: &str,
    deps: impl IntoIterator<Item = &'a str>,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    taint: Option<&str>,
) -> TaskHash {
    let mut hasher = Sha256::new();
    hasher.update(base);
    deps.into_iter().for_each(|dep| hasher.update(dep));
    for (name, md5) in files {
        // BitBake: only names relative to a marked folder are part of the hash.
        if name.starts_with("./") {
            hasher.update(name);
        }
        hasher.update(md5);
    }
    hasher.update(taint.unwrap_or(""));
    TaskHash::from_digest(hex(&hasher.finalize()))
}

/// Computes the hashes of all tasks of a graph.
///
/// # Errors
/// [`SignError`].
pub fn sign(
    inputs: &SignInputs<'_>,
    checksums: &mut FileChecksums,
    unihashes: &mut dyn UniHashSource,
) -> Result<Signatures, SignError> {
    let mut signer = Signer::new(inputs, checksums)?;
    for level in levels(inputs.graph)? {
        let mut queries = Vec::new();
        for task in level {
            if let Some(query) = signer.hash(task)? {
                queries.push(query);
            }
        }
        let answers = unihashes.unihashes(&queries);
        for (query, answer) in queries.iter().zip(answers) {
            if let (Some(unihash), Some(signature)) = (answer, &mut signer.done[query.task.0 as usize]) {
                signature.unihash = unihash;
            }
        }
    }
    let tasks = signer.done.into_iter().map(|s| s.expect("every task is in a level")).collect();
    Ok(Signatures { tasks, warnings: signer.warnings, mismatches: signer.mismatches })
}

/// Tasks grouped so that each group depends on earlier groups only.
fn levels(graph: &TaskGraph) -> Result<Vec<Vec<TaskIx>>, SignError> {
    let mut level_of = vec![0usize; graph.len()];
    let mut levels: Vec<Vec<TaskIx>> = Vec::new();
    for task in graph.topological_order().ok_or(SignError::Cycle)? {
        let level = graph.deps(task).map(|dep| level_of[dep.0 as usize] + 1).max().unwrap_or(0);
        level_of[task.0 as usize] = level;
        if levels.len() <= level {
            levels.resize(level + 1, Vec::new());
        }
        levels[level].push(task);
    }
    Ok(levels)
}

struct Signer<'a> {
    inputs: &'a SignInputs<'a>,
    checksums: &'a mut FileChecksums,
    /// Recipe of each recipe number of the graph.
    recipes: Vec<&'a Recipe>,
    /// `PN:TASK` or `mc:MC:PN:TASK` of each task; dependencies are hashed in
    /// this order.
    sort_keys: Vec<String>,
    /// Files by text; recipes repeat the same texts for several tasks.
    files: FxHashMap<&'a str, Arc<[FileChecksum]>>,
    done: Vec<Option<TaskSignature>>,
    unlocked: BTreeSet<String>,
    warnings: Vec<ChecksumWarning>,
    mismatches: Vec<LockedMismatch>,
}

impl<'a> Signer<'a> {
    fn new(inputs: &'a SignInputs<'a>, checksums: &'a mut FileChecksums) -> Result<Signer<'a>, SignError> {
        let graph = inputs.graph;
        let recipes: Vec<&Recipe> = graph
            .recipes()
            .iter()
            .map(|id| {
                let ix = inputs.index.find(id).ok_or_else(|| SignError::UnknownRecipe(id.to_string()))?;
                Ok(inputs.index.recipe(ix))
            })
            .collect::<Result<_, SignError>>()?;
        let sort_keys = graph
            .tasks()
            .map(|t| pn_task(recipes[graph.recipe_number(t) as usize], graph.task_name(t)))
            .collect();
        Ok(Signer {
            recipes,
            sort_keys,
            files: FxHashMap::default(),
            done: vec![None; graph.len()],
            unlocked: BTreeSet::new(),
            warnings: Vec::new(),
            mismatches: Vec::new(),
            inputs,
            checksums,
        })
    }

    fn recipe(&self, task: TaskIx) -> &'a Recipe {
        self.recipes[self.inputs.graph.recipe_number(task) as usize]
    }

    /// Signs a task whose dependencies are signed. Tells what to ask about its
    /// unihash, if anything.
    fn hash(&mut self, task: TaskIx) -> Result<Option<UniHashQuery>, SignError> {
        let graph = self.inputs.graph;
        let (recipe, name) = (self.recipe(task), graph.task_name(task));
        let base = recipe
            .info
            .basehashes
            .get(name)
            .ok_or_else(|| SignError::NoBaseHash { task: graph.task_id(task).to_string() })?;
        let base: BaseHash = base
            .parse()
            .map_err(|source| SignError::BadBaseHash { task: graph.task_id(task).to_string(), source })?;
        let deps = self.counted_deps(task);
        let files = self.files_of(task)?;
        let taint = self.inputs.taints.get(&task).cloned();
        let names: Vec<String> = files.iter().map(FileChecksum::name).collect();
        let computed = hash_task(
            base.as_str(),
            deps.iter().map(|&dep| self.unihash(dep)),
            names.iter().zip(files.iter()).map(|(name, file)| (name.as_str(), file.md5.as_str())),
            taint.as_ref().map(Taint::hashed),
        );
        let lock = self.lock(task, &deps);
        let task_hash = lock.as_ref().map_or_else(|| computed.clone(), |(hash, _)| hash.clone());
        let pn = &recipe.info.pn;
        if let Some((locked, variable)) = &lock
            && *locked != computed
        {
            self.mismatches.push(LockedMismatch {
                pn: pn.clone(),
                task: name.to_owned(),
                computed,
                locked: locked.clone(),
                variable: variable.clone(),
            });
        }
        let mapped = self.inputs.locked.unihash(pn, name, &task_hash).filter(|_| lock.is_none());
        let unihash = mapped.cloned().unwrap_or_else(|| task_hash.to_unihash());
        let ask = lock.is_none() && mapped.is_none() && recipe.has_setscene(name);
        let query = ask.then(|| UniHashQuery { task, task_hash: task_hash.clone() });
        let locked = lock.is_some();
        self.done[task.0 as usize] =
            Some(TaskSignature { base, deps, files, taint, task_hash, unihash, locked });
        Ok(query)
    }

    fn unihash(&self, dep: TaskIx) -> &str {
        let signature = self.done[dep.0 as usize].as_ref();
        signature.expect("dependencies are in earlier levels").unihash.as_str()
    }

    fn counted_deps(&self, task: TaskIx) -> Vec<TaskIx> {
        let graph = self.inputs.graph;
        let recipe = self.recipe(task);
        let mut deps: Vec<TaskIx> = graph
            .deps(task)
            .filter(|&dep| {
                let dep_recipe = self.recipe(dep);
                let edge = SignedEdge {
                    task: graph.task_name(task),
                    recipe: &recipe.info,
                    mc: &recipe.id.mc,
                    dep_task: graph.task_name(dep),
                    dep_recipe: &dep_recipe.info,
                    dep_mc: &dep_recipe.id.mc,
                };
                self.inputs.filter.drops(&edge).is_none()
            })
            .collect();
        deps.sort_by(|a, b| self.sort_keys[a.0 as usize].cmp(&self.sort_keys[b.0 as usize]).then(a.cmp(b)));
        deps
    }

    fn files_of(&mut self, task: TaskIx) -> Result<Arc<[FileChecksum]>, SignError> {
        let graph = self.inputs.graph;
        let Some(text) = self.recipe(task).info.file_checksums.get(graph.task_name(task)) else {
            return Ok(Arc::from([]));
        };
        if let Some(files) = self.files.get(text.as_str()) {
            return Ok(files.clone());
        }
        let (mut files, warnings) = self
            .checksums
            .compute(text)
            .map_err(|source| SignError::FileFlag { task: graph.task_id(task).to_string(), source })?;
        self.warnings.extend(warnings);
        match self.inputs.level {
            // What lies below a marked folder by its place there, the rest by its path.
            CompatLevel::V2_8 => files.sort_by_cached_key(|file| {
                let below = file.path.split_once("/./").map(|(_, rest)| format!("./{rest}"));
                below.unwrap_or_else(|| file.path.clone())
            }),
            CompatLevel::V2_18 => files.sort_by_cached_key(FileChecksum::name),
        }
        let files: Arc<[FileChecksum]> = files.into();
        self.files.insert(text, files.clone());
        Ok(files)
    }

    /// The hash a task is locked to. A recipe that is unlocked unlocks those
    /// that depend on it.
    fn lock(&mut self, task: TaskIx, deps: &[TaskIx]) -> Option<(TaskHash, String)> {
        let locked = self.inputs.locked;
        if locked.is_empty() {
            return None;
        }
        let recipe = self.recipe(task);
        let free = |pn: &str| locked.is_unlocked(pn) || self.unlocked.contains(pn);
        let same_mc = |dep: &&TaskIx| self.recipe(**dep).id.mc == recipe.id.mc;
        if free(&recipe.info.pn) || deps.iter().filter(same_mc).any(|&dep| free(&self.recipe(dep).info.pn)) {
            self.unlocked.insert(recipe.info.pn.clone());
            return None;
        }
        locked.lock(&recipe.info.pn, self.inputs.graph.task_name(task)).cloned()
    }
}

/// `PN:TASK`, or `mc:MC:PN:TASK` outside the default multiconfig.
pub(crate) fn pn_task(recipe: &Recipe, task: &str) -> String {
    format!("{}:{task}", recipe.mc_pn())
}
