//! Reading variables.

use crate::cache::{CacheKey, Entry, Input};
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use crate::var::{Modifier, Var};
use crate::{Error, Result};
use bitzel_base::CompatLevel;
use std::rc::Rc;

/// How to read a variable.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    /// Expand `${...}` and apply `:remove` and filters.
    pub expand: bool,
    /// A `??=` default counts as no value.
    pub no_weak_default: bool,
    /// As statements see it: without overrides and modifiers.
    pub parsing: bool,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions { expand: true, no_weak_default: false, parsing: false }
    }
}

/// A value before expansion, with the removals that are to be applied after it.
#[derive(Clone, Debug, Default)]
pub struct Unexpanded {
    /// After overrides, `:append` and `:prepend`.
    pub value: Option<Value>,
    /// Unexpanded texts of the `:remove`s that are active, in order, each once.
    pub removes: Vec<Rc<str>>,
}

impl DataStore {
    /// The expanded value.
    pub fn get(&self, name: &str) -> Result<Option<Value>> {
        self.get_sym(self.context().sym(name))
    }

    /// The expanded value, if it is a text.
    pub fn get_str(&self, name: &str) -> Result<Option<Rc<str>>> {
        Ok(self.get(name)?.and_then(|value| value.as_str().cloned()))
    }

    /// The expanded value as text, empty where there is none.
    pub fn get_or_empty(&self, name: &str) -> Result<Rc<str>> {
        Ok(self.get_str(name)?.unwrap_or_else(|| "".into()))
    }

    /// The expanded value of an interned name.
    pub fn get_sym(&self, sym: Sym) -> Result<Option<Value>> {
        Ok(self.entry(sym)?.value.clone())
    }

    /// The value, read as `options` say.
    pub fn get_with(&self, name: &str, options: ReadOptions) -> Result<Option<Value>> {
        let sym = self.context().sym(name);
        if options.expand && !options.parsing && !options.no_weak_default {
            return self.get_sym(sym);
        }
        // BitBake: an expanded value that is known already answers, however it is asked for.
        // 2.18 looks at weak defaults before.
        let known_counts = !options.no_weak_default || self.context().level() < CompatLevel::V2_18;
        if options.expand
            && known_counts
            && let Some(entry) = self.cached(CacheKey::Variable(sym))
        {
            return Ok(entry.value.clone());
        }
        let unexpanded = self.unexpanded(sym, options)?;
        if !options.expand {
            return Ok(unexpanded.value);
        }
        self.expanded(sym, unexpanded)
    }

    /// The value before expansion.
    pub fn get_unexpanded(&self, name: &str) -> Result<Unexpanded> {
        self.unexpanded(self.context().sym(name), ReadOptions { expand: false, ..ReadOptions::default() })
    }

    pub(crate) fn compute(&self, sym: Sym) -> Result<Rc<Entry>> {
        if self.begin(CacheKey::Variable(sym)).is_err() {
            return Err(Error::SelfReference(self.context().name(sym).to_string()));
        }
        let result = self
            .unexpanded(sym, ReadOptions::default())
            .and_then(|unexpanded| self.expanded(sym, unexpanded));
        match result {
            Ok(value) => Ok(self.finish(value)),
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    /// The value after overrides, `:append` and `:prepend`.
    pub(crate) fn unexpanded(&self, sym: Sym, options: ReadOptions) -> Result<Unexpanded> {
        self.note_input(Input::Content(sym));
        let Some(var) = self.var(sym) else { return Ok(Unexpanded::default()) };
        if !options.parsing && var.looks_at_overrides() {
            self.note_choice(sym, &var)?;
        }
        let mut result = Unexpanded::default();
        if !options.parsing
            && !var.candidates.is_empty()
            && let Some(chosen) = self.choose(&var)?
        {
            result = self.unexpanded(chosen, ReadOptions { expand: false, ..ReadOptions::default() })?;
        }
        if is_none(&result.value) {
            result.value = match (&var.content, &var.weak) {
                (Some(content), _) => Some(content.clone()),
                (None, Some(weak)) if !options.no_weak_default => Some(weak.clone()),
                _ => None,
            };
        }
        if !options.parsing {
            self.modify(&var, &mut result)?;
        }
        if is_none(&result.value) {
            result.value = None;
        }
        Ok(result)
    }

    fn modify(&self, var: &Var, result: &mut Unexpanded) -> Result<()> {
        for modifier in self.active_modifiers(&var.append)? {
            result.value = Some(join(result.value.take(), &modifier.text, false)?);
        }
        for modifier in self.active_modifiers(&var.prepend)? {
            result.value = Some(join(result.value.take(), &modifier.text, true)?);
        }
        if result.value.as_ref().is_some_and(Value::is_true) {
            for modifier in self.active_modifiers(&var.remove)? {
                if let Some(text) = modifier.text.as_str()
                    && !result.removes.contains(text)
                {
                    result.removes.push(text.clone());
                }
            }
        }
        Ok(())
    }

    fn active_modifiers<'a>(&self, modifiers: &'a [Modifier]) -> Result<Vec<&'a Modifier>> {
        if modifiers.is_empty() {
            return Ok(Vec::new());
        }
        if modifiers.iter().all(|m| m.overrides.is_empty()) {
            return Ok(modifiers.iter().collect());
        }
        let active = self.overrides()?;
        Ok(modifiers.iter().filter(|m| active.all(&m.overrides)).collect())
    }

