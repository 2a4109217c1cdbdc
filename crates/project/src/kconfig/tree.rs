//! Symbols and menus of a Kconfig file, and how dependencies spread over the
//! menu tree.

use indexmap::IndexMap;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

/// A symbol.
pub type SymId = usize;
/// An entry of the menu tree.
pub type NodeId = usize;
pub(super) type ChoiceId = usize;

/// The type of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Kind {
    /// Only named somewhere, never defined.
    #[default]
    Unknown,
    /// `bool`, and `tristate`, which without modules is the same.
    Bool,
    /// `string`
    String,
    /// `int`
    Int,
    /// `hex`
    Hex,
}

/// A condition or a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// Always.
    Yes,
    Const(String),
    Sym(SymId),
    /// The choice is in effect.
    Choice(ChoiceId),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(&'static str, Box<Expr>, Box<Expr>),
}

impl Expr {
    pub fn and(self, other: Expr) -> Expr {
        match (self, other) {
            (Expr::Yes, other) => other,
            (this, Expr::Yes) => this,
            (this, other) => Expr::And(Box::new(this), Box::new(other)),
        }
    }

    /// Whether it can only hold when `sym` is set.
    fn needs(&self, sym: SymId) -> bool {
        let is = |side: &Expr| *side == Expr::Sym(sym);
        let is_const =
            |side: &Expr, values: &[&str]| matches!(side, Expr::Const(c) if values.contains(&c.as_str()));
        match self {
            Expr::Sym(other) => *other == sym,
            Expr::And(a, b) => a.needs(sym) || b.needs(sym),
            Expr::Compare("=", a, b) => {
                (is(a) && is_const(b, &["y", "m"])) || (is(b) && is_const(a, &["y", "m"]))
            }
            Expr::Compare("!=", a, b) => (is(a) && is_const(b, &["n"])) || (is(b) && is_const(a, &["n"])),
            _ => false,
        }
    }
}

/// What a symbol is and what it is set to.
#[derive(Clone, Debug, Default)]
pub(super) struct Symbol {
    pub name: String,
    pub kind: Kind,
    pub nodes: Vec<NodeId>,
    pub defaults: Vec<(Expr, Expr)>,
    pub ranges: Vec<(Expr, Expr, Expr)>,
    /// Conditions under which others select or imply it.
    pub selected: Vec<Expr>,
    pub implied: Vec<Expr>,
    pub choice: Option<ChoiceId>,
    /// As the user set it.
    pub user: Option<String>,
}

/// One of several symbols.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    pub nodes: Vec<NodeId>,
    pub optional: bool,
    pub defaults: Vec<(Expr, Expr)>,
    pub syms: Vec<SymId>,
    pub user: Option<SymId>,
}

/// What an entry of the menu tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Sym(SymId),
    Choice(ChoiceId),
    Menu,
    Comment,
    If,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub item: Item,
    pub prompt: Option<(String, Expr)>,
    pub dep: Expr,
    pub visible_if: Expr,
    pub menuconfig: bool,
    pub help: Option<String>,
    pub children: Vec<NodeId>,
    pub defaults: Vec<(Expr, Expr)>,
    pub ranges: Vec<(Expr, Expr, Expr)>,
    pub selects: Vec<(SymId, Expr)>,
    pub implies: Vec<(SymId, Expr)>,
}

impl Node {
    pub fn new(item: Item) -> Node {
        Node {
            item,
            prompt: None,
            dep: Expr::Yes,
            visible_if: Expr::Yes,
            menuconfig: false,
            help: None,
            children: Vec::new(),
            defaults: Vec::new(),
            ranges: Vec::new(),
            selects: Vec::new(),
            implies: Vec::new(),
        }
    }
}

/// A Kconfig file with everything it sources.
#[derive(Clone, Debug)]
pub struct Kconfig {
    pub(super) title: String,
    pub(super) syms: Vec<Symbol>,
    /// In the order they are first named.
    pub(super) names: IndexMap<String, SymId>,
    pub(super) choices: Vec<Choice>,
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// Truth values known since the last change; `None`: being computed.
    pub(super) cache: RefCell<BTreeMap<SymId, Option<u8>>>,
}

impl Kconfig {
    pub(super) fn empty() -> Kconfig {
        let mut root = Node::new(Item::Menu);
        root.menuconfig = true;
        Kconfig {
            title: "Main menu".to_owned(),
            syms: Vec::new(),
            names: IndexMap::new(),
            choices: Vec::new(),
            nodes: vec![root],
            root: 0,
            cache: RefCell::default(),
        }
    }

