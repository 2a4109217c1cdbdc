//! What is kept of names from one recipe to the next: most variables say the same in recipe after
//! recipe, and most of what they refer to is the same text.

use super::dependencies::Node;
use super::signatures::{Run, SignatureCache};
use crate::Result;
use crate::context::Context;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use crate::var::Var;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// What a name stands for.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// `VARIABLE[flag]`
    Flag(Sym, Sym),
    /// A function of a Python library; what is known of it is at this place.
    Library(Option<u32>),
    /// A variable, whether there is one or not; what is known of it is at this place.
    Variable(Option<u32>),
}

/// The node of a variable or library function, as far as it does not depend on the recipe.
pub(crate) struct Known {
    /// The variable it was made from; none for a library function.
    pub(crate) var: Option<Rc<Var>>,
    pub(crate) dependencies: Rc<[Sym]>,
    /// Dependencies too, where they exist.
    pub(crate) execs: Box<[Sym]>,
    /// References: it holds where their values hold no references.
    pub(crate) joins: Box<[Sym]>,
    /// What is looked for in variables, and whether it is there: it holds where that is so.
    pub(crate) contains: Box<[(Lookup, bool)]>,
    /// A variable's value was read.
    pub(crate) is_read: bool,
    pub(crate) value: Option<Value>,
}

/// Words, as one name, that are looked for in a variable.
pub(crate) type Lookup = (Sym, Sym);

/// A yes or no for names of one state of a store.
#[derive(Default)]
pub(crate) struct Marks {
    /// Twice the number of the state, and one more for a yes.
    marks: Vec<u32>,
    state: u32,
}

impl Marks {
    /// Forgets all of them.
    pub(crate) fn begin(&mut self) {
        self.state += 1;
    }

    fn get(&self, sym: Sym) -> Option<bool> {
        let mark = *self.marks.get(sym.0 as usize)?;
        (mark >> 1 == self.state).then_some(mark & 1 == 1)
    }

    fn put(&mut self, sym: Sym, mark: bool) {
        let number = sym.0 as usize;
        if number >= self.marks.len() {
            self.marks.resize(number + 1, 0);
        }
        self.marks[number] = self.state << 1 | u32::from(mark);
    }
}

/// What is remembered of names.
#[derive(Default)]
pub(crate) struct Memory {
    /// By number of the name; none for those that nobody asked about.
    kinds: Vec<Option<Kind>>,
    known: Vec<Rc<Known>>,
    /// The store looked at last, and how often it had been written.
    seen: (u64, u64),
    /// Of that store: names whose values hold no references.
    settled: Marks,
    /// Of that store: names that code may refer to.
    there: Marks,
    /// Of that store: what is in which variable.
    held: FxHashMap<Lookup, bool>,
}

impl SignatureCache {
    /// What a name stands for.
    pub(crate) fn kind(&mut self, sym: Sym, context: &Context) -> Kind {
        let number = sym.0 as usize;
        if number >= self.memory.kinds.len() {
            self.memory.kinds.resize(number + 1, None);
        }
        if let Some(kind) = self.memory.kinds[number] {
            return kind;
        }
        let kind = if self.library.get(sym).is_some() {
            Kind::Library(None)
        } else if let Some((variable, flag)) = flag_of(sym, context) {
            Kind::Flag(variable, flag)
        } else {
            Kind::Variable(None)
        };
        self.memory.kinds[number] = Some(kind);
        kind
    }

    /// The node of a name, if what is known of it holds for this recipe; `var` is the variable.
    pub(crate) fn recall(
        &mut self,
        sym: Sym,
        place: Option<u32>,
        var: Option<&Rc<Var>>,
        run: &Run,
    ) -> Result<Option<Node>> {
        let Some(known) = place.map(|place| self.memory.known[place as usize].clone()) else {
            return Ok(None);
        };
        let same = match (&known.var, var) {
            (Some(own), Some(var)) => Rc::ptr_eq(own, var) || own.says_the_same(var),
            (own, var) => own.is_none() && var.is_none(),
        };
        if !same || run.is_replaced(sym) {
            return Ok(None);
        }
        for &join in &known.joins {
            if !self.is_settled(join, run)? {
                return Ok(None);
            }
        }
        for &(lookup, held) in &known.contains {
            if self.holds(lookup, run)? != held {
                return Ok(None);
            }
        }
        if known.is_read {
            run.store.note_signed(sym);
        }
        Ok(Some(self.node_of(&known, run)))
    }

