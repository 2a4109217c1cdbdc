//! What one name depends on, and the text that is hashed for it.

use super::finds::CodeFinds;
use super::known::{Kind, Known, Lookup};
use super::references::TextRefs;
use super::signatures::{Run, SignatureCache};
use crate::Result;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use crate::var::Var;
use bitzel_base::python_repr;
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// What a name depends on and what is hashed for it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Names it depends on whatever the recipe, in no order.
    pub(crate) shared: Rc<[Sym]>,
    /// Names it depends on in this recipe, in no order; some may be among the shared ones.
    pub(crate) own: Vec<Sym>,
    /// What is hashed for it: text, or what a flag holds.
    pub(crate) value: Option<Value>,
}

impl Node {
    /// Names it depends on, in no order.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = Sym> {
        self.shared.iter().chain(&self.own).copied()
    }
}

/// Collects the dependencies of one name.
#[derive(Default)]
struct Collector {
    names: Vec<Sym>,
    /// Those that count if something of that name exists.
    execs: Vec<Sym>,
    contains: Vec<Lookup>,
    /// Of those, the ones that count, with their answers.
    answers: Vec<(Lookup, bool)>,
    /// References that were followed no further, since the values hold none.
    joins: Vec<Sym>,
    /// What was found is true of this recipe alone.
    varies: bool,
}

impl Collector {
    fn add(&mut self, refs: &TextRefs) {
        self.names.extend(&refs.references);
        for code in &refs.code {
            self.add_code(code);
        }
        self.varies |= refs.varies;
        if !refs.varies {
            self.joins.extend(&refs.references);
        }
    }

    fn add_code(&mut self, code: &CodeFinds) {
        self.names.extend(&code.references);
        self.execs.extend(&code.execs);
        self.contains.extend(&code.contains);
    }

    fn add_words(&mut self, words: Option<&str>, store: &DataStore) {
        let words = words.unwrap_or_default().split_whitespace();
        self.names.extend(words.map(|word| store.context().sym(word)));
    }

    /// What was found, as if it held for all recipes.
    fn finish(self, excluded: &dyn Fn(Sym) -> bool, value: Option<Value>) -> Known {
        let counted = |mut names: Vec<Sym>| {
            names.retain(|name| !excluded(*name));
            names.sort_unstable();
            names.dedup();
            names
        };
        // In the order of the text: the first that cannot be expanded is the one told of.
        let mut seen = FxHashSet::default();
        let joins = self.joins.into_iter().filter(|name| seen.insert(*name)).collect();
        Known {
            var: None,
            dependencies: counted(self.names).into(),
            execs: counted(self.execs).into(),
            joins,
            contains: self.answers.into(),
            is_read: false,
            value,
        }
    }
}

impl SignatureCache {
    /// What `sym` depends on, and the text hashed for it.
    pub(crate) fn node(&mut self, sym: Sym, run: &Run) -> Result<Node> {
        self.look_at(run.store);
        match self.kind(sym, run.store.context()) {
            Kind::Flag(variable, flag) => self.flag_node(sym, variable, flag, run),
            Kind::Library(place) => match self.recall(sym, place, None, run)? {
                Some(node) => Ok(node),
                None => self.library_node(sym, run),
            },
            Kind::Variable(place) => {
                let Some(var) = run.store.var(sym) else {
                    run.store.note_signed(sym);
                    return Ok(self.nothing.clone());
                };
                match self.recall(sym, place, Some(&var), run)? {
                    Some(node) => Ok(node),
                    None => self.variable_node(sym, run),
                }
            }
        }
    }

    fn library_node(&mut self, sym: Sym, run: &Run) -> Result<Node> {
        let mut found = Collector::default();
        let Some(function) = self.library.get(sym) else { return Ok(self.nothing.clone()) };
        found.add_code(&function.finds);
        let excluded = |name: Sym| run.is_ignored(name);
        let mut text = function.source_hash.to_string();
        self.add_contains(&mut text, &mut found, &excluded, run)?;
        let known = found.finish(&excluded, Some(Value::str(text)));
        let node = self.node_of(&known, run);
        self.keep(sym, known);
        Ok(node)
    }

