//! Which overrides are active, and which version of a variable they choose.

use crate::cache::{CacheKey, Input};
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::var::{Candidate, Var};
use crate::{Error, Result};
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// The active overrides.
pub(crate) struct Active {
    names: Vec<Rc<str>>,
    set: FxHashSet<Sym>,
    pub(crate) id: u32,
    /// What OVERRIDES was computed from.
    inputs: Rc<[(Input, u64)]>,
}

impl Active {
    /// Are all of `parts` active?
    pub(crate) fn all(&self, parts: &[Sym]) -> bool {
        parts.iter().all(|part| self.set.contains(part))
    }
}

/// OVERRIDES may change five times; one more round must find it settled.
const ROUNDS: usize = 7;

impl DataStore {
    /// The active overrides, lowest priority first.
    pub fn override_list(&self) -> Result<Vec<Rc<str>>> {
        Ok(self.overrides()?.names.clone())
    }

    /// Computes the active overrides where they are not known. OVERRIDES itself is
    /// expanded under the overrides it gives, until it stays the same.
    pub(crate) fn overrides(&self) -> Result<Rc<Active>> {
        if let Some(active) = self.inner().active.borrow().as_ref() {
            return Ok(active.clone());
        }
        if self.inner().resolving.get() {
            return Ok(self.make_active("", Rc::new([])));
        }
        // What is being computed outside does not depend on how OVERRIDES came about,
        // only on its value.
        let outer = std::mem::take(&mut *self.context().frames.borrow_mut());
        self.inner().resolving.set(true);
        let result = self.resolve_overrides();
        self.inner().resolving.set(false);
        *self.context().frames.borrow_mut() = outer;
        if result.is_err() {
            *self.inner().active.borrow_mut() = None;
        }
        result
    }

    fn resolve_overrides(&self) -> Result<Rc<Active>> {
        let sym = self.context().sym("OVERRIDES");
        let mut seen: FxHashSet<Sym> = FxHashSet::default();
        seen.insert(sym);
        *self.inner().active.borrow_mut() = Some(self.make_active("", Rc::new([])));
        let mut previous: Option<Rc<str>> = None;
        let mut rounds: Vec<String> = Vec::new();
        for _ in 0..ROUNDS {
            let entry = self.entry(sym)?;
            let text = entry.value.as_ref().and_then(|v| v.as_str().cloned()).unwrap_or_else(|| "".into());
            seen.extend(entry.inputs.iter().filter_map(|(input, _)| match input {
                Input::Content(sym) => Some(*sym),
                Input::Flags(_) | Input::Filters(_) => None,
            }));
            if previous.as_deref() == Some(&*text) {
                *self.inner().override_vars.borrow_mut() = seen;
                return Ok(self.inner().active.borrow().clone().expect("set in the round before"));
            }
            *self.inner().active.borrow_mut() = Some(self.make_active(&text, entry.inputs.clone()));
            let names: Vec<String> = text.split(':').map(|name| format!("'{name}'")).collect();
            rounds.push(format!("[{}]", names.join(", ")));
            previous = Some(text);
        }
        rounds.truncate(5);
        Err(Error::UnstableOverrides(rounds.join("\n")))
    }

    fn make_active(&self, text: &str, inputs: Rc<[(Input, u64)]>) -> Rc<Active> {
        let names: Vec<Rc<str>> = text.split(':').map(Rc::from).collect();
        let list: Rc<[Sym]> = names.iter().map(|name| self.context().sym(name)).collect();
        let set = list.iter().copied().collect();
        let id = self.context().override_list_id(&list);
        Rc::new(Active { names, set, id, inputs })
    }

    /// A number for the list of active overrides. 0 where it cannot be computed.
    pub(crate) fn overrides_id(&self) -> u32 {
        self.overrides().map_or(0, |active| active.id)
    }

    pub(crate) fn override_inputs(&self) -> Option<Rc<[(Input, u64)]>> {
        self.overrides().ok().map(|active| active.inputs.clone())
    }

    /// The version of `var` that the active overrides choose.
    ///
    /// BitBake: going through OVERRIDES again and again, a candidate that ends in the
    /// override loses that part; one that consists of it is chosen, and the last chosen wins.
    pub(crate) fn choose(&self, var: &Var) -> Result<Option<Sym>> {
        let active = self.overrides()?;
        let mut open: Vec<(String, Sym)> = Vec::new();
        let mut single: Option<&Candidate> = None;
        for candidate in var.candidates.iter().filter(|c| active.all(&c.parts)) {
            single = if open.is_empty() { Some(candidate) } else { None };
            put(&mut open, candidate.key.to_string(), candidate.var);
        }
        if open.is_empty() {
            return Ok(None);
        }
        if let Some(only) = single
            && open.len() == 1
            && only.parts.len() == 1
        {
            return Ok(Some(only.var));
        }
        let mut chosen = None;
        let mut changed = true;
        while changed {
            changed = false;
            for name in &active.names {
                let suffix = format!(":{name}");
                for (key, target) in open.clone() {
                    if key.ends_with(&suffix) {
                        open.retain(|(other, _)| *other != key);
                        put(&mut open, key.replace(&suffix, ""), target);
                        changed = true;
                    } else if key == **name {
                        open.retain(|(other, _)| *other != key);
                        chosen = Some(target);
                    }
                }
            }
        }
        Ok(chosen)
    }

    /// The cached or computed value of a variable.
    pub(crate) fn entry(&self, sym: Sym) -> Result<Rc<crate::cache::Entry>> {
        match self.cached(CacheKey::Variable(sym)) {
            Some(entry) => Ok(entry),
            None => self.compute(sym),
        }
    }
}

fn put(list: &mut Vec<(String, Sym)>, key: String, target: Sym) {
    match list.iter_mut().find(|(other, _)| *other == key) {
        Some(slot) => slot.1 = target,
        None => list.push((key, target)),
    }
}
