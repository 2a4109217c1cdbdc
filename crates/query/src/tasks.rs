//! Tasks as the graph of a query.

use crate::details::{DEFINING, RecipeDetails, from_record};
use crate::env::{Flavour, QueryEnv};
use crate::nodes::Node;
use crate::patterns::NameTable;
use crate::recipes::sources_of;
use bitzel_taskgraph::{EdgeKinds, ProviderIndex, Recipe, RecipeIx, TaskGraph, TaskIx, close_matches};

/// Looks up what neither graph nor records hold of a task.
pub trait TaskDetails {
    /// Properties beside the recipe's variables: `taskhash`, `unihash`, `script`, ….
    fn property(&self, task: TaskIx, name: &str) -> Option<String>;

    /// Files or folders the task makes.
    fn outputs(&self, task: TaskIx) -> Vec<String>;
}

/// The tasks of a graph.
pub struct TaskEnv<'a> {
    index: &'a ProviderIndex,
    graph: &'a TaskGraph,
    details: &'a dyn RecipeDetails,
    tasks: Option<&'a dyn TaskDetails>,
    labels: Vec<String>,
    recipes: Vec<Option<RecipeIx>>,
    names: NameTable,
}

impl<'a> TaskEnv<'a> {
    /// The tasks of `graph`, named `PN:TASK` or `mc:MC:PN:TASK`. A PN alone stands
    /// for all its tasks.
    pub fn new(
        index: &'a ProviderIndex,
        graph: &'a TaskGraph,
        details: &'a dyn RecipeDetails,
        tasks: Option<&'a dyn TaskDetails>,
    ) -> TaskEnv<'a> {
        let recipes: Vec<Option<RecipeIx>> = graph.recipes().iter().map(|id| index.find(id)).collect();
        let mut names = NameTable::default();
        let mut labels = Vec::with_capacity(graph.len());
        for task in graph.tasks() {
            let id = graph.recipe(task);
            let recipe = recipes[graph.recipe_number(task) as usize].map(|ix| index.recipe(ix));
            let prefix = if id.mc.is_empty() { String::new() } else { format!("mc:{}:", id.mc) };
            let owner = match recipe {
                Some(recipe) => format!("{prefix}{}", recipe.info.pn),
                None => id.to_string(),
            };
            let mut label = format!("{owner}:{}", graph.task_name(task));
            if names.has(&label) {
                // A second version of the same PN.
                label = graph.task_id(task).to_string();
            }
            names.add(&label, task.0);
            names.add(&owner, task.0);
            names.add(&graph.task_id(task).to_string(), task.0);
            for name in recipe.iter().flat_map(|r| &r.info.provides) {
                names.add(&format!("{prefix}{name}:{}", graph.task_name(task)), task.0);
            }
            labels.push(label);
        }
        TaskEnv { index, graph, details, tasks, labels, recipes, names }
    }

    fn recipe(&self, node: Node) -> Option<&'a Recipe> {
        let number = self.graph.recipe_number(TaskIx(node.0));
        self.recipes[number as usize].map(|ix| self.index.recipe(ix))
    }
}

impl QueryEnv for TaskEnv<'_> {
    fn flavour(&self) -> Flavour {
        Flavour::Aquery
    }

    fn node_count(&self) -> usize {
        self.graph.len()
    }

    fn label(&self, node: Node) -> &str {
        &self.labels[node.0 as usize]
    }

    fn kind(&self, _node: Node) -> String {
        "task".to_owned()
    }

    fn config(&self, node: Node) -> &str {
        &self.graph.recipe(TaskIx(node.0)).mc
    }

    fn deps(&self, node: Node, kinds: EdgeKinds, f: &mut dyn FnMut(Node)) {
        for (dep, of) in self.graph.deps_with_kinds(TaskIx(node.0)) {
            if of.intersects(kinds) {
                f(Node(dep.0));
            }
        }
    }

    fn resolve(&self, word: &str) -> Vec<Node> {
        if matches!(word, "world" | "universe" | "//...") {
            return (0..self.graph.len() as u32).map(Node).collect();
        }
        self.names.find(word).into_iter().map(Node).collect()
    }

    fn similar(&self, word: &str) -> Vec<String> {
        close_matches(word, self.names.names())
    }

    fn attr(&self, node: Node, name: &str) -> Option<String> {
        let task = TaskIx(node.0);
        let own = self.tasks.and_then(|details| details.property(task, name));
        own.or_else(|| {
            let recipe = self.recipe(node)?;
            match name {
                "task" => Some(self.graph.task_name(task).to_owned()),
                "basehash" => recipe.info.basehashes.get(self.graph.task_name(task)).cloned(),
                _ => self.details.variable(recipe, name).or_else(|| from_record(&recipe.info, name)),
            }
        })
    }

    fn labels(&self, node: Node, attr: &str) -> Vec<Node> {
        let mc = self.config(node);
        let prefix = if mc.is_empty() { String::new() } else { format!("mc:{mc}:") };
        let text = self.attr(node, attr).unwrap_or_default();
        text.split_whitespace()
            .flat_map(|word| self.names.find(&format!("{prefix}{word}")))
            .map(Node)
            .collect()
    }

    fn file(&self, node: Node) -> &str {
        &self.graph.recipe(TaskIx(node.0)).file
    }

    fn build_files(&self, node: Node) -> Vec<String> {
        self.recipe(node).map(|recipe| self.details.files_read(recipe)).unwrap_or_default()
    }

    fn sources(&self, node: Node) -> Vec<String> {
        let task = self.graph.task_name(TaskIx(node.0));
        let text = self.recipe(node).and_then(|recipe| recipe.info.file_checksums.get(task));
        text.map(|text| sources_of(text)).unwrap_or_default()
    }

    fn definition(&self, node: Node) -> Vec<(String, String)> {
        let names = ["task", "basehash", "taskhash", "unihash"].into_iter().chain(DEFINING);
        names.filter_map(|name| Some((name.to_owned(), self.attr(node, name)?))).collect()
    }

    fn outputs(&self, node: Node) -> Vec<String> {
        self.tasks.map(|details| details.outputs(TaskIx(node.0))).unwrap_or_default()
    }

    fn mnemonic(&self, node: Node) -> &str {
        self.graph.task_name(TaskIx(node.0))
    }
}
