//! Values to YAML in PyYAML's block layout, so that lock files and dumps do
//! not differ needlessly from those of kas.

use super::represent::{Node, NodeId, Nodes, represent};
use super::style::{Style, analyse, choose, is_break};
use super::write::Writer;
use crate::value::Value;
use std::collections::HashSet;

/// How a document is laid out.
#[derive(Clone, Copy, Debug)]
pub struct EmitOptions {
    /// Columns per level; as in PyYAML 2 unless between 2 and 9.
    pub indent: i64,
    /// Keys in alphabetical order instead of their own.
    pub sort: bool,
    /// Write null as `null`, not as nothing.
    pub null_word: bool,
    /// Write what is in several places by an alias once, with anchors where kas
    /// puts them. Where a text is behind the list or mapping they mean that text
    /// when read again, in kas' dumps as well.
    pub kas_aliases: bool,
}

impl Default for EmitOptions {
    fn default() -> EmitOptions {
        EmitOptions { indent: 2, sort: false, null_word: false, kas_aliases: false }
    }
}

/// The YAML text of `value`, with a line break at its end.
pub fn emit(value: &Value, options: &EmitOptions) -> String {
    let best_indent = usize::try_from(options.indent).ok().filter(|i| (2..10).contains(i)).unwrap_or(2);
    let nodes = represent(value, options.sort, options.kas_aliases);
    let mut emitter = Emitter {
        w: Writer::new(),
        best_indent,
        null_word: options.null_word,
        nodes: &nodes,
        written: HashSet::new(),
    };
    emitter.node(nodes.root, Context::Root);
    emitter.w.indent = 0;
    emitter.w.start_line();
    if emitter.w.open_ended {
        emitter.w.indicator("...", true, false);
        emitter.w.start_line();
    }
    emitter.w.out
}

#[derive(Clone, Copy, PartialEq)]
enum Context {
    Root,
    Item,
    MappingValue,
    SimpleKey,
}

struct Emitter<'n> {
    w: Writer,
    best_indent: usize,
    null_word: bool,
    nodes: &'n Nodes<'n>,
    /// Nodes with an anchor that stand in the text.
    written: HashSet<NodeId>,
}

impl Emitter<'_> {
    fn node(&mut self, id: NodeId, context: Context) {
        if let Some(anchor) = self.anchor(id) {
            let first = self.written.insert(id);
            self.w.indicator(&format!("{}{anchor}", if first { '&' } else { '*' }), true, false);
            if !first {
                return;
            }
        }
        let key = context == Context::SimpleKey;
        match &self.nodes.nodes[id] {
            Node::Seq(items) if !items.is_empty() => self.sequence(items, context),
            Node::Seq(_) => self.w.indicator("[]", true, false),
            Node::Map(pairs) if !pairs.is_empty() => self.mapping(pairs, context),
            Node::Map(_) => self.w.indicator("{}", true, false),
            Node::Text(text) => self.scalar(text, key, !key && text.contains('\n')),
            Node::Word(word) => self.word(word, key),
            Node::Null if self.null_word => self.word("null", key),
            Node::Null => {}
        }
    }

    fn anchor(&self, id: NodeId) -> Option<String> {
        self.nodes.anchors.get(&id).map(|number| format!("id{number:03}"))
    }

    /// Runs `body` one level deeper.
    fn deeper(&mut self, context: Context, indentless: bool, body: impl FnOnce(&mut Self)) {
        let outer = self.w.indent;
        self.w.indent = match context {
            Context::Root => 0,
            _ if indentless => outer,
            _ => outer + self.best_indent,
        };
        body(self);
        self.w.indent = outer;
    }

    fn sequence(&mut self, items: &[NodeId], context: Context) {
        let indentless = context == Context::MappingValue && !self.w.indention;
        self.deeper(context, indentless, |e| {
            for item in items {
                e.w.start_line();
                e.w.indicator("-", true, true);
                e.node(*item, Context::Item);
            }
        });
    }

    fn mapping(&mut self, pairs: &[(NodeId, NodeId)], context: Context) {
        self.deeper(context, false, |e| {
            for (key, value) in pairs {
                e.w.start_line();
                if e.is_simple(*key) {
                    e.node(*key, Context::SimpleKey);
                    e.w.indicator(":", false, false);
                } else {
                    e.w.indicator("?", true, true);
                    e.node(*key, Context::MappingValue);
                    e.w.start_line();
                    e.w.indicator(":", true, true);
                }
                e.node(*value, Context::MappingValue);
            }
        });
    }

    /// Whether a key stands on the line of its value.
    fn is_simple(&self, id: NodeId) -> bool {
        let Node::Text(key) = &self.nodes.nodes[id] else { return true };
        // PyYAML counts the anchor and the hidden tag `!!str`, too
        let length = self.anchor(id).map_or(0, |anchor| anchor.len()) + "!!str".len() + key.chars().count();
        !key.is_empty() && !key.contains(is_break) && length < 128
    }

    fn word(&mut self, word: &str, key: bool) {
        self.w.plain(&word.chars().collect::<Vec<_>>(), !key);
    }

    fn scalar(&mut self, text: &str, key: bool, literal: bool) {
        let chars: Vec<char> = text.chars().collect();
        let analysis = analyse(&chars);
        let outer = self.w.indent;
        self.w.indent += self.best_indent;
        match choose(text, &analysis, key, literal) {
            Style::Plain => self.w.plain(&chars, !key),
            Style::Single => self.w.single_quoted(&chars, !key),
            Style::Double => self.w.double_quoted(&chars, !key),
            Style::Literal => self.w.literal(&chars, self.best_indent),
        }
        self.w.indent = outer;
    }
}