    /// Flags are hashed as they are. What `bb.utils.contains` looks for in them does not count.
    fn flag_node(&mut self, sym: Sym, variable: Sym, flag: Sym, run: &Run) -> Result<Node> {
        let value = run.store.flag_value(variable, flag);
        match &value {
            Some(Value::Str(text)) if text.contains("${") => {
                let mut found = Collector::default();
                let name = run.store.context().name(sym);
                let mut refs = TextRefs::default();
                self.add_references(run.store, text, Some((sym, &name)), &mut refs)?;
                found.add(&refs);
                let known = found.finish(&|name| run.is_ignored(name), value);
                Ok(self.node_of(&known, run))
            }
            _ => Ok(Node { value, ..self.nothing.clone() }),
        }
    }

    fn variable_node(&mut self, sym: Sym, run: &Run) -> Result<Node> {
        let store = run.store;
        let context = store.context();
        let mut found = Collector::default();
        let var = store.var(sym);
        let flags = self.flags(sym, var.as_deref(), run, &mut found)?;
        let own: FxHashSet<Sym> = flags
            .vardepsexclude
            .iter()
            .flat_map(|text| text.split_whitespace())
            .map(|w| context.sym(w))
            .collect();
        let excluded = |name: Sym| run.is_ignored(name) || own.contains(&name);
        let is_read = flags.vardepvalue.is_none() && !flags.function;
        let mut value = match flags.vardepvalue {
            Some(value) => Some(value),
            None => {
                let content = self.content(sym, &flags, run, &excluded, &mut found)?;
                if is_read {
                    store.note_signed(sym);
                }
                Some(Value::Str(content))
            }
        };
        if let (Some(Value::Str(text)), Some(parts)) = (&mut value, &flags.vardepvalueexclude) {
            for part in parts.split('|').filter(|part| !part.is_empty()) {
                *text = text.replace(part, "").into();
            }
        }
        found.add_words(flags.vardeps.as_deref(), store);
        found.varies |= run.is_replaced(sym);
        found.varies |= var.as_ref().is_none_or(|var| var.looks_at_overrides());
        let varies = found.varies;
        let known = Known { var, is_read, ..found.finish(&excluded, value) };
        let node = self.node_of(&known, run);
        if !varies {
            self.keep(sym, known);
        }
        Ok(node)
    }

    /// The text hashed for a variable or function of the metadata.
    fn content(
        &mut self,
        sym: Sym,
        flags: &Flags,
        run: &Run,
        excluded: &dyn Fn(Sym) -> bool,
        found: &mut Collector,
    ) -> Result<Rc<str>> {
        let source = if flags.function { run.code } else { run.store };
        let unexpanded = source.unexpanded_of(sym)?;
        let name = source.context().name(sym);
        let text = match &unexpanded.value {
            Some(Value::Str(text)) => text.clone(),
            Some(value) => python_text(value).into(),
            None => "".into(),
        };
        if flags.function {
            for words in [&flags.prefuncs, &flags.postfuncs, &flags.exports] {
                found.add_words(words.as_deref(), run.store);
            }
        }
        if flags.function && flags.python {
            let code = self.finds.python(&text, source.context(), &name, &*self.visitor)?;
            found.add_code(&code);
            return self.with_lines(text, &[], found, excluded, run);
        }
        let mut refs = TextRefs::default();
        if text.contains("${") {
            self.add_references(source, &text, Some((sym, &name)), &mut refs)?;
        }
        found.add(&refs);
        found.varies |= !unexpanded.removes.is_empty();
        let removes = if unexpanded.removes.is_empty() {
            Vec::new()
        } else {
            source.effective_removes(&unexpanded, &name)?
        };
        for remove in &removes {
            let mut refs = TextRefs::default();
            self.add_references(source, remove, None, &mut refs)?;
            // BitBake: functions called by what is removed do not count.
            found.names.extend(&refs.references);
            for code in &refs.code {
                found.names.extend(&code.references);
                found.contains.extend(&code.contains);
            }
        }
        if flags.function {
            let body = source.get_sym(sym)?;
            let execs = match &body {
                Some(Value::Str(body)) => self.finds.shell(body, source.context(), &name)?,
                _ => Rc::default(),
            };
            found.execs.extend(&*execs);
            found.names.extend(&*run.exported);
            found.varies = true;
        }
        self.with_lines(text, &removes, found, excluded, run)
    }

