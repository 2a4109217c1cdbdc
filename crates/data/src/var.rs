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

    /// Is there nothing in which the two differ? Objects of the interpreter and versions for overrides
    /// count as different.
    pub(crate) fn says_the_same(&self, other: &Var) -> bool {
        let modifiers = |a: &[Modifier], b: &[Modifier]| {
            let same =
                |(a, b): (&Modifier, &Modifier)| a.overrides == b.overrides && is_same(&a.text, &b.text);
            a.len() == b.len() && a.iter().zip(b).all(same)
        };
        let flags = |a: &[(Sym, Value)], b: &[(Sym, Value)]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && is_same(&a.1, &b.1))
        };
        let values = |a: &Option<Value>, b: &Option<Value>| match (a, b) {
            (Some(a), Some(b)) => is_same(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        values(&self.content, &other.content)
            && values(&self.weak, &other.weak)
            && flags(&self.flags, &other.flags)
            && flags(&self.weak_flags, &other.weak_flags)
            && modifiers(&self.append, &other.append)
            && modifiers(&self.prepend, &other.prepend)
            && modifiers(&self.remove, &other.remove)
            && self.candidates.is_empty()
            && other.candidates.is_empty()
            && self.filters == other.filters
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

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::None, Value::None) => true,
        (Value::Str(a), Value::Str(b)) => Rc::ptr_eq(a, b) || a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            Rc::ptr_eq(a, b) || (a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| is_same(a, b)))
        }
        _ => false,
    }
}

fn put(list: &mut Vec<(Sym, Value)>, key: Sym, value: Value) {
    match list.iter_mut().find(|(name, _)| *name == key) {
        Some(slot) => slot.1 = value,
        None => list.push((key, value)),
    }
}
