//! Interned names: variables, flags and expression texts as small numbers.

use rustc_hash::FxHashMap;
use std::rc::Rc;

/// An interned name. Equal numbers mean equal names within one [`crate::Context`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sym(pub(crate) u32);

/// The table behind [`Sym`]. It only grows.
#[derive(Default)]
pub(crate) struct Symbols {
    by_name: FxHashMap<Rc<str>, Sym>,
    names: Vec<Rc<str>>,
    /// Does the name hold `${`? Asked for every variable of every recipe.
    references: Vec<bool>,
}

impl Symbols {
    pub(crate) fn intern(&mut self, name: &str) -> Sym {
        if let Some(&sym) = self.by_name.get(name) {
            return sym;
        }
        let sym = Sym(u32::try_from(self.names.len()).expect("fewer than 2^32 distinct names"));
        self.references.push(name.contains("${"));
        let name: Rc<str> = name.into();
        self.names.push(name.clone());
        self.by_name.insert(name, sym);
        sym
    }

    pub(crate) fn find(&self, name: &str) -> Option<Sym> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn has_reference(&self, sym: Sym) -> bool {
        self.references[sym.0 as usize]
    }

    pub(crate) fn text(&self, sym: Sym) -> &str {
        &self.names[sym.0 as usize]
    }

    pub(crate) fn name(&self, sym: Sym) -> Rc<str> {
        self.names[sym.0 as usize].clone()
    }
}