    /// Keeps what is known of a name.
    pub(crate) fn keep(&mut self, sym: Sym, known: Known) {
        let kind = self.memory.kinds.get_mut(sym.0 as usize).and_then(Option::as_mut);
        let Some(Kind::Library(place) | Kind::Variable(place)) = kind else { return };
        match place {
            Some(place) => self.memory.known[*place as usize] = Rc::new(known),
            None => {
                *place = u32::try_from(self.memory.known.len()).ok();
                self.memory.known.push(Rc::new(known));
            }
        }
    }

    /// The node of what is known, for this recipe.
    pub(crate) fn node_of(&mut self, known: &Known, run: &Run) -> Node {
        let own = known.execs.iter().copied().filter(|&exec| self.is_there(exec, run)).collect();
        Node { shared: known.dependencies.clone(), own, value: known.value.clone() }
    }

    /// Forgets what holds for another state of a store alone.
    pub(crate) fn look_at(&mut self, store: &DataStore) {
        let now = (store.id(), store.write_count());
        if self.memory.seen != now {
            self.memory.seen = now;
            self.memory.settled.begin();
            self.memory.there.begin();
            self.memory.held.clear();
        }
    }

    /// Does the value of a variable hold no reference, nor the beginning of one?
    fn is_settled(&mut self, sym: Sym, run: &Run) -> Result<bool> {
        if let Some(known) = self.memory.settled.get(sym) {
            return Ok(known);
        }
        let settled = !may_join(&run.store.entry(sym)?.value);
        self.memory.settled.put(sym, settled);
        Ok(settled)
    }

    /// Are all words of a lookup in the variable's value?
    pub(crate) fn holds(&mut self, lookup: Lookup, run: &Run) -> Result<bool> {
        if let Some(&known) = self.memory.held.get(&lookup) {
            return Ok(known);
        }
        let held = run.store.get_sym(lookup.0)?;
        let held = held.as_ref().and_then(Value::as_str).map_or("", |held| held);
        let wanted = run.store.context().name(lookup.1);
        let holds = wanted.split_whitespace().all(|word| held.split_whitespace().any(|other| other == word));
        self.memory.held.insert(lookup, holds);
        Ok(holds)
    }

    /// Is there something of this name that code may refer to?
    pub(crate) fn is_there(&mut self, sym: Sym, run: &Run) -> bool {
        if let Some(known) = self.memory.there.get(sym) {
            return known;
        }
        let there = run.exists(sym, self);
        self.memory.there.put(sym, there);
        there
    }
}

/// May the value be, or become together with what is around it, a reference?
pub(crate) fn may_join(value: &Option<Value>) -> bool {
    matches!(value, Some(Value::Str(text)) if text.contains("${") || text.ends_with('$'))
}

/// Variable and flag, for names of the form `VARIABLE[flag]`.
fn flag_of(sym: Sym, context: &Context) -> Option<(Sym, Sym)> {
    let name = context.name(sym);
    let (variable, flag) = name.strip_suffix(']')?.split_once('[')?;
    Some((context.sym(variable), context.sym(flag)))
}

#[cfg(test)]
mod tests {
    use crate::signature::tests::Answers;
    use crate::{Context, DataStore, Library, SetInfo, SignatureCache, Signatures, Value, sign};
    use bitzel_base::CompatLevel;
    use bitzel_scan::NoVisitor;
    use proptest::prelude::*;
    use std::rc::Rc;

    const NAMES: [&str; 6] = ["A", "B", "C", "P", "do_t", "OVERRIDES"];
    const TEXTS: [&str; 14] = [
        "x",
        "",
        "$",
        "${B}",
        "{C}",
        "${A} ${C}",
        "${@d.getVar('P')}",
        "${@bb.utils.contains('P', 'x', 1, 2, d)}",
        "o",
        "o:p",
        " A\n B\n",
        "bb.utils.contains('P', 'x', 1, 2, d)",
        "B(); d.getVar('C')",
        "${P}",
    ];
    const FLAGS: [&str; 8] =
        ["func", "python", "vardeps", "vardepsexclude", "vardepvalue", "prefuncs", "export", "other"];

