//! Changing variables.

use crate::flags::flag_event;
use crate::history::HistoryEvent;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use crate::var::{Candidate, Modifier, Var};
use crate::{Error, ReadOptions, Result};
use bitzel_base::SourceLoc;
use std::rc::Rc;

/// Where a change comes from and how it is meant.
#[derive(Clone, Debug, Default)]
pub struct SetInfo<'a> {
    /// A statement of a file, not Python code: pending modifiers and active
    /// override versions stay.
    pub parsing: bool,
    /// File and line, where known.
    pub loc: Option<SourceLoc>,
    /// The operation shown in the history; `set` where not given.
    pub op: Option<&'a str>,
    /// The value shown in the history, where it is not the new value.
    pub detail: Option<Value>,
    /// Name shown in the history, where it is not the variable's.
    pub shown_as: Option<&'a str>,
    /// Function that does it, for changes from Python.
    pub func: Option<Rc<str>>,
    /// Leave no trace in the history.
    pub ignore: bool,
}

impl SetInfo<'_> {
    /// A change that leaves no trace in the history, made as a statement would.
    pub fn quiet_parsing() -> SetInfo<'static> {
        SetInfo { parsing: true, ignore: true, ..SetInfo::default() }
    }
}

/// `:append`, `:prepend` or `:remove` in a variable's name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyword {
    Append,
    Prepend,
    Remove,
}

