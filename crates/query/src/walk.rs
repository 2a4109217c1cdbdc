//! Ways through the graph of an environment.

use crate::env::QueryEnv;
use crate::nodes::{Node, NodeSet};
use bitzel_taskgraph::{EdgeKinds, Rows};
use std::collections::VecDeque;

/// The edges of one set of kinds, both ways.
pub(crate) struct Edges {
    forward: Rows,
    backward: Rows,
}

impl Edges {
    pub(crate) fn of(env: &dyn QueryEnv, kinds: EdgeKinds) -> Edges {
        let count = env.node_count();
        let mut pairs = Vec::new();
        for n in 0..count as u32 {
            env.deps(Node(n), kinds, &mut |dep| pairs.push((n, dep.0)));
        }
        Edges {
            forward: Rows::from_pairs(count, pairs.iter().copied()),
            backward: Rows::from_pairs(count, pairs.iter().map(|&(from, to)| (to, from))),
        }
    }

    pub(crate) fn deps(&self, node: Node) -> &[u32] {
        self.forward.row(node.0)
    }

    /// What `from` reaches in at most `depth` steps, itself included.
    pub(crate) fn forward(&self, from: &NodeSet, depth: usize) -> NodeSet {
        reach(&self.forward, from, depth, |_| true)
    }

    /// What reaches `from` in at most `depth` steps within `universe`.
    pub(crate) fn backward(&self, from: &NodeSet, depth: usize, universe: Option<&NodeSet>) -> NodeSet {
        reach(&self.backward, from, depth, |node| universe.is_none_or(|u| u.contains(node)))
    }

    /// A shortest way from a node of `from` to one of `to`, both ends included.
    pub(crate) fn some_path(&self, from: &NodeSet, to: &NodeSet) -> Vec<Node> {
        let mut came_from: Vec<Option<Node>> = vec![None; self.count()];
        let mut seen = from.clone();
        let mut queue: VecDeque<Node> = from.iter().collect();
        while let Some(node) = queue.pop_front() {
            if to.contains(node) {
                let mut path = vec![node];
                while let Some(before) = came_from[path[path.len() - 1].0 as usize] {
                    path.push(before);
                }
                path.reverse();
                return path;
            }
            for &dep in self.deps(node) {
                if seen.insert(Node(dep)) {
                    came_from[dep as usize] = Some(node);
                    queue.push_back(Node(dep));
                }
            }
        }
        Vec::new()
    }

    fn count(&self) -> usize {
        self.forward.len()
    }
}

fn reach(rows: &Rows, from: &NodeSet, depth: usize, within: impl Fn(Node) -> bool) -> NodeSet {
    let mut seen = NodeSet::new(rows.len());
    let mut front: Vec<Node> = from.iter().filter(|&node| within(node)).collect();
    front.iter().for_each(|&node| {
        seen.insert(node);
    });
    for _ in 0..depth {
        let mut next = Vec::new();
        for node in front {
            next.extend(rows.row(node.0).iter().map(|&n| Node(n)).filter(|&n| within(n) && seen.insert(n)));
        }
        if next.is_empty() {
            break;
        }
        front = next;
    }
    seen
}

/// For each node of `set`, how many steps it is from a root of the part of the
/// graph within `set`: the fewest, or with `longest` the most (nodes of a cycle
/// share one rank). Roots are nodes nothing in `set` outside their cycle depends on.
pub(crate) fn ranks(edges: &Edges, set: &NodeSet, longest: bool) -> Vec<(usize, Node)> {
    let (component, count) = bitzel_taskgraph::components(edges.count(), |n| edges.forward.row(n));
    let members = Rows::from_pairs(count as usize, set.iter().map(|n| (component[n.0 as usize], n.0)));
    let mut rank: Vec<Option<usize>> = vec![None; count as usize];
    // Dependents have larger component numbers than what they depend on.
    for c in (0..count).rev() {
        if members.row(c).is_empty() {
            continue;
        }
        let mine = *rank[c as usize].get_or_insert(0);
        for &member in members.row(c) {
            for &dep in edges.deps(Node(member)).iter().filter(|&&dep| set.contains(Node(dep))) {
                let theirs = component[dep as usize] as usize;
                if theirs != c as usize {
                    let better = |old: usize| if longest { old.max(mine + 1) } else { old.min(mine + 1) };
                    rank[theirs] = Some(rank[theirs].map_or(mine + 1, better));
                }
            }
        }
    }
    let mut out: Vec<(usize, Node)> =
        set.iter().map(|n| (rank[component[n.0 as usize] as usize].unwrap_or(0), n)).collect();
    out.sort();
    out
}
