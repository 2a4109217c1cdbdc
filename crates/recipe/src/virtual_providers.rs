//! BB_RECIPE_VIRTUAL_PROVIDERS: names that stand for what PREFERRED_PROVIDER says in
//! *this* recipe, replaced in DEPENDS and in the tasks' [depends] (2.18).

use crate::tasks::task_list;
use crate::{Evaluator, Result};
use bitzel_data::{DataStore, SetInfo, Value};
use std::rc::Rc;

impl Evaluator {
    pub(crate) fn resolve_virtual_providers(&self, d: &DataStore) -> Result<()> {
        let names = d.get_or_empty("BB_RECIPE_VIRTUAL_PROVIDERS")?;
        let mut providers: Vec<(&str, Rc<str>)> = Vec::new();
        for name in names.split_whitespace() {
            let provider = d.get_or_empty(&format!("PREFERRED_PROVIDER_{name}"))?;
            if !provider.is_empty() {
                providers.push((name, provider));
            }
        }
        if providers.is_empty() {
            return Ok(());
        }
        let replace = |name: &str| providers.iter().find(|(virtual_name, _)| *virtual_name == name);
        let depends = d.get_or_empty("DEPENDS")?;
        let words: Vec<&str> = depends
            .split_whitespace()
            .map(|word| replace(word).map_or(word, |(_, provider)| &**provider))
            .collect();
        d.set("DEPENDS", Value::str(words.join(" ")), &SetInfo::default())?;
        for task in task_list(d) {
            let task = d.expand(&task)?;
            let flag = d.get_flag(&task, "depends", true)?.and_then(|v| v.as_str().cloned());
            let flag = flag.unwrap_or_else(|| "".into());
            let words: Vec<String> = flag
                .split_whitespace()
                .map(|word| {
                    match word.split_once(':').and_then(|(name, rest)| Some((replace(name)?, rest))) {
                        Some(((_, provider), rest)) => format!("{provider}:{rest}"),
                        None => word.to_owned(),
                    }
                })
                .collect();
            d.set_flag(&task, "depends", Value::str(words.join(" ")), &SetInfo::default())?;
        }
        Ok(())
    }
}
