//! One variable: its value, what modifies it at read time, and its flags.

use crate::symbol::Sym;
use crate::value::Value;
use std::rc::Rc;

/// A pending `:append`, `:prepend` or `:remove`.
#[derive(Clone, Debug)]
pub(crate) struct Modifier {
    pub(crate) text: Value,
    /// Applies only if all of these are active.
    pub(crate) overrides: Rc<[Sym]>,
}

/// A variable that replaces this one when its overrides are active: `FOO:a:b` for `FOO`.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) var: Sym,
    /// `a:b`
    pub(crate) key: Rc<str>,
    pub(crate) parts: Rc<[Sym]>,
}

/// A variable. An empty one stands for a deleted one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Var {
    pub(crate) content: Option<Value>,
    pub(crate) weak: Option<Value>,
    pub(crate) append: Vec<Modifier>,
    pub(crate) prepend: Vec<Modifier>,
    pub(crate) remove: Vec<Modifier>,
    pub(crate) flags: Vec<(Sym, Value)>,
    pub(crate) weak_flags: Vec<(Sym, Value)>,
    pub(crate) candidates: Rc<Vec<Candidate>>,
    /// Filter expressions in order (`setVarFilter`).
    pub(crate) filters: Vec<Rc<str>>,
    /// Changes with each write that can change the value.
    pub(crate) version: u64,
    /// Changes with each write to flags.
    pub(crate) flags_version: u64,
    /// Changes with each new filter.
    pub(crate) filters_version: u64,
    /// Store that wrote it last.
    pub(crate) owner: u64,
}

impl Var {
    /// Is there anything to see? Candidates alone do not make a variable exist.
    pub(crate) fn exists(&self) -> bool {
        self.content.is_some()
            || self.weak.is_some()
            || !self.flags.is_empty()
            || !self.weak_flags.is_empty()
            || !self.append.is_empty()
            || !self.prepend.is_empty()
            || !self.remove.is_empty()
    }

    pub(crate) fn flag(&self, flag: Sym) -> Option<&Value> {
        self.flags.iter().find(|(name, _)| *name == flag).map(|(_, value)| value)
    }

    pub(crate) fn weak_flag(&self, flag: Sym) -> Option<&Value> {
        self.weak_flags.iter().find(|(name, _)| *name == flag).map(|(_, value)| value)
    }

    pub(crate) fn set_flag(&mut self, flag: Sym, value: Value) {
        put(&mut self.flags, flag, value);
    }

    pub(crate) fn set_weak_flag(&mut self, flag: Sym, value: Value) {
        put(&mut self.weak_flags, flag, value);
    }

    /// Does its value depend on which overrides are active?
    pub(crate) fn looks_at_overrides(&self) -> bool {
        let conditional = |list: &[Modifier]| list.iter().any(|m| !m.overrides.is_empty());
        !self.candidates.is_empty()
            || conditional(&self.append)
            || conditional(&self.prepend)
            || conditional(&self.remove)
    }
}

fn put(list: &mut Vec<(Sym, Value)>, key: Sym, value: Value) {
    match list.iter_mut().find(|(name, _)| *name == key) {
        Some(slot) => slot.1 = value,
        None => list.push((key, value)),
    }
}
