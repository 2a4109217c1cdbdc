//! The end of a recipe: deferred classes, handlers, key expansion, anonymous
//! functions, tasks, and the same again for each variant of BBCLASSEXTEND.

use crate::files::{DEPENDS, dependencies, normalise};
use crate::host::{EvalEvent, Handler};
use crate::tasks::{collect_tasks, task_list};
use crate::{Error, Evaluator, Result, expand_keys};
use bitzel_base::{CompatLevel, SourceLoc};
use bitzel_data::{DataStore, SetInfo, Signatures, Value, sign};
use std::rc::Rc;

/// A recipe, or one of its variants.
pub struct Variant {
    /// Empty for the plain recipe.
    pub name: String,
    /// Its variables.
    pub data: DataStore,
    /// Base hashes of its tasks and what they stand on, if the configuration signs (see
    /// [`crate::BaseConfig::sign_with`]). A recipe skipped before its tasks were collected
    /// has none.
    pub signatures: Option<Signatures>,
}

impl Variant {
    /// The recipe itself, not finalised yet.
    pub(crate) fn plain(data: DataStore) -> Variant {
        Variant { name: String::new(), data, signatures: None }
    }
}

/// Is given the variants of a recipe, one by one.
pub(crate) type Each<'e> = dyn FnMut(Variant) -> Result<()> + 'e;

/// The stores of a recipe: the plain one (`""`) and its variants, in order of making.
pub struct Variants {
    all: Vec<Variant>,
}

impl Variants {
    /// What `run` answers, and all variants that it gives away.
    pub(crate) fn collect<T>(run: impl FnOnce(&mut Each<'_>) -> Result<T>) -> Result<(T, Variants)> {
        let mut all = Vec::new();
        let answer = run(&mut |variant| {
            all.push(variant);
            Ok(())
        })?;
        Ok((answer, Variants { all }))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Variant> {
        self.all.iter()
    }

    /// One variant, without the others.
    pub fn take(self, variant: &str) -> Option<Variant> {
        self.all.into_iter().find(|v| v.name == variant)
    }

    /// The store of one variant.
    pub fn get(&self, variant: &str) -> Option<&DataStore> {
        self.all.iter().find(|v| v.name == variant).map(|v| &v.data)
    }
}

/// Book-keeping variable that holds the reason why a recipe is skipped.
pub const SKIPPED: &str = "__SKIPPED";

impl Evaluator {
    /// Applies the .bbappend files, then finalises the recipe and its variants. Each
    /// variant starts from the state before the plain recipe was finalised, and is given away
    /// before the next is made: some recipes have more than a hundred.
    pub(crate) fn finalise_all(&self, file: &str, d: &DataStore, each: &mut Each<'_>) -> Result<()> {
        for append in d.get_or_empty("__BBAPPEND")?.split_whitespace() {
            self.handle(append, d, true)?;
        }
        let wanted: Option<Vec<Rc<str>>> =
            d.peek("__ONLYFINALISE", Value::list_of_str).filter(|l| !l.is_empty());
        let wants =
            |variant: &str| wanted.as_ref().is_none_or(|list| list.iter().any(|name| **name == *variant));
        let before = d.clone();
        let mut plain = Variant::plain(before.create_copy());
        self.finalise_or_skip(file, &mut plain)?;
        let extend = plain.data.get_or_empty("BBCLASSEXTEND")?;
        if extend.is_empty() {
            return each(plain);
        }
        let pn = plain.data.get_or_empty("PN")?;
        for d in [&before, &plain.data] {
            d.set("BBCLASSEXTEND", Value::Str(extend.clone()), &SetInfo::default())?;
        }
        each(plain)?;
        let mut seen: Vec<&str> = Vec::new();
        for name in extend.split_whitespace() {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            if !wants(name) {
                continue;
            }
            let data = before.create_copy();
            self.extend(name, &pn, file, &data)?;
            let mut variant = Variant { name: name.to_owned(), data, signatures: None };
            self.finalise_or_skip(file, &mut variant)?;
            each(variant)?;
        }
        Ok(())
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
        self.inherit_deferred(class, file, 0, d);
        Ok(())
    }

    fn finalise_or_skip(&self, file: &str, variant: &mut Variant) -> Result<()> {
        match self.finalise(file, variant) {
            Err(Error::Skip(reason)) => {
                Ok(variant.data.set(SKIPPED, Value::str(reason), &SetInfo::quiet_parsing())?)
            }
            other => other,
        }
    }

    /// The exact order is part of the language (events see what came before them).
    fn finalise(&self, file: &str, variant: &mut Variant) -> Result<()> {
        let saved = self.host.save();
        let result = self.finalise_steps(file, &variant.data, &mut variant.signatures);
        self.host.restore_handlers(&saved);
        result
    }

    fn finalise_steps(&self, file: &str, d: &DataStore, signatures: &mut Option<Signatures>) -> Result<()> {
        if d.peek("_FAILPARSINGERRORHANDLED", Value::is_true).unwrap_or(false) {
            return Err(Error::Handled("variables with new names are used; see the errors above".to_owned()));
        }
        // OVERRIDES that never settle are told of here, not by whatever reads a variable first.
        d.override_list()?;
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
        // What a handler adds now is a task without being one of the recipe's.
        let tasks = task_list(d);
        self.host.fire(EvalEvent::RecipeTaskPreProcess, file, &tasks, d)?;
        if self.level() >= CompatLevel::V2_18 {
            self.resolve_virtual_providers(d)?;
        }
        collect_tasks(&tasks, d)?;
        *signatures = self.sign(d)?;
        let cwd = self.cwd();
        let mut files: Vec<String> = dependencies(d, "__base_depends");
        files.extend(dependencies(d, DEPENDS));
        let included: Vec<String> = files.iter().map(|file| normalise(file, &cwd)).collect();
        d.set("BBINCLUDED", Value::str(included.join(" ")), &SetInfo::default())?;
        fire(EvalEvent::RecipeParsed)
    }

    /// The signatures of a recipe whose tasks are collected, if they are wanted.
    fn sign(&self, d: &DataStore) -> Result<Option<Signatures>> {
        // Taken out: inline code may make the evaluator read another recipe meanwhile.
        let Some(mut cache) = self.signing.take() else { return Ok(None) };
        let signed = sign(d, &task_list(d), &mut cache);
        self.signing.set(Some(cache));
        Ok(Some(signed?))
    }

    /// Makes the event handlers of `d` known to the host.
    pub(crate) fn register_handlers(&self, d: &DataStore) -> Result<()> {
        let names: Vec<Rc<str>> = d.peek("__BBHANDLERS", Value::list_of_str).unwrap_or_default();
        for name in names {
            let Some(file) = d.get_own_flag(&name, "filename").and_then(|v| v.as_str().cloned()) else {
                return Err(Error::Fatal(format!(
                    "Undefined event handler function '{name}'\nDefine it or take it out of addhandler"
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
