//! Values to the nodes of the document that is written, and which of them get
//! an anchor.
//!
//! PyYAML writes a list or mapping that is in several places once, with an
//! anchor, and an alias in the other places. kas' dumper makes texts and nulls
//! without telling PyYAML, so each of them stands for the list or mapping that
//! was begun last, and takes the anchor from it: an alias then means a text.

use crate::key::Key;
use crate::value::{Map, Value, float_word};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Place of a node in its document.
pub(super) type NodeId = usize;

/// What is written in one place.
pub(super) enum Node<'v> {
    Null,
    Text(&'v str),
    /// A number or boolean.
    Word(String),
    Seq(Vec<NodeId>),
    Map(Vec<(NodeId, NodeId)>),
}

/// The nodes of a document.
pub(super) struct Nodes<'v> {
    pub nodes: Vec<Node<'v>>,
    pub root: NodeId,
    /// Number of the anchor of those that are in several places.
    pub anchors: HashMap<NodeId, usize>,
}

/// The nodes of `value`; `aliases` as kas' dumper finds them, else all is
/// written out.
pub(super) fn represent(value: &Value, sort: bool, aliases: bool) -> Nodes<'_> {
    let known = aliases.then(HashMap::new);
    let mut maker = Maker { nodes: Vec::new(), sort, known, begun: None };
    let root = maker.value(value);
    let mut nodes = Nodes { nodes: maker.nodes, root, anchors: HashMap::new() };
    if aliases {
        nodes.find_anchors(root, &mut HashSet::new());
    }
    nodes
}

impl Nodes<'_> {
    /// Anchors are numbered in the order of their first aliases.
    fn find_anchors(&mut self, id: NodeId, seen: &mut HashSet<NodeId>) {
        if !seen.insert(id) {
            let next = self.anchors.len() + 1;
            self.anchors.entry(id).or_insert(next);
            return;
        }
        let children = match &self.nodes[id] {
            Node::Seq(items) => items.clone(),
            Node::Map(pairs) => pairs.iter().flat_map(|(key, value)| [*key, *value]).collect(),
            Node::Null | Node::Text(_) | Node::Word(_) => return,
        };
        for child in children {
            self.find_anchors(child, seen);
        }
    }
}

/// Identity of a list or mapping: its address.
type Identity = *const ();

struct Maker<'v> {
    nodes: Vec<Node<'v>>,
    sort: bool,
    /// The node that stands for a list or mapping; `None` without aliases.
    known: Option<HashMap<Identity, NodeId>>,
    /// The list or mapping that was begun last, unless a number came after it.
    begun: Option<Identity>,
}

impl<'v> Maker<'v> {
    fn value(&mut self, value: &'v Value) -> NodeId {
        match value {
            Value::Null => self.unannounced(Node::Null),
            Value::Str(text) => self.unannounced(Node::Text(text)),
            Value::Seq(items) => self.collection(Arc::as_ptr(items).cast(), Node::Seq(Vec::new()), |maker| {
                Node::Seq(items.iter().map(|item| maker.value(item)).collect())
            }),
            Value::Map(map) => self.collection(Arc::as_ptr(map).cast(), Node::Map(Vec::new()), |maker| {
                let pairs = ordered(map, maker.sort).into_iter();
                Node::Map(pairs.map(|(key, value)| (maker.key(key), maker.value(value))).collect())
            }),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Opaque(_) => self.number(word(value)),
        }
    }

    fn key(&mut self, key: &'v Key) -> NodeId {
        match key.is_text() {
            true => self.unannounced(Node::Text(key.as_str())),
            false => self.number(key.yaml_word()),
        }
    }

    fn push(&mut self, node: Node<'v>) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn number(&mut self, word: String) -> NodeId {
        self.begun = None;
        self.push(Node::Word(word))
    }

    /// A text or null: from now on it stands for what was begun last.
    fn unannounced(&mut self, node: Node<'v>) -> NodeId {
        let id = self.push(node);
        if let (Some(known), Some(begun)) = (&mut self.known, self.begun) {
            known.insert(begun, id);
        }
        id
    }

    fn collection(
        &mut self,
        identity: Identity,
        empty: Node<'v>,
        fill: impl FnOnce(&mut Self) -> Node<'v>,
    ) -> NodeId {
        self.begun = Some(identity);
        if let Some(id) = self.known.as_ref().and_then(|known| known.get(&identity)) {
            return *id;
        }
        let id = self.push(empty);
        if let Some(known) = &mut self.known {
            known.insert(identity, id);
        }
        self.nodes[id] = fill(self);
        id
    }
}

fn ordered(map: &Map, sort: bool) -> Vec<(&Key, &Value)> {
    let mut pairs: Vec<_> = map.iter().collect();
    if sort {
        pairs.sort_by_key(|(key, _)| *key);
    }
    pairs
}

/// A value that is neither a text nor a collection, as PyYAML writes it.
fn word(value: &Value) -> String {
    match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) if number.is_nan() => ".nan".to_owned(),
        Value::Float(number) if number.is_infinite() => {
            if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned()
        }
        Value::Float(number) => float_word(*number),
        _ => "null".to_owned(),
    }
}
