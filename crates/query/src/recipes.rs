//! Recipes as the graph of a query.

use crate::details::{DEFINING, RecipeDetails, from_record, recipe_kind};
use crate::env::{Flavour, QueryEnv};
use crate::nodes::Node;
use crate::patterns::NameTable;
use bitzel_taskgraph::{
    EdgeKinds, ProviderIndex, Recipe, RecipeIx, Resolution, checksum_entries, close_matches,
};
use std::collections::BTreeMap;

/// All recipes with their dependencies as resolved for them: DEPENDS and
/// `[depends]` as build, RDEPENDS and RRECOMMENDS as runtime, `[mcdepends]` as
/// mc edges.
pub struct RecipeEnv<'a> {
    index: &'a ProviderIndex,
    details: &'a dyn RecipeDetails,
    flavour: Flavour,
    nodes: Vec<RecipeIx>,
    labels: Vec<String>,
    edges: Vec<Vec<(u32, EdgeKinds)>>,
    names: NameTable,
}

impl<'a> RecipeEnv<'a> {
    /// The recipes of `resolution` ([`ProviderIndex::resolve`] of `world` or of what
    /// is asked about). [`Flavour::Query`] takes those of the default configuration.
    pub fn new(
        index: &'a ProviderIndex,
        resolution: &Resolution,
        details: &'a dyn RecipeDetails,
        flavour: Flavour,
    ) -> RecipeEnv<'a> {
        let wanted = |ix: &&RecipeIx| flavour != Flavour::Query || index.recipe(**ix).id.mc.is_empty();
        let nodes: Vec<RecipeIx> = resolution.recipes().iter().filter(wanted).copied().collect();
        let number: BTreeMap<RecipeIx, u32> = (0u32..).zip(&nodes).map(|(n, &ix)| (ix, n)).collect();
        let labels = labels(index, &nodes, flavour);
        let mut names = NameTable::default();
        for (n, &ix) in (0u32..).zip(&nodes) {
            let recipe = index.recipe(ix);
            names.add(&labels[n as usize], n);
            names.add(&recipe.id.to_string(), n);
            let mc = &recipe.id.mc;
            let full = |name: &str| if mc.is_empty() { name.to_owned() } else { format!("mc:{mc}:{name}") };
            names.add(&full(&recipe.info.pn), n);
        }
        // Other names of PROVIDES stand for the recipe chosen for them.
        for (n, &ix) in (0u32..).zip(&nodes) {
            let recipe = index.recipe(ix);
            let mc = &recipe.id.mc;
            for name in &recipe.info.provides {
                let full = if mc.is_empty() { name.clone() } else { format!("mc:{mc}:{name}") };
                if !names.has(&full) {
                    let chosen = resolution.provider(mc, name).and_then(|ix| number.get(&ix)).copied();
                    names.add(&full, chosen.unwrap_or(n));
                }
            }
        }
        let edges = nodes.iter().map(|&ix| edges(index, resolution, ix, &number)).collect();
        RecipeEnv { index, details, flavour, nodes, labels, edges, names }
    }

    fn recipe(&self, node: Node) -> &'a Recipe {
        self.index.recipe(self.nodes[node.0 as usize])
    }
}

/// PN for `query`; `PN (MC)` and `PN (MC, VARIANT)` for `cquery`. Where several
/// recipes share a PN, `PN@PV`, and if that is not enough the recipe's id.
fn labels(index: &ProviderIndex, nodes: &[RecipeIx], flavour: Flavour) -> Vec<String> {
    let decorate = |recipe: &Recipe, name: &str| {
        if flavour == Flavour::Query {
            return name.to_owned();
        }
        let mc = if recipe.id.mc.is_empty() { "default" } else { &recipe.id.mc };
        match recipe.id.variant.as_str() {
            "" => format!("{name} ({mc})"),
            variant => format!("{name} ({mc}, {variant})"),
        }
    };
    let forms: [fn(&Recipe) -> String; 3] = [
        |recipe| recipe.info.pn.clone(),
        |recipe| format!("{}@{}", recipe.info.pn, recipe.info.pv),
        |recipe| recipe.id.to_string(),
    ];
    let mut labels: Vec<Option<String>> = vec![None; nodes.len()];
    for form in forms {
        let tried: Vec<String> =
            nodes.iter().map(|&ix| decorate(index.recipe(ix), &form(index.recipe(ix)))).collect();
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for (label, text) in labels.iter().zip(&tried) {
            if label.is_none() {
                *count.entry(text).or_default() += 1;
            }
        }
        let unique: Vec<bool> = tried.iter().map(|text| count.get(text.as_str()) == Some(&1)).collect();
        for (n, label) in labels.iter_mut().enumerate() {
            if label.is_none() && unique[n] {
                *label = Some(tried[n].clone());
            }
        }
    }
    labels
        .into_iter()
        .zip(nodes)
        .map(|(label, &ix)| label.unwrap_or_else(|| index.recipe(ix).id.to_string()))
        .collect()
}

