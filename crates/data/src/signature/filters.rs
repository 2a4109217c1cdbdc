//! Filters of variables while a recipe is signed.
//!
//! BitBake: signing a variable leaves its value, as it is before filters, where values are
//! kept. From then on everybody who reads the variable gets that, unless it was read before.
//! A write empties what is kept.

use crate::store::DataStore;
use crate::symbol::Sym;
use rustc_hash::FxHashSet;

/// What happened to filtered variables since signing began, or since the last write.
#[derive(Default)]
pub(crate) struct FilterState {
    /// Read: their values are kept filtered.
    read: FxHashSet<Sym>,
    /// Signed: their values are kept unfiltered.
    unfiltered: FxHashSet<Sym>,
    /// Writes to the store when this was so.
    writes: u64,
}

impl DataStore {
    /// From now on filters follow the rule above. Values that went through filters before
    /// are computed anew.
    pub(crate) fn begin_signing(&self) {
        let filtered = self.select(|var| !var.filters.is_empty());
        if filtered.is_empty() {
            return;
        }
        filtered.into_iter().for_each(|sym| self.renew_filters(sym));
        *self.inner().filter_state.borrow_mut() =
            Some(FilterState { writes: self.write_count(), ..FilterState::default() });
    }

    /// Ends what `begin_signing` began.
    pub(crate) fn end_signing(&self) {
        if self.inner().filter_state.take().is_some() {
            self.select(|var| !var.filters.is_empty()).into_iter().for_each(|sym| self.renew_filters(sym));
        }
    }

    /// Is the store being signed, and do any of its variables have filters?
    pub(crate) fn has_filters(&self) -> bool {
        self.inner().filter_state.borrow().is_some()
    }

    /// The name was signed: its value before filters is known.
    pub(crate) fn note_signed(&self, sym: Sym) {
        let mut state = self.inner().filter_state.borrow_mut();
        let Some(state) = state.as_mut() else { return };
        state.forget_after_write(self.write_count());
        let base = self.filter_base(sym);
        let filtered = base.and_then(|base| self.var(base)).is_some_and(|var| !var.filters.is_empty());
        if let Some(base) = base
            && filtered
            && !state.read.contains(&sym)
            && state.unfiltered.insert(sym)
        {
            self.renew_filters(base);
            state.writes = self.write_count();
        }
    }

    /// A filtered variable is read: do its filters count?
    pub(crate) fn filters_count(&self, sym: Sym) -> bool {
        let mut state = self.inner().filter_state.borrow_mut();
        let Some(state) = state.as_mut() else { return true };
        state.forget_after_write(self.write_count());
        if state.unfiltered.contains(&sym) {
            return false;
        }
        state.read.insert(sym);
        true
    }

    /// The variable whose filters work on a name: `NAME` for `NAME:...`.
    fn filter_base(&self, sym: Sym) -> Option<Sym> {
        let name = self.context().name(sym);
        self.context().find_sym(name.split_once(':').map_or(&*name, |(base, _)| base))
    }
}

impl FilterState {
    fn forget_after_write(&mut self, writes: u64) {
        if self.writes != writes {
            *self = FilterState { writes, ..FilterState::default() };
        }
    }
}
