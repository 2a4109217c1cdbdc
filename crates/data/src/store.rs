//! The store itself: tables, copies, and what exists.

use crate::cache::{CacheTable, Input};
use crate::context::Context;
use crate::history::{History, IncludeHistory};
use crate::overrides::Active;
use crate::signature::FilterState;
use crate::symbol::Sym;
use crate::value::Value;
use crate::var::{Candidate, Var};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;

/// A handle on a datastore. Clones of the handle are the same store;
/// [`DataStore::create_copy`] makes a new one.
#[derive(Clone)]
pub struct DataStore(Rc<Inner>);

pub(crate) struct Inner {
    id: u64,
    context: Rc<Context>,
    vars: RefCell<FxHashMap<Sym, Rc<Var>>>,
    writes: Cell<u64>,
    pub(crate) active: RefCell<Option<Rc<Active>>>,
    pub(crate) resolving: Cell<bool>,
    /// Variables OVERRIDES was computed from.
    pub(crate) override_vars: RefCell<FxHashSet<Sym>>,
    /// This store's cached values, then those of the stores it is a copy of.
    tables: Vec<Rc<CacheTable>>,
    /// Names in the order this store first wrote them, then those of the stores it is a
    /// copy of.
    written: Vec<Rc<RefCell<Vec<Sym>>>>,
    history: RefCell<History>,
    includes: RefCell<IncludeHistory>,
    /// While the store is signed.
    pub(crate) filter_state: RefCell<Option<FilterState>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.context.store_gone();
    }
}

impl DataStore {
    /// An empty store.
    pub fn new(context: &Rc<Context>) -> DataStore {
        DataStore(Rc::new(Inner {
            id: context.new_store_id(),
            context: context.clone(),
            vars: RefCell::default(),
            writes: Cell::new(0),
            active: RefCell::default(),
            resolving: Cell::new(false),
            override_vars: RefCell::default(),
            tables: vec![Rc::default(), context.shared.clone()],
            written: vec![Rc::default()],
            history: RefCell::default(),
            includes: RefCell::default(),
            filter_state: RefCell::default(),
        }))
    }

    /// An independent copy; it sees this store's cached values as far as they hold for it.
    pub fn create_copy(&self) -> DataStore {
        let inner = &self.0;
        let mut tables = vec![Rc::default()];
        tables.extend(inner.tables.iter().cloned());
        let mut written = vec![Rc::default()];
        written.extend(inner.written.iter().cloned());
        DataStore(Rc::new(Inner {
            id: inner.context.new_store_id(),
            context: inner.context.clone(),
            vars: inner.vars.clone(),
            writes: Cell::new(0),
            active: inner.active.clone(),
            resolving: Cell::new(false),
            override_vars: inner.override_vars.clone(),
            tables,
            written,
            history: inner.history.clone(),
            includes: inner.includes.clone(),
            filter_state: RefCell::default(),
        }))
    }

    /// What this store shares with the others of the process.
    pub fn context(&self) -> &Rc<Context> {
        &self.0.context
    }