fn edges(
    index: &ProviderIndex,
    resolution: &Resolution,
    ix: RecipeIx,
    number: &BTreeMap<RecipeIx, u32>,
) -> Vec<(u32, EdgeKinds)> {
    let mut found: BTreeMap<u32, EdgeKinds> = BTreeMap::new();
    for (dep, kinds) in resolution.dependencies(index, ix) {
        if let Some(&n) = number.get(&dep) {
            let known = found.entry(n).or_default();
            *known = known.union(kinds);
        }
    }
    found.into_iter().collect()
}

impl QueryEnv for RecipeEnv<'_> {
    fn flavour(&self) -> Flavour {
        self.flavour
    }

    fn node_count(&self) -> usize {
        self.nodes.len()
    }

    fn label(&self, node: Node) -> &str {
        &self.labels[node.0 as usize]
    }

    fn kind(&self, node: Node) -> String {
        recipe_kind(self.recipe(node)).to_owned()
    }

    fn config(&self, node: Node) -> &str {
        &self.recipe(node).id.mc
    }

    fn deps(&self, node: Node, kinds: EdgeKinds, f: &mut dyn FnMut(Node)) {
        for &(dep, of) in &self.edges[node.0 as usize] {
            if of.intersects(kinds) {
                f(Node(dep));
            }
        }
    }

    fn resolve(&self, word: &str) -> Vec<Node> {
        if matches!(word, "world" | "universe" | "//...") {
            return (0..self.nodes.len() as u32).map(Node).collect();
        }
        self.names.find(word).into_iter().map(Node).collect()
    }

    fn similar(&self, word: &str) -> Vec<String> {
        close_matches(word, self.names.names())
    }

    fn attr(&self, node: Node, name: &str) -> Option<String> {
        let recipe = self.recipe(node);
        self.details.variable(recipe, name).or_else(|| from_record(&recipe.info, name))
    }

    fn labels(&self, node: Node, attr: &str) -> Vec<Node> {
        let mc = &self.recipe(node).id.mc;
        let prefix = if mc.is_empty() { String::new() } else { format!("mc:{mc}:") };
        let text = self.attr(node, attr).unwrap_or_default();
        text.split_whitespace()
            .flat_map(|word| self.names.find(&format!("{prefix}{word}")))
            .map(Node)
            .collect()
    }

    fn file(&self, node: Node) -> &str {
        &self.recipe(node).id.file
    }

    fn build_files(&self, node: Node) -> Vec<String> {
        self.details.files_read(self.recipe(node))
    }

    fn sources(&self, node: Node) -> Vec<String> {
        let texts = self.recipe(node).info.file_checksums.values();
        let mut files: Vec<String> = texts.flat_map(|text| sources_of(text)).collect();
        files.sort();
        files.dedup();
        files
    }

    fn definition(&self, node: Node) -> Vec<(String, String)> {
        let with_value = |name: &&str| Some(((*name).to_owned(), self.attr(node, name)?));
        DEFINING.iter().filter_map(with_value).collect()
    }
}

/// The files a `[file-checksums]` text names that were there.
pub(crate) fn sources_of(text: &str) -> Vec<String> {
    let entries = checksum_entries(text).unwrap_or_default();
    entries.into_iter().filter(|(_, existed)| *existed).map(|(path, _)| path.to_owned()).collect()
}