impl Keyword {
    const ALL: [(Keyword, &'static str); 3] =
        [(Keyword::Append, ":append"), (Keyword::Prepend, ":prepend"), (Keyword::Remove, ":remove")];

    fn list(self, var: &mut Var) -> &mut Vec<Modifier> {
        match self {
            Keyword::Append => &mut var.append,
            Keyword::Prepend => &mut var.prepend,
            Keyword::Remove => &mut var.remove,
        }
    }

    fn list_of(self, var: &Var) -> &Vec<Modifier> {
        match self {
            Keyword::Append => &var.append,
            Keyword::Prepend => &var.prepend,
            Keyword::Remove => &var.remove,
        }
    }
}

/// Takes `BASE:append[:OVERRIDES]` apart: the first place where a keyword is followed
/// by the end or by overrides without capitals.
fn split_keyword(name: &str) -> Option<(&str, Keyword, &'static str, Option<&str>)> {
    for (at, _) in name.match_indices(':') {
        for (keyword, text) in Keyword::ALL {
            let Some(rest) = name[at..].strip_prefix(text) else { continue };
            if rest.is_empty() {
                return Some((&name[..at], keyword, text, None));
            }
            if let Some(spec) = rest.strip_prefix(':')
                && !spec.bytes().any(|b| b.is_ascii_uppercase())
            {
                return Some((&name[..at], keyword, text, (!spec.is_empty()).then_some(spec)));
            }
        }
    }
    None
}

const OLD_KEYWORDS: [&str; 3] = ["_append", "_prepend", "_remove"];

/// May `name` be an override: does it begin with a lower-case letter or a digit?
/// BitBake: the text behind the last colon, or behind an earlier one, is one.
fn is_override(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

impl DataStore {
    /// Sets a variable, or adds a pending modifier for `NAME:append` and relatives.
    pub fn set(&self, name: &str, value: Value, info: &SetInfo) -> Result<()> {
        if name.contains('_') && OLD_KEYWORDS.iter().any(|old| name.contains(old)) {
            return Err(Error::OldOverrideSyntax(with_location(name, info)));
        }
        self.check_renamed(name, info)?;
        if let Some((base, keyword, text, spec)) = split_keyword(name) {
            self.add_modifier(base, keyword, spec, value.clone());
            let op = spec.map_or_else(|| text.to_owned(), |spec| format!("{text}[{spec}]"));
            self.record(base, info, || HistoryEvent {
                op: op.into(),
                detail: value,
                variable: base.into(),
                ..HistoryEvent::default()
            });
            return self.add_candidate(base);
        }
        let sym = self.context().sym(name);
        if !info.parsing {
            self.drop_modifiers(sym)?;
        }
        if name.contains(':') {
            self.add_candidate(name)?;
        }
        self.record(name, info, || HistoryEvent {
            op: info.op.unwrap_or("set").into(),
            detail: info.detail.clone().unwrap_or_else(|| value.clone()),
            variable: info.shown_as.unwrap_or(name).into(),
            ..HistoryEvent::default()
        });
        self.change(sym, |var| var.content = Some(value));
        Ok(())
    }

    /// Sets a variable as it is: no keywords, no checks, no history. For stores that hold
    /// something else than metadata, such as the caller's environment.
    pub fn set_raw(&self, name: &str, value: Value) {
        self.change(self.context().sym(name), |var| var.content = Some(value));
    }

    /// Makes the variable known without giving it a value.
    pub fn init(&self, name: &str) {
        let sym = self.context().sym(name);
        if self.var(sym).is_none() {
            self.change(sym, |_| ());
        }
    }

    fn add_modifier(&self, base: &str, keyword: Keyword, spec: Option<&str>, text: Value) {
        let overrides = spec
            .map(|spec| spec.split(':').map(|part| self.context().sym(part)).collect())
            .unwrap_or_default();
        let modifier = Modifier { text, overrides };
        self.change(self.context().sym(base), |var| keyword.list(var).push(modifier));
    }

    /// A change by Python replaces what would modify the value at read time.
    fn drop_modifiers(&self, sym: Sym) -> Result<()> {
        let Some(var) = self.var(sym) else { return Ok(()) };
        if !var.candidates.is_empty() {
            let active = self.overrides()?;
            let gone: Vec<Sym> =
                var.candidates.iter().filter(|c| active.all(&c.parts)).map(|c| c.var).collect();
            for candidate in gone {
                self.delete(&self.context().name(candidate), &SetInfo { ignore: true, ..SetInfo::default() });
            }
        }
        if !(var.append.is_empty()
            && var.prepend.is_empty()
            && var.remove.is_empty()
            && var.candidates.is_empty())
        {
            self.change(sym, |var| {
                var.append.clear();
                var.prepend.clear();
                var.remove.clear();
                var.candidates = Rc::default();
            });
        }
        Ok(())
    }

    /// `FOO:a:b` is a version of `FOO:a` for b, and of `FOO` for a and b.
    fn add_candidate(&self, name: &str) -> Result<()> {
        let context = self.context();
        let mut end = name.len();
        while let Some(colon) = name[..end].rfind(':') {
            let key = &name[colon + 1..];
            let short = &name[..colon];
            if !is_override(key) || short.is_empty() {
                break;
            }
            let candidate = Candidate {
                var: context.sym(name),
                key: key.into(),
                parts: key.split(':').map(|part| context.sym(part)).collect(),
            };
            let known = self.var(context.sym(short)).is_some_and(|var| {
                var.candidates.iter().any(|c| c.var == candidate.var && c.key == candidate.key)
            });
            if !known {
                self.change_candidates(context.sym(short), |list| list.push(candidate));
            }
            end = colon;
        }
        Ok(())
    }

    /// Deletes a variable with its flags, modifiers and override versions.
    pub fn delete(&self, name: &str, info: &SetInfo) {
        let context = self.context();
        let sym = context.sym(name);
        self.record(name, info, || HistoryEvent {
            op: info.op.unwrap_or("del").into(),
            detail: info.detail.clone().unwrap_or_else(|| Value::str("")),
            variable: info.shown_as.unwrap_or(name).into(),
            ..HistoryEvent::default()
        });
        let version = context.new_version();
        self.change(sym, |var| {
            let owner = var.owner;
            *var = Var { version, flags_version: version, filters_version: version, owner, ..Var::default() };
        });
        let mut end = name.len();
        while let Some(colon) = name[..end].rfind(':') {
            let short = context.sym(&name[..colon]);
            if !is_override(&name[colon + 1..]) || colon == 0 {
                break;
            }
            if self.var(short).is_some_and(|var| var.candidates.iter().any(|c| c.var == sym)) {
                self.change_candidates(short, |list| list.retain(|c| c.var != sym));
            }
            end = colon;
        }
    }

    /// Moves a variable, its modifiers and its override versions to another name.
    /// Flags are left behind.
    ///
    /// # Errors
    /// If the new name is an override version of the old one: it would move with it, without end.
    pub fn rename(&self, name: &str, new: &str, info: &SetInfo) -> Result<()> {
        if new.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')) {
            return Err(Error::RenameWithin { name: name.to_owned(), new: new.to_owned() });
        }
        let context = self.context();
        let sym = context.sym(name);
        let value =
            self.get_with(name, ReadOptions { expand: false, parsing: true, no_weak_default: false })?;
        let had_value = value.is_some();
        if let Some(value) = value {
            self.history_mut().copy_events(name, new);
            self.record(new, info, || HistoryEvent {
                op: format!("rename from {name}").into(),
                detail: value.clone(),
                variable: new.into(),
                ..HistoryEvent::default()
            });
            self.set(new, value, &SetInfo { parsing: true, ignore: true, ..SetInfo::default() })?;
        }
        let old = self.var(sym).unwrap_or_default();
        let target = context.sym(new);
        for (keyword, _) in Keyword::ALL {
            let moved = keyword.list_of(&old).clone();
            if !moved.is_empty() {
                self.change(target, |var| keyword.list(var).extend(moved));
            }
        }
        for candidate in old.candidates.iter() {
            let from = context.name(candidate.var);
            let to = from.replace(name, new);
            let renamed = Candidate { var: context.sym(&to), ..candidate.clone() };
            self.change_candidates(target, |list| {
                if !list.iter().any(|c| c.var == renamed.var && c.key == renamed.key) {
                    list.push(renamed);
                }
            });
            self.rename(&from, &to, info)?;
        }
        if new.contains(':') && !had_value {
            self.add_candidate(new)?;
        }
        self.record(name, info, || HistoryEvent {
            op: "rename (to)".into(),
            detail: Value::str(new),
            variable: name.into(),
            ..HistoryEvent::default()
        });
        self.delete(name, &SetInfo { ignore: true, ..SetInfo::default() });
        Ok(())
    }

    /// `NAME:append` from Python.
    pub fn append(&self, name: &str, value: Value, info: &SetInfo) -> Result<()> {
        self.add(name, "append", value, info)
    }

    /// `NAME:prepend` from Python.
    pub fn prepend(&self, name: &str, value: Value, info: &SetInfo) -> Result<()> {
        self.add(name, "prepend", value, info)
    }

    fn add(&self, name: &str, op: &str, value: Value, info: &SetInfo) -> Result<()> {
        self.record(name, info, || HistoryEvent {
            op: info.op.unwrap_or(op).into(),
            detail: info.detail.clone().unwrap_or_else(|| value.clone()),
            variable: info.shown_as.unwrap_or(name).into(),
            ..HistoryEvent::default()
        });
        self.set(&format!("{name}:{op}"), value, &SetInfo { ignore: true, ..info.clone() })
    }

    /// Sets a weak default (`??=`).
    pub fn set_weak(&self, name: &str, value: Value, info: &SetInfo) -> Result<()> {
        self.check_renamed(name, info)?;
        if name.contains(':') {
            self.add_candidate(name)?;
        }
        self.record(name, info, || flag_event(info, name, "_defaultval", "set", value.clone()));
        self.change(self.context().sym(name), |var| var.weak = Some(value));
        Ok(())
    }

    /// Sets the filter expression applied to the expanded value (2.18).
    pub fn set_filter(&self, name: &str, expression: &str) {
        let version = self.context().new_version();
        self.change(self.context().sym(name), |var| {
            var.filters_version = version;
            var.filters = vec![expression.into()];
        });
    }

    pub(crate) fn record(&self, name: &str, info: &SetInfo, event: impl FnOnce() -> HistoryEvent) {
        if info.ignore || !self.history().is_tracking() {
            return;
        }
        let mut event = event();
        event.loc.clone_from(&info.loc);
        event.func.clone_from(&info.func);
        self.history_mut().add(name, event);
    }
}

fn with_location(name: &str, info: &SetInfo) -> String {
    match &info.loc {
        Some(loc) => format!("{name} file: {} line: {}", loc.file, loc.line),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, NoPython};
    use bitzel_base::CompatLevel;

    #[test]
    fn a_variable_cannot_become_an_override_version_of_itself() {
        let store = DataStore::new(&Context::new(Rc::new(NoPython), CompatLevel::V2_18));
        let info = SetInfo::default();
        store.set("A", Value::str("1"), &info).unwrap();
        store.set("A:x", Value::str("2"), &info).unwrap();
        let told = store.rename("A", "A:p", &info).unwrap_err().to_string();
        assert!(told.contains("`A` to `A:p`"), "{told}");
        store.rename("A", "AB", &info).unwrap();
        assert_eq!(store.keys(), ["AB".into(), "AB:x".into()]);
    }
}
