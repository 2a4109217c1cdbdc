//! What a query is asked about.

use crate::nodes::Node;
use bitzel_taskgraph::EdgeKinds;

/// Which of the three query commands it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Recipes of the default configuration.
    Query,
    /// Recipes of all multiconfigs, with their variants.
    Cquery,
    /// Tasks.
    Aquery,
}

/// A graph of recipes or tasks with what queries want to know of them.
///
/// Nodes are numbered from 0. Answers have to be the same each time.
pub trait QueryEnv {
    /// Which functions there are.
    fn flavour(&self) -> Flavour;

    /// How many nodes there are.
    fn node_count(&self) -> usize;

    /// The name a node is shown by and found by; unique.
    fn label(&self, node: Node) -> &str;

    /// `recipe`, `image`, `native`, `nativesdk`, `cross`, `task`, ….
    fn kind(&self, node: Node) -> String;

    /// The multiconfig, empty for the default one.
    fn config(&self, node: Node) -> &str;

    /// Calls `f` for each dependency of one of the kinds.
    fn deps(&self, node: Node, kinds: EdgeKinds, f: &mut dyn FnMut(Node));

    /// The nodes a word stands for: a label, another name of a node, or a
    /// pattern with `*`. Empty if there is none.
    fn resolve(&self, word: &str) -> Vec<Node>;

    /// Names that look like one that stands for nothing, best first.
    fn similar(&self, word: &str) -> Vec<String>;

    /// Value of a variable, or of another property, as a text.
    fn attr(&self, node: Node, name: &str) -> Option<String>;

    /// The nodes a variable's words name.
    fn labels(&self, node: Node, attr: &str) -> Vec<Node>;

    /// The file that defines the node.
    fn file(&self, node: Node) -> &str;

    /// Recipe, appends, classes, includes and configuration read for the node.
    fn build_files(&self, node: Node) -> Vec<String>;

    /// Files the node takes as sources: what its `[file-checksums]` name.
    fn sources(&self, node: Node) -> Vec<String>;

    /// Variables to print for the node with `--output build`.
    fn definition(&self, node: Node) -> Vec<(String, String)>;

    /// Files a task reads; for [`Flavour::Aquery`].
    fn inputs(&self, node: Node) -> Vec<String> {
        self.sources(node)
    }

    /// Files a task makes; for [`Flavour::Aquery`].
    fn outputs(&self, _node: Node) -> Vec<String> {
        Vec::new()
    }

    /// What sort of work a task does; for [`Flavour::Aquery`].
    fn mnemonic(&self, node: Node) -> &str {
        let label = self.label(node);
        label.rsplit(':').next().unwrap_or(label)
    }
}
