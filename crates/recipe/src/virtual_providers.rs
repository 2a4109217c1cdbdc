//! BB_RECIPE_VIRTUAL_PROVIDERS: names that stand for what PREFERRED_PROVIDER says in
//! *this* recipe, replaced in DEPENDS and in the tasks' [depends] (2.18).

use crate::tasks::task_list;
use crate::{Error, Evaluator, Result};
use bitzel_data::{DataStore, SetInfo, Value};
use std::rc::Rc;

impl Evaluator {
    pub(crate) fn resolve_virtual_providers(&self, d: &DataStore) -> Result<()> {
        let names = d.get_or_empty("BB_RECIPE_VIRTUAL_PROVIDERS")?;
        let names: Vec<&str> = names.split_whitespace().collect();
        let resolve = |name: &str| -> Result<Option<Rc<str>>> {
            if !names.contains(&name) {
                return Ok(None);
            }
            let provider = d.get_or_empty(&format!("PREFERRED_PROVIDER_{name}"))?;
            if provider.is_empty() {
                return Err(Error::Fatal(format!(
                    "Error, recipe virtual provider PREFERRED_PROVIDER_{name} not set"
                )));
            }
            Ok(Some(provider))
        };
        let mut words: Vec<Rc<str>> = Vec::new();
        for word in d.get_or_empty("DEPENDS")?.split_whitespace() {
            words.push(resolve(word)?.unwrap_or_else(|| word.into()));
        }
        d.set("DEPENDS", Value::str(words.join(" ")), &SetInfo::default())?;
        for task in task_list(d) {
            let task = d.expand(&task)?;
            let flag = d.get_flag(&task, "depends", true)?.and_then(|v| v.as_str().cloned());
            let mut words: Vec<String> = Vec::new();
            for word in flag.unwrap_or_else(|| "".into()).split_whitespace() {
                let (name, rest) = word.split_once(':').unwrap_or((word, ""));
                words.push(match resolve(name)? {
                    Some(provider) => format!("{provider}:{rest}"),
                    None => word.to_owned(),
                });
            }
            d.set_flag(&task, "depends", Value::str(words.join(" ")), &SetInfo::default())?;
        }
        Ok(())
    }
}
