//! A digest of all that a store holds.

use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use crate::var::{Modifier, Var};
use sha2::{Digest, Sha256};

impl DataStore {
    /// Another one whenever a variable, what modifies it or one of its flags is another; the same wherever and in
    /// whatever order they were written. Variables named in `ignored` do not count, and of objects only that they
    /// are there.
    pub fn digest(&self, ignored: &[&str]) -> [u8; 32] {
        let mut syms = self.select(Var::exists);
        let context = self.context();
        syms.retain(|&sym| !ignored.contains(&&*context.name(sym)));
        syms.sort_by_cached_key(|&sym| context.name(sym));
        let mut writer = Writer { store: self, hash: Sha256::new() };
        for sym in syms {
            if let Some(var) = self.var(sym) {
                writer.name(sym);
                writer.var(&var);
            }
        }
        writer.hash.finalize().into()
    }
}

struct Writer<'d> {
    store: &'d DataStore,
    hash: Sha256,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.hash.update(text);
    }

    fn count(&mut self, number: usize) {
        self.hash.update((number as u64).to_le_bytes());
    }

    fn name(&mut self, sym: Sym) {
        self.text(&self.store.context().name(sym));
    }

    fn var(&mut self, var: &Var) {
        for value in [&var.content, &var.weak] {
            self.count(usize::from(value.is_some()));
            value.iter().for_each(|value| self.value(value));
        }
        for modifiers in [&var.append, &var.prepend, &var.remove] {
            self.modifiers(modifiers);
        }
        for flags in [&var.flags, &var.weak_flags] {
            let mut flags: Vec<&(Sym, Value)> = flags.iter().collect();
            flags.sort_by_cached_key(|(flag, _)| self.store.context().name(*flag));
            self.count(flags.len());
            for (flag, value) in flags {
                self.name(*flag);
                self.value(value);
            }
        }
        self.count(var.filters.len());
        var.filters.iter().for_each(|filter| self.text(filter));
    }

    fn modifiers(&mut self, modifiers: &[Modifier]) {
        self.count(modifiers.len());
        for modifier in modifiers {
            self.value(&modifier.text);
            self.count(modifier.overrides.len());
            modifier.overrides.iter().for_each(|&part| self.name(part));
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::None => self.hash.update("n"),
            Value::Str(text) => {
                self.hash.update("s");
                self.text(text);
            }
            Value::Bool(truth) => self.hash.update(if *truth { "t" } else { "f" }),
            Value::Int(number) => {
                self.hash.update("i");
                self.hash.update(number.to_le_bytes());
            }
            Value::List(items) => {
                self.hash.update("l");
                self.count(items.len());
                items.iter().for_each(|item| self.value(item));
            }
            Value::Map(items) => {
                self.hash.update("m");
                self.count(items.len());
                for (key, item) in &**items {
                    self.text(key);
                    self.value(item);
                }
            }
            Value::Object(_) => self.hash.update("o"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Context, DataStore, NoPython, SetInfo, Value};
    use bitzel_base::CompatLevel;
    use std::rc::Rc;

    fn store(settings: &[(&str, &str)]) -> DataStore {
        let store = DataStore::new(&Context::new(Rc::new(NoPython), CompatLevel::V2_18));
        for (name, value) in settings {
            store.set(name, Value::str(value), &SetInfo::default()).unwrap();
        }
        store
    }

    #[test]
    fn only_what_is_held_counts() {
        let first = store(&[("A", "1"), ("B", "2"), ("A:append", "3")]);
        let digest = first.digest(&[]);
        assert_eq!(digest, store(&[("B", "2"), ("A", "0"), ("A", "1"), ("A:append", "3")]).digest(&[]));
        for other in [
            &[("A", "1"), ("B", "2")][..],
            &[("A", "1"), ("B", "2"), ("A:append:x", "3")],
            &[("A", "1"), ("B", "2"), ("A:prepend", "3")],
            &[("A", "13"), ("B", "2"), ("A:append", "")],
            &[("A", "1"), ("B", "2"), ("A:append", "3"), ("C", "")],
        ] {
            assert_ne!(digest, store(other).digest(&[]), "{other:?}");
        }
        first.set_flag("B", "doc", Value::str("x"), &SetInfo::default()).unwrap();
        assert_ne!(digest, first.digest(&[]));
    }

    #[test]
    fn what_is_ignored_does_not_count() {
        let with = store(&[("A", "1"), ("DATE", "20261122")]);
        assert_eq!(with.digest(&["DATE"]), store(&[("A", "1")]).digest(&[]));
    }
}