    /// Adds to a text what is removed from it and what is looked for in variables.
    fn with_lines(
        &mut self,
        text: Rc<str>,
        removes: &[Rc<str>],
        found: &mut Collector,
        excluded: &dyn Fn(Sym) -> bool,
        run: &Run,
    ) -> Result<Rc<str>> {
        if removes.is_empty() && found.contains.is_empty() {
            return Ok(text);
        }
        let mut text = text.to_string();
        self.add_contains(&mut text, found, excluded, run)?;
        for remove in removes {
            text.push_str("\n_remove of ");
            text.push_str(remove);
        }
        Ok(text.into())
    }

    /// Adds a line for each item looked for: `VAR{item} = Set` or `Unset`.
    fn add_contains(
        &mut self,
        text: &mut String,
        found: &mut Collector,
        excluded: &dyn Fn(Sym) -> bool,
        run: &Run,
    ) -> Result<()> {
        let context = run.store.context();
        let counted = std::mem::take(&mut found.contains).into_iter().filter(|lookup| !excluded(lookup.0));
        let mut asked: Vec<(Rc<str>, Rc<str>, Lookup)> =
            counted.map(|lookup| (context.name(lookup.0), context.name(lookup.1), lookup)).collect();
        asked.sort_unstable();
        asked.dedup();
        for (name, item, lookup) in asked {
            let held = self.holds(lookup, run)?;
            found.answers.push((lookup, held));
            text.push('\n');
            text.push_str(&name);
            text.push('{');
            text.push_str(&item);
            text.push_str(if held { "} = Set" } else { "} = Unset" });
        }
        Ok(())
    }
}

/// The flags of a variable that bear on its signature; texts expanded but the last.
#[derive(Default)]
pub(crate) struct Flags {
    function: bool,
    python: bool,
    vardeps: Option<Rc<str>>,
    vardepsexclude: Option<Rc<str>>,
    vardepvalue: Option<Value>,
    prefuncs: Option<Rc<str>>,
    postfuncs: Option<Rc<str>>,
    exports: Option<Rc<str>>,
    vardepvalueexclude: Option<Rc<str>>,
}

impl SignatureCache {
    /// Reads the flags of a variable; those that are hashed are added to `found`.
    fn flags(&mut self, sym: Sym, var: Option<&Var>, run: &Run, found: &mut Collector) -> Result<Flags> {
        let mut flags = Flags::default();
        let Some(var) = var else { return Ok(flags) };
        let names = self.flag_names.clone();
        let weak = var.weak_flags.iter().filter(|(flag, _)| var.flag(*flag).is_none());
        for (flag, value) in var.flags.iter().chain(weak) {
            if run.hashes_flag(*flag) {
                found.names.push(self.flag_sym(sym, *flag, run.store.context()));
            }
            let expanded = || -> Result<Option<Rc<str>>> {
                Ok(run.store.flag_expanded(sym, *flag)?.and_then(|value| value.as_str().cloned()))
            };
            let expands = |value: &Value| value.as_str().is_some_and(|text| text.contains("${"));
            found.varies |= names.is_expanded(*flag) && expands(value);
            match *flag {
                f if f == names.func => flags.function = value.is_true(),
                f if f == names.python => flags.python = value.is_true(),
                f if f == names.vardeps => flags.vardeps = expanded()?,
                f if f == names.vardepsexclude => flags.vardepsexclude = expanded()?,
                f if f == names.vardepvalue => flags.vardepvalue = run.store.flag_expanded(sym, *flag)?,
                f if f == names.vardepvalueexclude => {
                    flags.vardepvalueexclude = value.as_str().cloned();
                }
                f if f == names.prefuncs => flags.prefuncs = expanded()?,
                f if f == names.postfuncs => flags.postfuncs = expanded()?,
                f if f == names.exports => flags.exports = expanded()?,
                _ => {}
            }
        }
        Ok(flags)
    }
}

/// `str()` of a value.
pub(crate) fn python_text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(repr_of).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(items) => {
            let items: Vec<String> =
                items.iter().map(|(k, v)| format!("{}: {}", python_repr(k), repr_of(v))).collect();
            format!("{{{}}}", items.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn repr_of(value: &Value) -> String {
    match value {
        Value::Str(text) => python_repr(text),
        other => python_text(other),
    }
}
