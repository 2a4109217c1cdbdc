//! Flags: reading and changing them.

use crate::cache::{CacheKey, Input};
use crate::history::HistoryEvent;
use crate::modify::SetInfo;
use crate::renamed::RENAMES;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use crate::var::Modifier;
use crate::{Error, ReadOptions, Result};
use bitzel_base::CompatLevel;
use std::rc::Rc;

/// Beginning of the name that BitBake keeps a flag's weak default by.
pub(crate) const WEAK_FLAG: &str = "_defaultval_flag_";

impl DataStore {
    /// A flag's value. `_content` is the variable itself.
    pub fn get_flag(&self, name: &str, flag: &str, expand: bool) -> Result<Option<Value>> {
        let sym = self.context().sym(name);
        match flag {
            "_content" => {
                return self.get_with(name, ReadOptions { expand, ..ReadOptions::default() });
            }
            "_defaultval" => return Ok(self.var(sym).and_then(|var| var.weak.clone())),
            _ => {}
        }
        if let Some(flag) = self.weak_flag_name(flag) {
            self.note_input(Input::Flags(sym));
            return Ok(self.var(sym).and_then(|var| var.weak_flag(self.context().sym(flag)).cloned()));
        }
        let flag_sym = self.context().sym(flag);
        self.note_input(Input::Flags(sym));
        let value =
            self.var(sym).and_then(|var| var.flag(flag_sym).or_else(|| var.weak_flag(flag_sym)).cloned());
        match value {
            Some(Value::Str(text)) if expand && text.contains("${") => {
                self.expanded_flag(sym, flag_sym, &text).map(Some)
            }
            Some(Value::None) => Ok(None),
            other => Ok(other),
        }
    }

    /// A flag's value by interned names, unexpanded; weak defaults count.
    pub(crate) fn flag_value(&self, sym: Sym, flag: Sym) -> Option<Value> {
        let value = self.look(sym, |var| var.flag(flag).or_else(|| var.weak_flag(flag)).cloned())?;
        value.filter(|value| !matches!(value, Value::None))
    }

    /// A flag's expanded value by interned names.
    pub(crate) fn flag_expanded(&self, sym: Sym, flag: Sym) -> Result<Option<Value>> {
        match self.flag_value(sym, flag) {
            Some(Value::Str(text)) if text.contains("${") => self.expanded_flag(sym, flag, &text).map(Some),
            other => Ok(other),
        }
    }

    /// Does a flag say yes? BitBake: `bb.utils.to_boolean`.
    pub(crate) fn is_flag_on(&self, sym: Sym, flag: Sym) -> Result<bool> {
        match self.flag_expanded(sym, flag)? {
            Some(Value::Str(text)) => match text.to_lowercase().as_str() {
                "y" | "yes" | "1" | "true" => Ok(true),
                "" | "n" | "no" | "0" | "false" => Ok(false),
                _ => Err(Error::NotBoolean {
                    flag: format!("{}[{}]", self.context().name(sym), self.context().name(flag)),
                    value: text.to_string(),
                }),
            },
            value => Ok(value.is_some_and(|value| value.is_true())),
        }
    }

    /// A flag's value as set, unexpanded; a weak default counts as none.
    pub fn get_own_flag(&self, name: &str, flag: &str) -> Option<Value> {
        let context = self.context();
        let sym = context.sym(name);
        self.note_input(Input::Flags(sym));
        let value = self.var(sym)?.flag(context.sym(flag)).cloned();
        value.filter(|value| !matches!(value, Value::None))
    }

