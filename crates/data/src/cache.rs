//! Computed values together with what they were computed from.
//!
//! While a value is computed, a [`Frame`] collects the versions of all variables it
//! looks at, those that do not exist included. A cached value holds as long as each
//! of them still has that version in the store that asks. Since version numbers are
//! unique within the process and copies of a store keep them, an entry serves every
//! store for which it is right. Of the active overrides it counts only what they choose of the
//! variables looked at: recipes differ in their overrides, and seldom in that.

use crate::Result;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use crate::var::Var;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What a cached value is the value of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CacheKey {
    /// The expanded value of a variable.
    Variable(Sym),
    /// The expanded value of a flag.
    Flag(Sym, Sym),
    /// The result of an inline expression.
    Expression(Sym),
}

/// What a value can depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Input {
    /// A variable's content and modifiers.
    Content(Sym),
    /// A variable's flags.
    Flags(Sym),
    /// A variable's filters.
    Filters(Sym),
    /// Which of a variable's conditional parts the active overrides choose (see
    /// [`DataStore::choice_of`]): a number that says it stands in the place of the version. Last, so
    /// that sorted inputs end with them.
    Choice(Sym),
}

impl Input {
    pub(crate) fn is_choice(self) -> bool {
        matches!(self, Input::Choice(_))
    }
}

/// A cached value.
pub(crate) struct Entry {
    pub(crate) value: Option<Value>,
    pub(crate) inputs: Rc<[(Input, u64)]>,
    /// The list of overrides it was computed under, if it looked at overrides.
    pub(crate) overrides: Option<u32>,
    pub(crate) functions: Option<u64>,
    /// Valid only at exactly this state of this store (see `Lifetime::UntilWrite`).
    pub(crate) exactly: Option<(u64, u64)>,
    /// Last (store, write counter) it was found to hold for.
    verified: Cell<(u64, u64)>,
}

impl Entry {
    /// Does it depend on what overrides choose? Its inputs are sorted.
    fn has_choices(&self) -> bool {
        self.inputs.last().is_some_and(|(input, _)| input.is_choice())
    }
}

/// A table of cached values.
#[derive(Default)]
pub(crate) struct CacheTable {
    entries: RefCell<FxHashMap<CacheKey, SmallVec<[Rc<Entry>; 1]>>>,
}

/// How many values of the base configuration are kept of one variable: recipes and their variants
/// for the build machine, say, choose different parts of it.
const SHARED: usize = 4;

impl CacheTable {
    /// The first entry that `holds`.
    fn get(&self, key: CacheKey, holds: impl Fn(&Entry) -> bool) -> Option<Rc<Entry>> {
        // What is asked may look into the table itself.
        let mut place = 0;
        loop {
            let entry = self.entries.borrow().get(&key)?.get(place)?.clone();
            if holds(&entry) {
                return Some(entry);
            }
            place += 1;
        }
    }

    /// Keeps an entry, and of those there were the newest: `most` in all.
    fn put(&self, key: CacheKey, entry: Rc<Entry>, most: usize) {
        let mut entries = self.entries.borrow_mut();
        let kept = entries.entry(key).or_default();
        kept.truncate(most - 1);
        kept.insert(0, entry);
    }
}

/// Collects what one computation looks at.
pub(crate) struct Frame {
    key: CacheKey,
    store: u64,
    start: u64,
    inputs: Vec<(Input, u64)>,
    overrides: Option<u32>,
    functions: Option<u64>,
    until_write: bool,
    cacheable: bool,
}

impl DataStore {
    /// The cached value for `key`, if there is one that holds.
    pub(crate) fn cached(&self, key: CacheKey) -> Option<Rc<Entry>> {
        for table in self.tables() {
            if let Some(entry) = table.get(key, |entry| self.holds(entry)) {
                self.note_entry(&entry);
                return Some(entry);
            }
        }
        None
    }

    fn holds(&self, entry: &Entry) -> bool {
        let now = (self.id(), self.write_count());
        if let Some(exactly) = entry.exactly
            && exactly != now
        {
            return false;
        }
        // The active overrides can change without a write, while OVERRIDES is resolved.
        let same_rules = entry.overrides.is_none_or(|id| id == self.overrides_id())
            && entry.functions.is_none_or(|v| v == self.context().interp.functions_version());
        let unsettled = entry.has_choices() && self.is_resolving();
        if !unsettled && entry.verified.get() == now {
            return same_rules;
        }
        let current =
            same_rules && entry.inputs.iter().all(|&(input, version)| self.version_of(input) == version);
        if current && !unsettled {
            entry.verified.set(now);
        }
        current
    }

    fn is_resolving(&self) -> bool {
        self.inner().resolving.get()
    }

    /// Starts collecting for `key`. `Err` if `key` is being computed already: the value
    /// needs itself.
    pub(crate) fn begin(&self, key: CacheKey) -> std::result::Result<(), ()> {
        let context = self.context();
        let mut frames = context.frames.borrow_mut();
        if frames.iter().any(|frame| frame.key == key && frame.store == self.id()) {
            return Err(());
        }
        frames.push(Frame {
            key,
            store: self.id(),
            start: context.current_version(),
            inputs: Vec::new(),
            overrides: None,
            functions: None,
            until_write: false,
            cacheable: true,
        });
        Ok(())
    }