    /// Unique within the process.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Are these handles on one store?
    pub fn is_same(&self, other: &DataStore) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Who set what, if that is tracked.
    pub fn history(&self) -> Ref<'_, History> {
        self.0.history.borrow()
    }

    /// Who set what, to add to it or switch tracking.
    pub fn history_mut(&self) -> RefMut<'_, History> {
        self.0.history.borrow_mut()
    }

    /// Which file included which.
    pub fn includes(&self) -> Ref<'_, IncludeHistory> {
        self.0.includes.borrow()
    }

    /// Which file included which, to add to it.
    pub fn includes_mut(&self) -> RefMut<'_, IncludeHistory> {
        self.0.includes.borrow_mut()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Number of writes so far; changes whenever anything changes.
    pub fn write_count(&self) -> u64 {
        self.0.writes.get()
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &Rc<CacheTable>> {
        self.0.tables.iter()
    }

    pub(crate) fn own_table(&self) -> &Rc<CacheTable> {
        &self.0.tables[0]
    }

    pub(crate) fn var(&self, sym: Sym) -> Option<Rc<Var>> {
        self.0.vars.borrow().get(&sym).cloned()
    }

    /// Looks at a variable; None where there is none.
    pub(crate) fn look<T>(&self, sym: Sym, look: impl FnOnce(&Var) -> T) -> Option<T> {
        self.0.vars.borrow().get(&sym).map(|var| look(var))
    }

    /// The variables that `wanted` says yes to, in no order.
    pub(crate) fn select(&self, wanted: impl Fn(&Var) -> bool) -> Vec<Sym> {
        self.0.vars.borrow().iter().filter(|(_, var)| wanted(var)).map(|(&sym, _)| sym).collect()
    }

    pub(crate) fn version_of(&self, input: Input) -> u64 {
        let vars = self.0.vars.borrow();
        match input {
            Input::Content(sym) => vars.get(&sym).map_or(0, |var| var.version),
            Input::Flags(sym) => vars.get(&sym).map_or(0, |var| var.flags_version),
            Input::Filters(sym) => vars.get(&sym).map_or(0, |var| var.filters_version),
            Input::Choice(sym) => {
                // Working out the overrides reads variables.
                drop(vars);
                self.choice(sym).unwrap_or(u64::MAX)
            }
        }
    }

    /// Changes a variable's value or modifiers; the variable is made where there is none.
    pub(crate) fn change<T>(&self, sym: Sym, edit: impl FnOnce(&mut Var) -> T) -> T {
        let version = self.0.context.new_version();
        let result = {
            let mut vars = self.0.vars.borrow_mut();
            let var = Rc::make_mut(vars.entry(sym).or_default());
            var.version = version;
            self.claim(sym, var);
            edit(var)
        };
        self.written(Some(sym));
        result
    }

    /// Changes a variable's flags only.
    pub(crate) fn change_flags<T>(&self, sym: Sym, edit: impl FnOnce(&mut Var) -> T) -> T {
        let version = self.0.context.new_version();
        let result = {
            let mut vars = self.0.vars.borrow_mut();
            let var = Rc::make_mut(vars.entry(sym).or_default());
            var.flags_version = version;
            self.claim(sym, var);
            edit(var)
        };
        self.written(None);
        result
    }

    /// Values that went through the filters of a variable hold no longer.
    pub(crate) fn renew_filters(&self, sym: Sym) {
        let version = self.0.context.new_version();
        if let Some(var) = self.0.vars.borrow_mut().get_mut(&sym) {
            Rc::make_mut(var).filters_version = version;
        }
        self.written(None);
    }

    /// Changes which variables stand in for this one; the variable itself is not written.
    pub(crate) fn change_candidates(&self, sym: Sym, edit: impl FnOnce(&mut Vec<Candidate>)) {
        let version = self.0.context.new_version();
        {
            let mut vars = self.0.vars.borrow_mut();
            let var = Rc::make_mut(vars.entry(sym).or_default());
            var.version = version;
            edit(Rc::make_mut(&mut var.candidates));
        }
        // BitBake: a new version of a variable that OVERRIDES is made from does not make it
        // be worked out again; a write to the variable itself does.
        self.written(None);
    }

    /// The running computation depends on which variables exist.
    fn note_keys(&self) {
        self.note_until_write();
        self.note_overrides();
    }

    fn claim(&self, sym: Sym, var: &mut Var) {
        if var.owner != self.0.id {
            var.owner = self.0.id;
            self.0.written[0].borrow_mut().push(sym);
        }
    }

    /// The names of [`DataStore::keys`] as BitBake gathers them: for this store and each it
    /// is a copy of, those written there, in order of first writing; and last those
    /// that stand for an active override. A name may be in several lists.
    pub fn keys_by_origin(&self) -> (Vec<Vec<Rc<str>>>, Vec<Rc<str>>) {
        self.note_keys();
        let active = self.overrides().ok();
        let vars = self.0.vars.borrow();
        let overridden = |var: &Var| {
            active.as_ref().is_some_and(|active| var.candidates.iter().any(|c| active.all(&c.parts)))
        };
        let name = |sym: &Sym| self.0.context.name(*sym);
        let mut replaced: Vec<Rc<str>> =
            vars.iter().filter(|(_, var)| overridden(var)).map(|(sym, _)| name(sym)).collect();
        replaced.sort_unstable();
        let seen = |sym: &&Sym| vars.get(sym).is_some_and(|var| var.exists() && !overridden(var));
        let levels = self.0.written.iter();
        (levels.map(|level| level.borrow().iter().filter(seen).map(name).collect()).collect(), replaced)
    }

    fn written(&self, content: Option<Sym>) {
        self.0.writes.set(self.0.writes.get() + 1);
        self.note_write();
        if let Some(sym) = content
            && self.0.override_vars.borrow().contains(&sym)
        {
            self.forget_overrides();
        }
    }

    pub(crate) fn forget_overrides(&self) {
        if !self.0.resolving.get() {
            *self.0.active.borrow_mut() = None;
        }
    }

    /// Looks at a variable's content as it is, without overrides, modifiers or expansion,
    /// and without being noted as an input. For book-keeping variables.
    pub fn peek<T>(&self, name: &str, look: impl FnOnce(&Value) -> T) -> Option<T> {
        let var = self.var(self.0.context.find_sym(name)?)?;
        var.content.as_ref().map(look)
    }

    /// Adds to a book-keeping variable that holds a list; it is made where there is none.
    pub fn push_to_list(&self, name: &str, item: Value) {
        let sym = self.0.context.sym(name);
        self.change(sym, |var| match &mut var.content {
            Some(Value::List(list)) => Rc::make_mut(list).push(item),
            content => *content = Some(Value::List(Rc::new(vec![item]))),
        });
    }

    /// All variables that exist, those that exist only through an active override
    /// included, sorted by name.
    pub fn keys(&self) -> Vec<Rc<str>> {
        self.note_keys();
        let active = self.overrides().ok();
        let vars = self.0.vars.borrow();
        let mut keys: Vec<Rc<str>> = vars
            .iter()
            .filter(|(_, var)| {
                var.exists()
                    || active.as_ref().is_some_and(|active| {
                        var.candidates.iter().any(|candidate| active.all(&candidate.parts))
                    })
            })
            .map(|(&sym, _)| self.0.context.name(sym))
            .collect();
        keys.sort_unstable();
        keys
    }

    /// The variables with a true flag of `any` and none of `none`, sorted by name; names that
    /// start with `__` are the program's own and left out.
    pub fn flagged_names(&self, any: &[String], none: &[String]) -> Vec<Rc<str>> {
        let context = &self.0.context;
        let syms = |flags: &[String]| flags.iter().map(|flag| context.sym(flag)).collect::<Vec<_>>();
        let (any, none) = (syms(any), syms(none));
        let is_true = |var, flag: &Sym| self.flag_value(var, *flag).is_some_and(|value| value.is_true());
        let mut names = self.keys();
        names.retain(|name| {
            let var = context.sym(name);
            !name.starts_with("__")
                && any.iter().any(|flag| is_true(var, flag))
                && !none.iter().any(|flag| is_true(var, flag))
        });
        names
    }

    /// Names that hold `${`, of variables that exist, sorted.
    pub fn keys_with_references(&self) -> Vec<Rc<str>> {
        let vars = self.0.vars.borrow();
        let symbols = self.0.context.symbols.borrow();
        let mut keys: Vec<Rc<str>> = vars
            .iter()
            .filter(|(sym, var)| symbols.has_reference(**sym) && var.exists())
            .map(|(&sym, _)| symbols.name(sym))
            .collect();
        keys.sort_unstable();
        keys
    }

    /// Does the variable exist (in the sense of [`DataStore::keys`])?
    pub fn contains(&self, name: &str) -> bool {
        let sym = self.0.context.sym(name);
        self.note_input(Input::Content(sym));
        self.note_input(Input::Flags(sym));
        let Some(var) = self.var(sym) else { return false };
        if var.looks_at_overrides() {
            self.note_overrides();
        }
        var.exists()
            || self.overrides().is_ok_and(|active| var.candidates.iter().any(|c| active.all(&c.parts)))
    }

    /// Has the variable versions for overrides (`NAME:x`), whether active or not?
    pub fn has_overrides(&self, name: &str) -> bool {
        let Some(sym) = self.0.context.find_sym(name) else { return false };
        self.var(sym).is_some_and(|var| !var.candidates.is_empty())
    }
}
