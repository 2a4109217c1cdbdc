//! A graph drawn by hand, as an environment for queries.

use bitzel_query::{Flavour, Node, QueryEnv};
use bitzel_taskgraph::EdgeKinds;

/// Nodes by name with edges, kinds and files.
#[derive(Debug)]
pub struct Drawn {
    pub names: Vec<String>,
    pub edges: Vec<(u32, u32, EdgeKinds)>,
    pub flavour: Flavour,
}

impl Drawn {
    /// From `a>b` (build) and `a~b` (runtime) edges and single names.
    pub fn new(text: &str) -> Drawn {
        let mut drawn = Drawn { names: Vec::new(), edges: Vec::new(), flavour: Flavour::Query };
        for word in text.split_whitespace() {
            let kinds = if word.contains('~') { EdgeKinds::RUNTIME } else { EdgeKinds::BUILD };
            let ends: Vec<u32> = word.split(['>', '~']).map(|name| drawn.node(name)).collect();
            if let [from, to] = ends[..] {
                drawn.edges.push((from, to, kinds));
            }
        }
        drawn
    }

    fn node(&mut self, name: &str) -> u32 {
        let at = self.names.iter().position(|n| n == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        at as u32
    }
}

impl QueryEnv for Drawn {
    fn flavour(&self) -> Flavour {
        self.flavour
    }

    fn node_count(&self) -> usize {
        self.names.len()
    }

    fn label(&self, node: Node) -> &str {
        &self.names[node.0 as usize]
    }

    fn kind(&self, node: Node) -> String {
        if self.label(node).ends_with("-native") { "native" } else { "recipe" }.to_owned()
    }

    fn config(&self, node: Node) -> &str {
        if self.label(node).starts_with("mc:") { "x" } else { "" }
    }

    fn deps(&self, node: Node, kinds: EdgeKinds, f: &mut dyn FnMut(Node)) {
        let mine = self.edges.iter().filter(|(from, _, of)| *from == node.0 && of.intersects(kinds));
        mine.for_each(|&(_, to, _)| f(Node(to)));
    }

    fn resolve(&self, word: &str) -> Vec<Node> {
        let fits =
            |name: &str| name == word || word.strip_suffix('*').is_some_and(|start| name.starts_with(start));
        (0u32..).zip(&self.names).filter(|(_, name)| fits(name)).map(|(n, _)| Node(n)).collect()
    }

    fn similar(&self, _word: &str) -> Vec<String> {
        vec!["a".to_owned()]
    }

    fn attr(&self, node: Node, name: &str) -> Option<String> {
        match name {
            "DEPENDS" => {
                let deps = self.edges.iter().filter(|(from, ..)| *from == node.0);
                Some(deps.map(|(_, to, _)| self.names[*to as usize].clone()).collect::<Vec<_>>().join(" "))
            }
            "LICENSE" => (self.label(node) == "a").then(|| "GPL-3.0-only & MIT".to_owned()),
            _ => None,
        }
    }

    fn labels(&self, node: Node, attr: &str) -> Vec<Node> {
        let text = self.attr(node, attr).unwrap_or_default();
        text.split_whitespace().flat_map(|word| self.resolve(word)).collect()
    }

    fn file(&self, node: Node) -> &str {
        if self.label(node).starts_with('a') { "/l/a.bb" } else { "/l/other.bb" }
    }

    fn build_files(&self, node: Node) -> Vec<String> {
        vec![self.file(node).to_owned(), "/l/base.bbclass".to_owned()]
    }

    fn sources(&self, node: Node) -> Vec<String> {
        vec![format!("/l/files/{}.patch", self.label(node))]
    }

    fn definition(&self, node: Node) -> Vec<(String, String)> {
        vec![("PN".to_owned(), self.label(node).to_owned())]
    }
}
