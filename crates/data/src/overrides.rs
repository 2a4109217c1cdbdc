//! Which overrides are active, and which version of a variable they choose.

use crate::cache::{CacheKey, Input};
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::var::Var;
use crate::{Error, Result};
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// The active overrides.
pub(crate) struct Active {
    names: Vec<Rc<str>>,
    set: FxHashSet<Sym>,
    pub(crate) id: u32,
    /// What OVERRIDES was computed from; not what it chose on the way.
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
                Input::Flags(_) | Input::Filters(_) | Input::Choice(_) => None,
            }));
            if previous.as_deref() == Some(&*text) {
                *self.inner().override_vars.borrow_mut() = seen;
                return Ok(self.inner().active.borrow().clone().expect("set in the round before"));
            }
            let inputs = entry.inputs.iter().copied().filter(|(input, _)| !input.is_choice()).collect();
            *self.inner().active.borrow_mut() = Some(self.make_active(&text, inputs));
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
        if var.candidates.is_empty() {
            return Ok(None);
        }
        let active = self.overrides()?;
        let candidates = || var.candidates.iter().filter(|candidate| active.all(&candidate.parts));
        let mut few = candidates();
        match (few.next(), few.next()) {
            (None, _) => return Ok(None),
            (Some(only), None) if only.parts.len() == 1 => return Ok(Some(only.var)),
            _ => {}
        }
        let mut open: Vec<(String, Sym)> = Vec::new();
        for candidate in candidates() {
            put(&mut open, candidate.key.to_string(), candidate.var);
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

    /// What the active overrides choose of a variable's conditional parts, as a number: the version
    /// that stands in for it, and which modifiers apply. None where there are too many of these.
    pub(crate) fn choice_of(&self, var: &Var) -> Result<Option<u64>> {
        let active = self.overrides()?;
        let chosen = self.choose(var)?.map_or(0, |sym| u64::from(sym.0) + 1);
        let mut choice = chosen << 32;
        let mut bit = 0;
        for modifier in var.append.iter().chain(&var.prepend).chain(&var.remove) {
            if !modifier.overrides.is_empty() {
                if bit == 32 {
                    return Ok(None);
                }
                choice |= u64::from(active.all(&modifier.overrides)) << bit;
                bit += 1;
            }
        }
        Ok(Some(choice))
    }

    /// The same by name; none too where there is no such variable or its choice cannot be worked out.
    pub(crate) fn choice(&self, sym: Sym) -> Option<u64> {
        self.choice_of(&*self.var(sym)?).ok()?
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

#[cfg(test)]
mod tests {
    use crate::{Context, DataStore, Interp, Lifetime, LogLevel, Result, SetInfo, Value};
    use bitzel_base::CompatLevel;
    use std::cell::Cell;
    use std::rc::Rc;

    /// Reads the variable that the code names, and counts how often it is asked.
    #[derive(Default)]
    struct Counting(Cell<usize>);

    impl Interp for Counting {
        fn eval_inline(&self, store: &DataStore, _: Option<&str>, code: &str) -> Result<Rc<str>> {
            self.0.set(self.0.get() + 1);
            store.get_or_empty(code)
        }
        fn lifetime(&self, _: &str) -> Lifetime {
            Lifetime::WhileInputsHold
        }
        fn functions_version(&self) -> u64 {
            0
        }
        fn filter(&self, value: &str, _: &[Rc<str>]) -> Result<Rc<str>> {
            Ok(value.into())
        }
        fn log(&self, _: LogLevel, _: &str) {}
    }

    fn set(d: &DataStore, name: &str, value: &str) {
        d.set(name, Value::str(value), &SetInfo::default()).unwrap();
    }

    fn base(interp: &Rc<Counting>) -> DataStore {
        let d = DataStore::new(&Context::new(interp.clone(), CompatLevel::V2_18));
        for (name, value) in
            [("OVERRIDES", "arch:${PN}"), ("F", "f"), ("F:x86", "x"), ("F:append:arm", " a"), ("A", "${@F}")]
        {
            set(&d, name, value);
        }
        d.context().seal_base();
        d
    }

    #[test]
    fn recipes_share_values_for_which_their_overrides_choose_the_same() {
        let interp = Rc::new(Counting::default());
        let base = base(&interp);
        let read = |overrides: &str| {
            let recipe = base.create_copy();
            set(&recipe, "PN", overrides);
            recipe.get_or_empty("A").unwrap().to_string()
        };
        assert_eq!([read("one"), read("two"), read("three")], ["f", "f", "f"]);
        assert_eq!(interp.0.get(), 1, "none of these names is one that `F` looks at");
        assert_eq!([read("x86"), read("arm"), read("one"), read("x86")], ["x", "f a", "f", "x"]);
        assert_eq!(interp.0.get(), 3, "once for each choice");
    }

    #[test]
    fn a_value_follows_overrides_that_change() {
        let d = base(&Rc::new(Counting::default()));
        let mut seen = Vec::new();
        for overrides in ["x86", "arm", "x86:arm", "none", "x86"] {
            set(&d, "PN", overrides);
            seen.push(d.get_or_empty("A").unwrap().to_string());
        }
        assert_eq!(seen, ["x", "f a", "x a", "f", "x"]);
    }

    #[test]
    fn a_value_that_bears_on_overrides_settles_with_them() {
        let d = base(&Rc::new(Counting::default()));
        // What `A` is while OVERRIDES is worked out is not what it is afterwards.
        set(&d, "OVERRIDES", "${A}:${@B}");
        set(&d, "B", "y");
        set(&d, "B:f", "x86");
        set(&d, "A", "f");
        assert_eq!(&*d.override_list().unwrap().join(" "), "f x86");
        assert_eq!(&*d.get_or_empty("F").unwrap(), "x");
        set(&d, "A", "none");
        assert_eq!(&*d.override_list().unwrap().join(" "), "none y");
        assert_eq!(&*d.get_or_empty("F").unwrap(), "f");
    }

    #[test]
    fn what_a_copy_chooses_says_nothing_of_its_original() {
        /// Reads `F` of a copy with the override that `PN` of the store is.
        struct Copying;
        impl Interp for Copying {
            fn eval_inline(&self, store: &DataStore, _: Option<&str>, _: &str) -> Result<Rc<str>> {
                let copy = store.create_copy();
                set(&copy, "OVERRIDES", &store.get_or_empty("WANTED")?);
                copy.get_or_empty("F")
            }
            fn lifetime(&self, _: &str) -> Lifetime {
                Lifetime::WhileInputsHold
            }
            fn functions_version(&self) -> u64 {
                0
            }
            fn filter(&self, value: &str, _: &[Rc<str>]) -> Result<Rc<str>> {
                Ok(value.into())
            }
            fn log(&self, _: LogLevel, _: &str) {}
        }
        let d = DataStore::new(&Context::new(Rc::new(Copying), CompatLevel::V2_18));
        for (name, value) in [("OVERRIDES", "arm"), ("F", "f"), ("F:x86", "x"), ("A", "${@F}")] {
            set(&d, name, value);
        }
        let mut seen = Vec::new();
        for wanted in ["x86", "other", "x86"] {
            set(&d, "WANTED", wanted);
            seen.push(d.get_or_empty("A").unwrap().to_string());
        }
        set(&d, "F", "g");
        set(&d, "WANTED", "other");
        seen.push(d.get_or_empty("A").unwrap().to_string());
        assert_eq!(seen, ["x", "f", "x", "g"]);
    }

    const NAMES: [&str; 5] = ["A", "B", "C", "OVERRIDES", "F"];

    /// A write, a read (2), a copy (3) or the end of the configuration (4), in numbers.
    type Step = (usize, usize, usize, usize);

    fn apply(d: &mut DataStore, (kind, name, suffix, value): Step, reads: bool) {
        // What OVERRIDES refers to changes nothing until it is written again: then reading matters.
        let value = match NAMES[name] {
            "OVERRIDES" => ["x", "o", "p", "o:p", "p:o", "arch:o", "${PN}:p", ""][value],
            _ => ["x", "o", "p", "o:${B}", "${A} ${C}", "${@C}", "${C}:p", ""][value],
        };
        let set = |d: &DataStore, name: &str| drop(d.set(name, Value::str(value), &SetInfo::default()));
        match kind {
            0 => set(d, NAMES[name]),
            1 if name != 3 => {
                let suffix = [":o", ":p", ":append:o", ":prepend:p", ":remove:o", ":o:p", ":append"][suffix];
                set(d, &format!("{}{suffix}", NAMES[name]));
            }
            2 if reads => drop(d.get(NAMES[name])),
            3 => *d = d.create_copy(),
            4 => d.context().seal_base(),
            _ => {}
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_read_on_the_way_changes_nothing_of_what_is_read_in_the_end(
            steps in proptest::collection::vec((0..5usize, 0..5usize, 0..7usize, 0..8usize), 1..40),
        ) {
            let read = |reads: bool| {
                let mut d = base(&Rc::new(Counting::default()));
                steps.iter().for_each(|step| apply(&mut d, *step, reads));
                NAMES.map(|name| d.get_or_empty(name).map_err(|error| error.to_string()))
            };
            proptest::prop_assert_eq!(read(true), read(false));
        }
    }
}
