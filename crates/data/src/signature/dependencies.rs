//! What one name depends on, and the text that is hashed for it.

use super::finds::CodeFinds;
use super::library::LibraryFunction;
use super::references::TextRefs;
use super::signatures::{Run, SignatureCache};
use crate::Result;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use bitzel_base::python_repr;
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// What is known of a name.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Names it depends on, each once, in no order.
    pub(crate) dependencies: Vec<Sym>,
    /// What is hashed for it: text, or what a flag holds.
    pub(crate) value: Option<Value>,
}

/// Collects the dependencies of one name.
#[derive(Default)]
struct Collector {
    names: Vec<Sym>,
    contains: Vec<(Sym, Rc<str>)>,
}

impl Collector {
    fn add(&mut self, refs: &TextRefs, run: &Run, cache: &SignatureCache) {
        self.names.extend(&refs.references);
        for code in &refs.code {
            self.add_code(code, run, cache);
        }
    }

    fn add_code(&mut self, code: &CodeFinds, run: &Run, cache: &SignatureCache) {
        self.names.extend(&code.references);
        self.add_existing(&code.execs, run, cache);
        self.contains.extend(code.contains.iter().cloned());
    }

    fn add_existing(&mut self, execs: &[Sym], run: &Run, cache: &SignatureCache) {
        self.names.extend(execs.iter().filter(|exec| run.exists(**exec, cache)));
    }

    fn add_words(&mut self, words: Option<&str>, store: &DataStore) {
        let words = words.unwrap_or_default().split_whitespace();
        self.names.extend(words.map(|word| store.context().sym(word)));
    }

    fn finish(mut self, excluded: &dyn Fn(Sym) -> bool, value: Option<Value>) -> Node {
        self.names.retain(|name| !excluded(*name));
        self.names.sort_unstable();
        self.names.dedup();
        Node { dependencies: self.names, value }
    }
}

impl SignatureCache {
    /// What `sym` depends on, and the text hashed for it.
    pub(crate) fn node(&mut self, sym: Sym, run: &Run) -> Result<Node> {
        if let Some(function) = self.library.get(sym) {
            return self.library_node(function, run);
        }
        if let Some((variable, flag)) = self.flag_of(sym, run.store.context()) {
            return self.flag_node(sym, variable, flag, run);
        }
        self.variable_node(sym, run)
    }

    fn library_node(&self, function: &LibraryFunction, run: &Run) -> Result<Node> {
        let mut found = Collector::default();
        found.add_code(&function.finds, run, self);
        let excluded = |name: Sym| run.is_ignored(name);
        let mut text = function.source_hash.to_string();
        add_contains(&mut text, std::mem::take(&mut found.contains), &excluded, run)?;
        Ok(found.finish(&excluded, Some(Value::str(text))))
    }

    /// Flags are hashed as they are. What `bb.utils.contains` looks for in them does not count.
    fn flag_node(&mut self, sym: Sym, variable: Sym, flag: Sym, run: &Run) -> Result<Node> {
        let value = run.store.flag_value(variable, flag);
        let mut found = Collector::default();
        if let Some(Value::Str(text)) = &value
            && text.contains("${")
        {
            let name = run.store.context().name(sym);
            let mut refs = TextRefs::default();
            self.add_references(run.store, text, Some((sym, &name)), &mut refs)?;
            found.add(&refs, run, self);
        }
        Ok(found.finish(&|name| run.is_ignored(name), value))
    }

    fn variable_node(&mut self, sym: Sym, run: &Run) -> Result<Node> {
        let store = run.store;
        let context = store.context();
        let mut found = Collector::default();
        let flags = self.flags(sym, run, &mut found)?;
        let own: FxHashSet<Sym> = flags
            .vardepsexclude
            .iter()
            .flat_map(|text| text.split_whitespace())
            .map(|w| context.sym(w))
            .collect();
        let excluded = |name: Sym| run.is_ignored(name) || own.contains(&name);
        let mut value = match flags.vardepvalue {
            Some(value) => Some(value),
            None => {
                let content = self.content(sym, &flags, run, &excluded, &mut found)?;
                if !flags.function {
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
        Ok(found.finish(&excluded, value))
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
            found.add_code(&code, run, self);
            return with_lines(text, &[], found, excluded, run);
        }
        let mut refs = TextRefs::default();
        if text.contains("${") {
            self.add_references(source, &text, Some((sym, &name)), &mut refs)?;
        }
        found.add(&refs, run, self);
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
                found.contains.extend(code.contains.iter().cloned());
            }
        }
        if flags.function {
            let body = source.get_sym(sym)?;
            let execs = match &body {
                Some(Value::Str(body)) => self.finds.shell(body, source.context(), &name)?,
                _ => Rc::default(),
            };
            found.add_existing(&execs, run, self);
            found.names.extend(&*run.exported);
        }
        with_lines(text, &removes, found, excluded, run)
    }
}

/// Adds to a text what is removed from it and what is looked for in variables.
fn with_lines(
    text: Rc<str>,
    removes: &[Rc<str>],
    found: &mut Collector,
    excluded: &dyn Fn(Sym) -> bool,
    run: &Run,
) -> Result<Rc<str>> {
    let contains = std::mem::take(&mut found.contains);
    if removes.is_empty() && contains.is_empty() {
        return Ok(text);
    }
    let mut text = text.to_string();
    add_contains(&mut text, contains, excluded, run)?;
    for remove in removes {
        text.push_str("\n_remove of ");
        text.push_str(remove);
    }
    Ok(text.into())
}

/// Adds a line for each item looked for: `VAR{item} = Set` or `Unset`.
fn add_contains(
    text: &mut String,
    contains: Vec<(Sym, Rc<str>)>,
    excluded: &dyn Fn(Sym) -> bool,
    run: &Run,
) -> Result<()> {
    let context = run.store.context();
    let mut asked: Vec<(Rc<str>, Sym, Rc<str>)> = contains
        .into_iter()
        .filter(|(variable, _)| !excluded(*variable))
        .map(|(variable, item)| (context.name(variable), variable, item))
        .collect();
    asked.sort_unstable_by(|a, b| (&a.0, &a.2).cmp(&(&b.0, &b.2)));
    asked.dedup();
    for (name, variable, item) in asked {
        let held = run.store.get_sym(variable)?;
        let held = held.as_ref().and_then(Value::as_str).map_or("", |held| held);
        let set = item.split_whitespace().all(|word| held.split_whitespace().any(|other| other == word));
        text.push('\n');
        text.push_str(&name);
        text.push('{');
        text.push_str(&item);
        text.push_str(if set { "} = Set" } else { "} = Unset" });
    }
    Ok(())
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
    fn flags(&mut self, sym: Sym, run: &Run, found: &mut Collector) -> Result<Flags> {
        let mut flags = Flags::default();
        let Some(var) = run.store.var(sym) else { return Ok(flags) };
        let names = self.flag_names.clone();
        let weak = var.weak_flags.iter().filter(|(flag, _)| var.flag(*flag).is_none());
        for (flag, value) in var.flags.iter().chain(weak) {
            if run.hashes_flag(*flag) {
                found.names.push(self.flag_sym(sym, *flag, run.store.context()));
            }
            let expanded = || -> Result<Option<Rc<str>>> {
                Ok(run.store.flag_expanded(sym, *flag)?.and_then(|value| value.as_str().cloned()))
            };
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