    /// Ends the collection begun last, without keeping anything of a failure.
    pub(crate) fn abandon(&self) {
        let frame = self.context().frames.borrow_mut().pop();
        if let Some(frame) = frame {
            self.merge(&frame.inputs, frame.overrides, frame.functions, frame.until_write, frame.cacheable);
        }
    }

    /// Ends the collection begun last; `value` is what came out.
    pub(crate) fn finish(&self, value: Option<Value>) -> Rc<Entry> {
        let context = self.context();
        let mut frame = context.frames.borrow_mut().pop().expect("finish pairs with begin");
        frame.inputs.sort_unstable();
        frame.inputs.dedup();
        // The same input at two versions: it was written meanwhile.
        let consistent = frame.inputs.windows(2).all(|pair| pair[0].0 != pair[1].0);
        let now = (self.id(), self.write_count());
        let entry = Rc::new(Entry {
            value,
            inputs: frame.inputs.into(),
            overrides: frame.overrides,
            functions: frame.functions,
            exactly: frame.until_write.then_some(now),
            // No store has the number 0.
            verified: Cell::new(if self.is_resolving() { (0, 0) } else { now }),
        });
        if frame.cacheable && consistent {
            let base = context.base_version.get();
            let of_base = base > 0
                && entry.overrides.is_none()
                && entry.exactly.is_none()
                && entry.inputs.iter().all(|&(input, version)| input.is_choice() || version <= base);
            if of_base {
                context.shared.put(frame.key, entry.clone(), SHARED);
            } else {
                self.own_table().put(frame.key, entry.clone(), 1);
            }
        }
        self.merge(
            &entry.inputs,
            entry.overrides,
            entry.functions,
            frame.until_write,
            frame.cacheable && consistent,
        );
        entry
    }

    fn note_entry(&self, entry: &Entry) {
        self.merge(&entry.inputs, entry.overrides, entry.functions, entry.exactly.is_some(), true);
    }

    /// Adds what a nested computation of this store looked at to the one around it.
    fn merge(
        &self,
        inputs: &[(Input, u64)],
        overrides: Option<u32>,
        functions: Option<u64>,
        until_write: bool,
        cacheable: bool,
    ) {
        let mut frames = self.context().frames.borrow_mut();
        let Some(frame) = frames.last_mut() else { return };
        let mut looks_at_overrides = overrides.is_some();
        if frame.store == self.id() {
            frame.inputs.extend_from_slice(inputs);
        } else {
            // What was written into a copy meanwhile is no input of the computation, and what
            // its overrides choose says nothing of those of the store it is a copy of.
            let old = |&&(input, version): &&(Input, u64)| !input.is_choice() && version <= frame.start;
            frame.inputs.extend(inputs.iter().filter(old));
            looks_at_overrides |= inputs.iter().any(|(input, _)| input.is_choice());
        }
        frame.until_write |= until_write;
        frame.cacheable &= cacheable;
        if functions.is_some() {
            frame.functions = functions;
        }
        drop(frames);
        if looks_at_overrides {
            self.note_overrides();
        }
    }

    /// The running computation looks at `input` of this store.
    pub(crate) fn note_input(&self, input: Input) {
        let mut frames = self.context().frames.borrow_mut();
        if let Some(frame) = frames.last_mut() {
            let version = self.version_of(input);
            if frame.store == self.id() || version <= frame.start {
                frame.inputs.push((input, version));
            }
        }
    }

    /// The running computation depends on which overrides are active in this store.
    pub(crate) fn note_overrides(&self) {
        let owner = self.context().frames.borrow().last().map(|frame| frame.store);
        match owner {
            None => {}
            Some(owner) if owner == self.id() => {
                let id = self.overrides_id();
                if let Some(frame) = self.context().frames.borrow_mut().last_mut() {
                    frame.overrides = Some(id);
                }
            }
            // A copy's overrides depend on what its OVERRIDES was computed from.
            Some(_) => {
                if let Some(inputs) = self.override_inputs() {
                    self.merge(&inputs, None, None, false, true);
                }
            }
        }
    }

    /// The running computation depends on what the active overrides choose of a variable.
    pub(crate) fn note_choice(&self, sym: Sym, var: &Var) -> Result<()> {
        let owner = self.context().frames.borrow().last().map(|frame| frame.store);
        let Some(owner) = owner else { return Ok(()) };
        match self.choice_of(var)? {
            Some(choice) if owner == self.id() => {
                if let Some(frame) = self.context().frames.borrow_mut().last_mut() {
                    frame.inputs.push((Input::Choice(sym), choice));
                }
            }
            _ => self.note_overrides(),
        }
        Ok(())
    }

    /// The running computation uses metadata functions.
    pub(crate) fn note_functions(&self) {
        let version = self.context().interp.functions_version();
        if let Some(frame) = self.context().frames.borrow_mut().last_mut() {
            frame.functions = Some(version);
        }
    }

    /// The running computation looks at things outside the store.
    pub(crate) fn note_until_write(&self) {
        if let Some(frame) = self.context().frames.borrow_mut().last_mut() {
            frame.until_write = true;
        }
    }

    /// This store is written to: computations of its values in progress cannot be kept.
    pub(crate) fn note_write(&self) {
        for frame in self.context().frames.borrow_mut().iter_mut() {
            if frame.store == self.id() {
                frame.cacheable = false;
            }
        }
    }
}