    fn expanded_flag(&self, sym: Sym, flag: Sym, text: &Rc<str>) -> Result<Value> {
        let key = CacheKey::Flag(sym, flag);
        if let Some(entry) = self.cached(key) {
            return Ok(entry.value.clone().expect("only texts are kept"));
        }
        let name = format!("{}[{}]", self.context().name(sym), self.context().name(flag));
        if self.begin(key).is_err() {
            return Err(Error::SelfReference(name));
        }
        self.note_input(Input::Flags(sym));
        match self.expand_text(text, Some((self.context().sym(&name), &name))) {
            Ok(text) => Ok(self.finish(Some(Value::Str(text))).value.clone().expect("just given")),
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    /// All flags that are not internal, in order of setting, unexpanded; weak ones
    /// included where no other is set. None where there are none.
    pub fn get_flags(&self, name: &str) -> Option<Vec<(Rc<str>, Value)>> {
        let sym = self.context().sym(name);
        self.note_input(Input::Flags(sym));
        let var = self.var(sym)?;
        let context = self.context();
        let mut flags: Vec<(Rc<str>, Value)> = var
            .flags
            .iter()
            .map(|(flag, value)| (context.name(*flag), value.clone()))
            .filter(|(flag, _)| !flag.starts_with(['_', ':']))
            .collect();
        for (flag, value) in &var.weak_flags {
            let flag = context.name(*flag);
            if !flags.iter().any(|(other, _)| *other == flag) {
                flags.push((flag, value.clone()));
            }
        }
        (!flags.is_empty()).then_some(flags)
    }

    /// The whole of a variable as flags: its value, defaults and modifiers under the names
    /// BitBake keeps them by, and all flags, internal ones included. None where there is nothing.
    pub fn get_internal_flags(&self, name: &str) -> Option<Vec<(Rc<str>, Value)>> {
        let context = self.context();
        let sym = context.sym(name);
        self.note_input(Input::Content(sym));
        self.note_input(Input::Flags(sym));
        let var = self.var(sym)?;
        let mut all: Vec<(Rc<str>, Value)> = Vec::new();
        all.extend(var.content.clone().map(|value| ("_content".into(), value)));
        all.extend(var.weak.clone().map(|value| ("_defaultval".into(), value)));
        for (flag, list) in [(":append", &var.append), (":prepend", &var.prepend), (":remove", &var.remove)] {
            if !list.is_empty() {
                let items = list.iter().map(|modifier| self.modifier_value(modifier)).collect();
                all.push((flag.into(), Value::List(Rc::new(items))));
            }
        }
        all.extend(var.flags.iter().map(|(flag, value)| (context.name(*flag), value.clone())));
        for (flag, value) in &var.weak_flags {
            all.push((format!("{WEAK_FLAG}{}", context.name(*flag)).into(), value.clone()));
        }
        (!all.is_empty()).then_some(all)
    }

    /// `[text, overrides]`
    fn modifier_value(&self, modifier: &Modifier) -> Value {
        let names: Vec<Rc<str>> = modifier.overrides.iter().map(|sym| self.context().name(*sym)).collect();
        let overrides = if names.is_empty() { Value::None } else { Value::str(names.join(":")) };
        Value::List(Rc::new(vec![modifier.text.clone(), overrides]))
    }

    /// The flag whose weak default `flag` names (`_defaultval_flag_FLAG`, 2.18).
    pub(crate) fn weak_flag_name<'a>(&self, flag: &'a str) -> Option<&'a str> {
        flag.strip_prefix(WEAK_FLAG).filter(|_| self.context().level() >= CompatLevel::V2_18)
    }

    /// Sets a flag.
    pub fn set_flag(&self, name: &str, flag: &str, value: Value, info: &SetInfo) -> Result<()> {
        if flag == "_defaultval" {
            return self.set_weak(name, value, info);
        }
        if flag == "_content" {
            return self.set(name, value, info);
        }
        if let Some(flag) = self.weak_flag_name(flag) {
            self.set_weak_flag(name, flag, value, info);
            return Ok(());
        }
        if name != RENAMES {
            self.check_renamed(name, info)?;
        }
        let flag_sym = self.context().sym(flag);
        self.record(name, info, || flag_event(info, name, flag, "set", value.clone()));
        self.change_flags(self.context().sym(name), |var| var.set_flag(flag_sym, value));
        Ok(())
    }

    /// Sets a weak default of a flag (`VAR[flag] ??=`, 2.18).
    pub fn set_weak_flag(&self, name: &str, flag: &str, value: Value, info: &SetInfo) {
        let flag_sym = self.context().sym(flag);
        let shown = format!("{WEAK_FLAG}{flag}");
        self.record(name, info, || flag_event(info, name, &shown, "set", value.clone()));
        self.change_flags(self.context().sym(name), |var| var.set_weak_flag(flag_sym, value));
    }

    /// Deletes a flag.
    pub fn delete_flag(&self, name: &str, flag: &str, info: &SetInfo) {
        let flag_sym = self.context().sym(flag);
        let sym = self.context().sym(name);
        let Some(var) = self.var(sym) else { return };
        if flag == "_content" {
            self.change(sym, |var| var.content = None);
        } else if flag == "_defaultval" {
            self.change(sym, |var| var.weak = None);
        } else if let Some(flag) = self.weak_flag_name(flag) {
            let flag_sym = self.context().sym(flag);
            self.change_flags(sym, |var| var.weak_flags.retain(|(other, _)| *other != flag_sym));
        } else if var.flag(flag_sym).is_some() {
            // BitBake: a weak default goes with its flag; without one it stays.
            self.record(name, info, || flag_event(info, name, flag, "delFlag", Value::str("")));
            self.change_flags(sym, |var| {
                var.flags.retain(|(other, _)| *other != flag_sym);
                var.weak_flags.retain(|(other, _)| *other != flag_sym);
            });
        }
    }

    /// Deletes the flags given, or all; the value stays.
    pub fn delete_flags(&self, name: &str) {
        let sym = self.context().sym(name);
        if self.var(sym).is_some_and(|var| !var.flags.is_empty()) {
            self.change_flags(sym, |var| var.flags.clear());
        }
    }
}

pub(crate) fn flag_event(info: &SetInfo, name: &str, flag: &str, op: &str, detail: Value) -> HistoryEvent {
    HistoryEvent {
        op: info.op.unwrap_or(op).into(),
        detail: info.detail.clone().unwrap_or(detail),
        variable: info.shown_as.unwrap_or(name).into(),
        flag: Some(flag.into()),
        ..HistoryEvent::default()
    }
}