    /// A write to the store, in numbers.
    #[derive(Clone, Debug)]
    enum Write {
        Set(usize, Vec<usize>),
        Operator(usize, usize, Vec<usize>),
        Flag(usize, usize, usize),
        Filter(usize),
        Delete(usize),
        /// What follows is written to a copy: another recipe.
        Copy,
    }

    fn write() -> impl Strategy<Value = Write> {
        let text = || proptest::collection::vec(0..TEXTS.len(), 1..3);
        prop_oneof![
            6 => (0..NAMES.len(), text()).prop_map(|(name, text)| Write::Set(name, text)),
            2 => (0..NAMES.len() - 1, 0..5usize, text()).prop_map(|(name, operator, text)| {
                Write::Operator(name, operator, text)
            }),
            3 => (0..NAMES.len() - 1, 0..FLAGS.len(), 0..TEXTS.len())
                .prop_map(|(name, flag, text)| Write::Flag(name, flag, text)),
            2 => (0..NAMES.len() - 1).prop_map(Write::Filter),
            1 => (0..NAMES.len()).prop_map(Write::Delete),
            2 => Just(Write::Copy),
        ]
    }

    fn apply(d: &mut DataStore, write: &Write) {
        let text = |parts: &[usize]| Value::str(parts.iter().map(|&part| TEXTS[part]).collect::<String>());
        let info = SetInfo::default();
        // What is refused changes nothing.
        let _ = match write {
            Write::Set(name, parts) => d.set(NAMES[*name], text(parts), &info),
            Write::Operator(name, operator, parts) => {
                let suffix = [":append", ":remove", ":o", ":prepend:p", ":o:p"][*operator];
                d.set(&format!("{}{suffix}", NAMES[*name]), text(parts), &info)
            }
            Write::Flag(name, flag, part) => {
                d.set_flag(NAMES[*name], FLAGS[*flag], Value::str(TEXTS[*part]), &info)
            }
            Write::Filter(name) => {
                d.set_filter(NAMES[*name], "double(val)");
                Ok(())
            }
            Write::Delete(name) => {
                d.delete(NAMES[*name], &info);
                Ok(())
            }
            Write::Copy => {
                *d = d.create_copy();
                Ok(())
            }
        };
    }

    fn cache(base: &DataStore) -> SignatureCache {
        let library = Library::new(Vec::new(), base).unwrap();
        SignatureCache::new(base, library, Box::new(NoVisitor)).unwrap()
    }

    /// All there is to say of signatures.
    fn shown(signatures: crate::Result<Signatures>) -> String {
        match signatures {
            Ok(signatures) => {
                let nodes: Vec<String> = signatures.nodes().map(|node| format!("{node:?}")).collect();
                format!("{:?}\n{}", signatures.base_hashes().collect::<Vec<_>>(), nodes.join("\n"))
            }
            Err(error) => error.to_string(),
        }
    }

    proptest! {
        #[test]
        fn what_is_known_of_other_recipes_changes_no_signature(
            writes in proptest::collection::vec(write(), 1..40),
        ) {
            let mut d = DataStore::new(&Context::new(Rc::new(Answers(&[])), CompatLevel::V2_18));
            let excluded = "vardeps vardepsexclude vardepvalue";
            d.set("BB_SIGNATURE_EXCLUDE_FLAGS", Value::str(excluded), &SetInfo::default()).unwrap();
            d.set("do_t", Value::str("${A} ${B} ${P} C"), &SetInfo::default()).unwrap();
            let base = d.create_copy();
            let mut lasting = cache(&base);
            for write in &writes {
                apply(&mut d, write);
                let tasks = ["do_t".into(), "A".into()];
                // Copies: signing leaves its own in the values that a store keeps.
                let anew = shown(sign(&d.create_copy(), &tasks, &mut cache(&base)));
                for _ in 0..2 {
                    prop_assert_eq!(shown(sign(&d.create_copy(), &tasks, &mut lasting)), &*anew);
                }
            }
        }
    }
}
