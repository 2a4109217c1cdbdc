//! All evaluated recipes of a build directory, indexed by what they provide.

use crate::Evaluation;
use bitzel_base::RecipeId;
use bitzel_recipe::RecipeFile;
use bitzel_recipe::protocol::{Configuration, RecipeAddress};
use bitzel_taskgraph::{ConfigVars, ProviderIndex, Recipe};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A configuration's variables.
#[derive(Clone)]
struct Variables(Arc<BTreeMap<String, String>>);

impl ConfigVars for Variables {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// The recipes and configurations of a build directory.
pub struct Recipes {
    /// The configurations, default one first.
    pub configurations: Vec<Configuration>,
    /// Who provides what.
    pub index: ProviderIndex,
    variables: BTreeMap<String, Variables>,
    files: FxHashMap<(String, String), RecipeFile>,
    reads: FxHashMap<(String, String), Vec<String>>,
}

impl Recipes {
    /// Indexes what was evaluated.
    pub fn new(evaluation: Evaluation) -> Recipes {
        let mut recipes = Vec::new();
        let mut files = FxHashMap::default();
        let mut reads = FxHashMap::default();
        for outcome in evaluation.outcomes {
            let Ok(evaluated) = outcome.result else { continue };
            let priority = i32::try_from(outcome.file.priority).unwrap_or(i32::MAX);
            for (variant, info) in evaluated.variants {
                let id = RecipeId { mc: outcome.mc.clone(), variant, file: outcome.file.path.clone() };
                recipes.push(Recipe { id, info: Arc::new(info), priority });
            }
            let key = (outcome.mc, outcome.file.path.clone());
            reads.insert(key.clone(), evaluated.files);
            files.insert(key, outcome.file);
        }
        let mut configurations = evaluation.configurations;
        let mut variables = BTreeMap::new();
        let mut configs: BTreeMap<String, Arc<dyn ConfigVars + Send + Sync>> = BTreeMap::new();
        for configuration in &mut configurations {
            let own = Variables(Arc::new(std::mem::take(&mut configuration.variables)));
            configs.insert(configuration.mc.clone(), Arc::new(own.clone()));
            variables.insert(configuration.mc.clone(), own);
        }
        Recipes { configurations, index: ProviderIndex::new(recipes, configs), variables, files, reads }
    }

    /// A variable of the default configuration, expanded.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variable_of("", name)
    }

    /// A variable of a multiconfig, expanded.
    pub fn variable_of(&self, mc: &str, name: &str) -> Option<&str> {
        self.variables.get(mc)?.0.get(name).map(String::as_str)
    }

    /// The variables of the default configuration, as planning wants them.
    pub fn config(&self) -> Option<&dyn ConfigVars> {
        self.variables.get("").map(|variables| variables as &dyn ConfigVars)
    }

    /// Whether names of stamps hold hashes: not where BB_SIGNATURE_HANDLER is one that makes none.
    pub fn hashed_stamps(&self) -> bool {
        !matches!(self.variable("BB_SIGNATURE_HANDLER").unwrap_or("noop"), "noop" | "basic")
    }

    /// The module of the class that BB_SIGNATURE_HANDLER names.
    pub(crate) fn signature_module(&self) -> &str {
        self.configurations.first().map_or("", |configuration| &configuration.signature_module)
    }

    /// How to name a recipe to a host; `None` for one that was not evaluated.
    pub fn address(&self, id: &RecipeId) -> Option<RecipeAddress> {
        let recipe = self.files.get(&(id.mc.clone(), id.file.clone()))?.clone();
        Some(RecipeAddress { mc: id.mc.clone(), recipe, variant: id.variant.clone() })
    }

    /// The files a recipe was read from, configuration included, and those that were looked
    /// for and are not there.
    pub fn files_read(&self, id: &RecipeId) -> Vec<String> {
        let own = self.reads.get(&(id.mc.clone(), id.file.clone())).into_iter().flatten();
        let configuration = self.configurations.iter().filter(|c| c.mc == id.mc);
        own.chain(configuration.flat_map(|c| &c.files)).cloned().collect()
    }
}