    fn expanded(&self, sym: Sym, unexpanded: Unexpanded) -> Result<Option<Value>> {
        let Some(Value::Str(text)) = unexpanded.value else { return Ok(unexpanded.value) };
        let name = self.context().name(sym);
        let mut text = self.expand_text(&text, Some((sym, &name)))?;
        if !unexpanded.removes.is_empty() {
            text = self.without(&text, &unexpanded.removes)?;
        }
        let filters = self.filters_for(sym, &name)?;
        if !text.is_empty() && !filters.is_empty() {
            text = self.context().interp.filter(&text, &filters)?;
        }
        Ok(Some(Value::Str(text)))
    }

    /// Filters of `NAME` work on all `NAME:...` too, but not on the versions of it that
    /// an active override chooses: those are filtered as `NAME`.
    fn filters_for(&self, sym: Sym, name: &str) -> Result<Vec<Rc<str>>> {
        let (base, last) = match name.split_once(':') {
            Some((base, rest)) => (base, rest.rsplit(':').next()),
            None => (name, None),
        };
        let Some(base) = self.context().find_sym(base) else { return Ok(Vec::new()) };
        self.note_input(Input::Filters(base));
        let filters = self.var(base).map(|var| var.filters.clone()).unwrap_or_default();
        if filters.is_empty() {
            return Ok(filters);
        }
        if let Some(last) = last {
            self.note_overrides();
            if self.overrides()?.all(&[self.context().sym(last)]) {
                return Ok(Vec::new());
            }
        }
        Ok(if self.filters_count(sym) { filters } else { Vec::new() })
    }

    /// Takes the words of `removes` out of `text`; white space stays.
    fn without(&self, text: &str, removes: &[Rc<str>]) -> Result<Rc<str>> {
        let mut words: Vec<Rc<str>> = Vec::new();
        for remove in removes {
            let expanded = self.expand_text(remove, None)?;
            words.extend(expanded.split_whitespace().map(Rc::from));
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let blank = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
            out.push_str(&rest[..blank]);
            rest = &rest[blank..];
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            if !words.iter().any(|word| **word == rest[..end]) {
                out.push_str(&rest[..end]);
            }
            rest = &rest[end..];
        }
        Ok(out.into())
    }

    /// The removals that take something out of the value, sorted: those count in hashes.
    pub fn effective_removes(&self, unexpanded: &Unexpanded, name: &str) -> Result<Vec<Rc<str>>> {
        let Some(Value::Str(text)) = &unexpanded.value else { return Ok(Vec::new()) };
        if unexpanded.removes.is_empty() {
            return Ok(Vec::new());
        }
        let sym = self.context().sym(name);
        let text = self.expand_text(text, Some((sym, name)))?;
        let mut effective = Vec::new();
        for remove in &unexpanded.removes {
            let expanded = self.expand_text(remove, None)?;
            let words: Vec<&str> = expanded.split_whitespace().collect();
            if text.split_whitespace().any(|word| words.contains(&word)) {
                effective.push(remove.clone());
            }
        }
        effective.sort_unstable();
        Ok(effective)
    }

    /// The value before expansion, by interned name.
    pub(crate) fn unexpanded_of(&self, sym: Sym) -> Result<Unexpanded> {
        self.unexpanded(sym, ReadOptions { expand: false, ..ReadOptions::default() })
    }

    /// Does the variable exist (in the sense of [`DataStore::keys`])? By interned name.
    pub(crate) fn exists(&self, sym: Sym) -> bool {
        match self.look(sym, |var| (var.exists(), var.candidates.is_empty())) {
            None | Some((false, true)) => false,
            Some((true, _)) => true,
            Some((false, false)) => {
                let (var, on) = (self.var(sym), self.overrides());
                var.zip(on.ok()).is_some_and(|(var, on)| var.candidates.iter().any(|c| on.all(&c.parts)))
            }
        }
    }

    /// Variables that shell tasks get in their environment: those with a true `export`
    /// flag and no true `unexport` flag.
    pub(crate) fn exported(&self) -> Result<Vec<Sym>> {
        let context = self.context();
        let (export, unexport) = (context.sym("export"), context.sym("unexport"));
        let mut exported = Vec::new();
        for sym in self.select(|var| var.flag(export).is_some()) {
            if self.is_flag_on(sym, export)? && !self.is_flag_on(sym, unexport)? {
                exported.push(sym);
            }
        }
        Ok(exported)
    }

    /// The names and override parts (`x:y`) of the versions that a variable has for overrides.
    pub fn override_versions(&self, name: &str) -> Vec<(Rc<str>, Rc<str>)> {
        let Some(var) = self.context().find_sym(name).and_then(|sym| self.var(sym)) else {
            return Vec::new();
        };
        var.candidates.iter().map(|c| (self.context().name(c.var), c.key.clone())).collect()
    }
}

fn is_none(value: &Option<Value>) -> bool {
    matches!(value, None | Some(Value::None))
}

/// Puts text before or behind a value; nothing counts as empty text.
fn join(value: Option<Value>, text: &Value, before: bool) -> Result<Value> {
    let base: Rc<str> = match value {
        None | Some(Value::None) => "".into(),
        Some(Value::Str(base)) => base,
        Some(other) => return Err(not_joinable(&other, text)),
    };
    let Value::Str(text) = text else { return Err(not_joinable(&Value::Str(base), text)) };
    Ok(Value::Str(if before { format!("{text}{base}") } else { format!("{base}{text}") }.into()))
}

/// BitBake: what Python says of adding the two.
fn not_joinable(base: &Value, text: &Value) -> Error {
    let (base, text) = (base.type_name(), text.type_name());
    Error::NotJoinable(format!("can only concatenate {base} (not \"{text}\") to {base}"))
}
