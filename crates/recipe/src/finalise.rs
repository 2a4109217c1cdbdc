//! The end of a recipe: deferred classes, handlers, key expansion, anonymous
//! functions, tasks, and the same again for each variant of BBCLASSEXTEND.

use crate::files::{DEPENDS, dependencies, normalise};
use crate::host::{EvalEvent, Handler};
use crate::tasks::{collect_tasks, task_list};
use crate::{Error, Evaluator, Result, expand_keys};
use bitzel_base::{CompatLevel, SourceLoc};
use bitzel_data::{DataStore, SetInfo, Value};
use std::rc::Rc;

/// The stores of a recipe: the plain one (`""`) and its variants, in order of making.
pub struct Variants {
    stores: Vec<(String, DataStore)>,
}

impl Variants {
    /// A recipe without variants.
    pub fn only(d: DataStore) -> Variants {
        Variants { stores: vec![(String::new(), d)] }
    }

    /// Variant names and stores.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &DataStore)> {
        self.stores.iter().map(|(name, d)| (name.as_str(), d))
    }

    /// The store of one variant.
    pub fn get(&self, variant: &str) -> Option<&DataStore> {
        self.stores.iter().find(|(name, _)| name == variant).map(|(_, d)| d)
    }
}

/// Book-keeping variable that holds the reason why a recipe is skipped.
pub const SKIPPED: &str = "__SKIPPED";

impl Evaluator {
    /// Applies the .bbappend files, then finalises the recipe and its variants. Each
    /// variant starts from the state before the plain recipe was finalised.
    pub(crate) fn finalise_all(&self, file: &str, d: &DataStore) -> Result<Variants> {
        for append in d.get_or_empty("__BBAPPEND")?.split_whitespace() {
            self.handle(append, d, true)?;
        }
        let wanted: Option<Vec<Rc<str>>> =
            d.peek("__ONLYFINALISE", Value::list_of_str).filter(|l| !l.is_empty());
        let wants =
            |variant: &str| wanted.as_ref().is_none_or(|list| list.iter().any(|name| **name == *variant));
        let before = d.clone();
        let plain = before.create_copy();
        self.finalise_or_skip(file, &plain)?;
        let mut stores = vec![(String::new(), plain.clone())];
        let extend = plain.get_or_empty("BBCLASSEXTEND")?;
        if !extend.is_empty() {
            let pn = plain.get_or_empty("PN")?;
            for d in [&before, &plain] {
                d.set("BBCLASSEXTEND", Value::Str(extend.clone()), &SetInfo::default())?;
            }
            let mut seen: Vec<&str> = Vec::new();
            for name in extend.split_whitespace() {
                if seen.contains(&name) {
                    continue;
                }
                seen.push(name);
                if !wants(name) {
                    continue;
                }
                let variant = before.create_copy();
                self.extend(name, &pn, file, &variant)?;
                stores.push((name.to_owned(), variant));
            }
            for (_, variant) in stores.iter().skip(1) {
                self.finalise_or_skip(file, variant)?;
            }
        }
        Ok(Variants { stores })
    }

    /// Turns a copy into the variant `name` (`native`, or `class:parameter`).
    fn extend(&self, name: &str, pn: &str, file: &str, d: &DataStore) -> Result<()> {
        let class = match name.split_once(':') {
            Some((class, parameter)) => {
                d.set("BBEXTENDCURR", Value::str(class), &SetInfo::default())?;
                d.set("BBEXTENDVARIANT", Value::str(parameter), &SetInfo::default())?;
                class
            }
            None => {
                d.set("PN", Value::str(format!("{pn}-{name}")), &SetInfo::default())?;
                name
            }
        };
        if self.level() >= CompatLevel::V2_18 {
            self.inherit_deferred(class, file, 0, d);
            Ok(())
        } else {
            self.inherit(class, file, 0, d, true)
        }
    }

    fn finalise_or_skip(&self, file: &str, d: &DataStore) -> Result<()> {
        match self.finalise(file, d) {
            Err(Error::Skip(reason)) => Ok(d.set(SKIPPED, Value::str(reason), &SetInfo::quiet_parsing())?),
            other => other,
        }
    }

    /// The exact order is part of the language (events see what came before them).
    fn finalise(&self, file: &str, d: &DataStore) -> Result<()> {
        let saved = self.host.save();
        let result = self.finalise_steps(file, d);
        self.host.restore_handlers(&saved);
        result
    }

    fn finalise_steps(&self, file: &str, d: &DataStore) -> Result<()> {
        if d.peek("_FAILPARSINGERRORHANDLED", Value::is_true).unwrap_or(false) {
            return Err(Error::Fatal("variables with new names are used; see the errors above".to_owned()));
        }
        let fire = |event| self.host.fire(event, file, &[], d);
        if self.level() >= CompatLevel::V2_18 {
            fire(EvalEvent::RecipePreDeferredInherits)?;
        }
        self.run_deferred_inherits(d)?;
        self.register_handlers(d)?;
        fire(EvalEvent::RecipePreFinalise)?;
        expand_keys(d)?;
        fire(EvalEvent::RecipePostKeyExpansion)?;
        self.run_anonymous(d)?;
        self.host.fire(EvalEvent::RecipeTaskPreProcess, file, &task_list(d), d)?;
        if self.level() >= CompatLevel::V2_18 {
            self.resolve_virtual_providers(d)?;
        }
        collect_tasks(d)?;
        let cwd = self.cwd();
        let mut files: Vec<String> = dependencies(d, "__base_depends");
        files.extend(dependencies(d, DEPENDS));
        let included: Vec<String> = files.iter().map(|file| normalise(file, &cwd)).collect();
        d.set("BBINCLUDED", Value::str(included.join(" ")), &SetInfo::default())?;
        fire(EvalEvent::RecipeParsed)
    }

    /// Makes the event handlers of `d` known to the host.
    pub(crate) fn register_handlers(&self, d: &DataStore) -> Result<()> {
        let names: Vec<Rc<str>> = d.peek("__BBHANDLERS", Value::list_of_str).unwrap_or_default();
        for name in names {
            let Some(file) = d.get_own_flag(&name, "filename").and_then(|v| v.as_str().cloned()) else {
                return Err(Error::Fatal(format!(
                    "Undefined event handler function '{name}'; define it or take it out of addhandler"
                )));
            };
            let line = d
                .get_own_flag(&name, "lineno")
                .and_then(|v| v.as_str().and_then(|text| text.parse().ok()))
                .unwrap_or(0);
            let body =
                d.get_unexpanded(&name)?.value.and_then(|v| v.as_str().cloned()).unwrap_or_else(|| "".into());
            let mask = d.get_flag(&name, "eventmask", true)?;
            let mask: Vec<Rc<str>> = mask
                .and_then(|v| v.as_str().cloned())
                .map(|text| text.split_whitespace().map(Rc::from).collect())
                .unwrap_or_default();
            let handler =
                Handler { name: &name, body: &body, mask: &mask, loc: SourceLoc::new(&*file, line) };
            self.host.register_handler(&handler, d)?;
        }
        Ok(())
    }
}
