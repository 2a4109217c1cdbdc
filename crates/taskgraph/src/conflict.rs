//! Recipes that must not be built together.

use crate::error::{Conflict, ConflictingProvider, GraphError};
use crate::graph::TaskGraph;
use crate::index::{ProviderIndex, RecipeIx};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

impl ProviderIndex {
    /// Two versions of one PN, or two recipes with the same name in PROVIDES
    /// (unless BB_MULTI_PROVIDER_ALLOWED has the name), within one multiconfig
    /// of a graph. Empty if all is well.
    pub fn conflicts(&self, graph: &TaskGraph) -> Vec<GraphError> {
        let mut by_pn: BTreeMap<(&str, &str), Vec<RecipeIx>> = BTreeMap::new();
        let mut by_name: BTreeMap<(&str, &str), Vec<RecipeIx>> = BTreeMap::new();
        for ix in graph.recipes().iter().filter_map(|id| self.find(id)) {
            let recipe = self.recipe(ix);
            let mc = recipe.id.mc.as_str();
            by_pn.entry((mc, &recipe.info.pn)).or_default().push(ix);
            for name in &recipe.info.provides {
                let list = by_name.entry((mc, name)).or_default();
                if list.last() != Some(&ix) {
                    list.push(ix);
                }
            }
        }
        let versions = by_pn.iter().filter(|(_, list)| list.len() > 1).map(|((_, pn), list)| {
            let files = list.iter().map(|&ix| self.recipe(ix).id.to_string()).collect();
            GraphError::MultipleVersions { pn: (*pn).to_owned(), files }
        });
        let mut errors: Vec<GraphError> = versions.collect();
        for ((mc, name), list) in &by_name {
            let allowed = self.mc(mc).is_some_and(|tables| tables.multi_allowed.contains(*name));
            // Two versions of one PN have been reported above.
            let pns: BTreeSet<&str> = list.iter().map(|&ix| self.recipe(ix).info.pn.as_str()).collect();
            if pns.len() > 1 && !allowed {
                errors.push(GraphError::ConflictingProviders(Box::new(self.explain(graph, name, list))));
            }
        }
        errors
    }

    /// What each of several providers has that the others lack.
    fn explain(&self, graph: &TaskGraph, name: &str, list: &[RecipeIx]) -> Conflict {
        let number: FxHashMap<u32, usize> = graph
            .recipes()
            .iter()
            .enumerate()
            .filter_map(|(n, id)| Some((n as u32, list.iter().position(|&ix| Some(ix) == self.find(id))?)))
            .collect();
        let mut dependees = vec![BTreeSet::new(); list.len()];
        for task in graph.tasks() {
            for at in graph.deps(task).filter_map(|dep| number.get(&graph.recipe_number(dep))) {
                if number.get(&graph.recipe_number(task)) != Some(at) {
                    dependees[*at].insert(graph.task_id(task).to_string());
                }
            }
        }
        let provides: Vec<BTreeSet<String>> =
            list.iter().map(|&ix| self.recipe(ix).info.provides.iter().cloned().collect()).collect();
        let rprovides: Vec<BTreeSet<String>> = list
            .iter()
            .map(|&ix| {
                let info = &self.recipe(ix).info;
                let named = info.rprovides.iter().chain(info.rprovides_pkg.values().flatten());
                info.packages.iter().chain(named).cloned().collect()
            })
            .collect();
        let unique = |sets: &[BTreeSet<String>], at: usize| -> Vec<String> {
            let others =
                |name: &&String| sets.iter().enumerate().all(|(n, set)| n == at || !set.contains(*name));
            sets[at].iter().filter(others).cloned().collect()
        };
        let providers = (0..list.len())
            .map(|at| ConflictingProvider {
                recipe: self.recipe(list[at]).id.to_string(),
                dependees: unique(&dependees, at),
                provides: unique(&provides, at),
                rprovides: unique(&rprovides, at),
            })
            .collect();
        Conflict { name: name.to_owned(), providers }
    }
}