    /// The symbol `name`, made on first use.
    pub(super) fn symbol(&mut self, name: &str) -> SymId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = self.syms.len();
        self.syms.push(Symbol { name: name.to_owned(), ..Symbol::default() });
        self.names.insert(name.to_owned(), id);
        id
    }

    /// Spreads dependencies from menus to what is in them, collects the
    /// properties of symbols and makes submenus of what depends on the symbol
    /// before it.
    pub(super) fn finish(&mut self) {
        let root = self.root;
        self.finish_children(root, &Expr::Yes);
    }

    fn finish_children(&mut self, node: NodeId, visible_if: &Expr) {
        let visible_if = match self.nodes[node].item {
            Item::Menu => visible_if.clone().and(self.nodes[node].visible_if.clone()),
            _ => visible_if.clone(),
        };
        let base = match self.nodes[node].item {
            Item::Choice(choice) => Expr::Choice(choice),
            _ => self.nodes[node].dep.clone(),
        };
        for child in self.nodes[node].children.clone() {
            self.spread(child, &base, &visible_if);
        }
        let mut queue: VecDeque<NodeId> = self.nodes[node].children.drain(..).collect();
        let mut done = Vec::new();
        while !queue.is_empty() {
            done.extend(self.finish_next(&mut queue, &visible_if));
        }
        self.nodes[node].children = self.flatten(done);
        if let Item::Choice(choice) = self.nodes[node].item {
            self.finish_choice(node, choice);
        }
    }

    fn finish_next(&mut self, queue: &mut VecDeque<NodeId>, visible_if: &Expr) -> Option<NodeId> {
        let node = queue.pop_front()?;
        let Item::Sym(sym) = self.nodes[node].item else {
            self.finish_children(node, visible_if);
            return Some(node);
        };
        self.collect(node, sym);
        let mut children = Vec::new();
        while let Some(next) = queue.front() {
            let next = &self.nodes[*next];
            let condition = next.prompt.as_ref().map_or(&next.dep, |(_, condition)| condition);
            if !condition.needs(sym) {
                break;
            }
            children.extend(self.finish_next(queue, visible_if));
        }
        self.nodes[node].children = self.flatten(children);
        Some(node)
    }

    /// `if` goes away, and so does the level below whatever has no prompt.
    fn flatten(&self, nodes: Vec<NodeId>) -> Vec<NodeId> {
        let mut out = Vec::new();
        for id in nodes {
            let node = &self.nodes[id];
            if node.item != Item::If {
                out.push(id);
            }
            if node.prompt.is_none() && !matches!(node.item, Item::Choice(_)) {
                out.extend(&node.children);
            }
        }
        out
    }

    fn spread(&mut self, id: NodeId, base: &Expr, visible_if: &Expr) {
        let node = &mut self.nodes[id];
        node.dep = node.dep.clone().and(base.clone());
        let dep = node.dep.clone();
        let is_option = matches!(node.item, Item::Sym(_) | Item::Choice(_));
        if let Some((_, condition)) = &mut node.prompt {
            let visible = if is_option { visible_if.clone() } else { Expr::Yes };
            *condition = condition.clone().and(visible).and(dep.clone());
        }
        let with_dep = |condition: &mut Expr| *condition = condition.clone().and(dep.clone());
        node.defaults.iter_mut().for_each(|(_, condition)| with_dep(condition));
        node.ranges.iter_mut().for_each(|(_, _, condition)| with_dep(condition));
        node.selects.iter_mut().for_each(|(_, condition)| with_dep(condition));
        node.implies.iter_mut().for_each(|(_, condition)| with_dep(condition));
    }

    fn collect(&mut self, node: NodeId, sym: SymId) {
        let node = self.nodes[node].clone();
        self.syms[sym].defaults.extend(node.defaults);
        self.syms[sym].ranges.extend(node.ranges);
        for (target, condition) in node.selects {
            self.syms[target].selected.push(Expr::Sym(sym).and(condition));
        }
        for (target, condition) in node.implies {
            self.syms[target].implied.push(Expr::Sym(sym).and(condition));
        }
    }

    fn finish_choice(&mut self, node: NodeId, choice: ChoiceId) {
        let defaults = self.nodes[node].defaults.clone();
        self.choices[choice].defaults.extend(defaults);
        for child in self.nodes[node].children.clone() {
            if let Item::Sym(sym) = self.nodes[child].item {
                self.syms[sym].choice = Some(choice);
                if self.syms[sym].kind == Kind::Unknown {
                    self.syms[sym].kind = Kind::Bool;
                }
                self.choices[choice].syms.push(sym);
            }
        }
    }
}
