//! Sets of graph nodes and of files.

use std::collections::BTreeSet;

/// Number of a recipe or task within one environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub u32);

/// A set of nodes, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// The empty set, with room for nodes below `count`.
    pub fn new(count: usize) -> NodeSet {
        NodeSet { words: vec![0; count.div_ceil(64)] }
    }

    /// Adds a node; tells whether it was new.
    pub fn insert(&mut self, node: Node) -> bool {
        let (word, bit) = (node.0 as usize / 64, 1u64 << (node.0 % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    /// Whether a node is in the set.
    pub fn contains(&self, node: Node) -> bool {
        self.words.get(node.0 as usize / 64).is_some_and(|word| word >> (node.0 % 64) & 1 == 1)
    }

    /// The nodes, in order.
    pub fn iter(&self) -> impl Iterator<Item = Node> + Clone + '_ {
        self.words.iter().enumerate().flat_map(|(n, &word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| Node(n as u32 * 64 + bit))
        })
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    fn combine(&mut self, other: &NodeSet, f: impl Fn(u64, u64) -> u64) {
        self.words.resize(self.words.len().max(other.words.len()), 0);
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words.iter_mut().zip(others).for_each(|(mine, theirs)| *mine = f(*mine, theirs));
    }
}

impl FromIterator<Node> for NodeSet {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> NodeSet {
        let mut set = NodeSet::default();
        nodes.into_iter().for_each(|node| {
            set.insert(node);
        });
        set
    }
}

/// What an expression stands for: recipes or tasks, and files.
#[derive(Clone, Debug, Default)]
pub struct ResultSet {
    /// Recipes or tasks.
    pub nodes: NodeSet,
    /// Files, by path.
    pub files: BTreeSet<String>,
    /// The order of a path; empty where order means nothing.
    pub path: Vec<Node>,
}

impl ResultSet {
    /// Some nodes.
    pub fn of_nodes(nodes: NodeSet) -> ResultSet {
        ResultSet { nodes, ..ResultSet::default() }
    }

    /// Some files.
    pub fn of_files(files: BTreeSet<String>) -> ResultSet {
        ResultSet { files, ..ResultSet::default() }
    }

    pub(crate) fn union(mut self, other: &ResultSet) -> ResultSet {
        self.nodes.combine(&other.nodes, |a, b| a | b);
        self.files.extend(other.files.iter().cloned());
        self.path.clear();
        self
    }

    pub(crate) fn intersect(mut self, other: &ResultSet) -> ResultSet {
        self.nodes.combine(&other.nodes, |a, b| a & b);
        self.files.retain(|file| other.files.contains(file));
        self.path.clear();
        self
    }

    pub(crate) fn except(mut self, other: &ResultSet) -> ResultSet {
        self.nodes.combine(&other.nodes, |a, b| a & !b);
        self.files.retain(|file| !other.files.contains(file));
        self.path.clear();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_different_size_combine() {
        let small = ResultSet::of_nodes([Node(1)].into_iter().collect());
        let large = ResultSet::of_nodes([Node(1), Node(200)].into_iter().collect());
        let nodes = |set: ResultSet| set.nodes.iter().collect::<Vec<_>>();
        assert_eq!(nodes(small.clone().union(&large)), [Node(1), Node(200)]);
        assert_eq!(nodes(large.clone().except(&small)), [Node(200)]);
        assert_eq!(nodes(small.clone().except(&large)), []);
        assert_eq!(nodes(large.intersect(&small)), [Node(1)]);
    }
}
