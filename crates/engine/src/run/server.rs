//! The host's first process: event handlers and functions of the configuration.

use crate::queue::{TaskTable, World};
use crate::run::events::{BuildEvent, Observer};
use crate::{Error, Result};
use bitzel_host::Host;
use bitzel_recipe::protocol::{Reply, Request};
use bitzel_taskgraph::TaskIx;
use serde_json::{Map, Value, json};
use std::time::SystemTime;

/// Asks the first process.
pub(crate) struct Server<'a> {
    pub(crate) host: Host,
    pub(crate) observer: &'a mut dyn Observer,
    /// What can be restored was summed up for the user.
    pub(crate) summed_up: bool,
}

impl Server<'_> {
    /// Calls a function of `bitzel_host.commands`; what it logs goes to the observer.
    pub(crate) fn call(&mut self, function: &'static str, arguments: Vec<String>) -> Result<String> {
        let observer = &mut *self.observer;
        let mut watch = |event| observer.event(&BuildEvent::Host { job: None, event: &event });
        match self.host.ask_and_watch(&Request::Call(function.to_owned(), arguments), &mut watch)? {
            Reply::Text(text) => Ok(text),
            _ => Err(Error::Answer { function, problem: "it is no text".to_owned() }),
        }
    }

    /// Fires an event in a multiconfig with the arguments its class takes.
    pub(crate) fn fire(&mut self, mc: &str, class: &str, arguments: &Value) -> Result<()> {
        self.call("fire", vec![mc.to_owned(), class.to_owned(), arguments.to_string()]).map(drop)
    }
}

impl World for Server<'_> {
    fn modified(&mut self, stamp: &str) -> Option<SystemTime> {
        std::fs::metadata(stamp).and_then(|meta| meta.modified()).ok()
    }

    fn restorable(&mut self, table: &TaskTable<'_>, tasks: &[TaskIx], current: usize) -> Result<Vec<bool>> {
        let wanted: Map<String, Value> = tasks
            .iter()
            .map(|&task| {
                let facts = json!({
                    "hash": table.task_hash(task),
                    "unihash": table.unihash(task),
                    "hashfn": table.info(task).hashfilename,
                });
                (table.tid(task), facts)
            })
            .collect();
        // BitBake: a summary is shown of the first check only.
        let summary = if std::mem::replace(&mut self.summed_up, true) { "False" } else { "True" };
        let arguments = vec![Value::Object(wanted).to_string(), current.to_string(), summary.to_owned()];
        let answer = self.call("hashcheck", arguments)?;
        let unreadable =
            |error: serde_json::Error| Error::Answer { function: "hashcheck", problem: error.to_string() };
        let found: std::collections::BTreeSet<String> = serde_json::from_str(&answer).map_err(unreadable)?;
        Ok(tasks.iter().map(|&task| found.contains(&table.tid(task))).collect())
    }

    fn dispensable(
        &mut self,
        table: &TaskTable<'_>,
        task: TaskIx,
        dependents: &[TaskIx],
        not_needed: &[TaskIx],
    ) -> Result<bool> {
        let known: Map<String, Value> = dependents
            .iter()
            .chain([&task])
            .map(|&other| {
                let recipe = table.recipe(other);
                let facts = json!([recipe.info.pn, table.name(other), recipe.id.to_string()]);
                (table.tid(other), facts)
            })
            .collect();
        let not_needed: Vec<String> = not_needed.iter().map(|&other| table.tid(other)).collect();
        let arguments =
            vec![table.tid(task), Value::Object(known).to_string(), json!(not_needed).to_string()];
        Ok(self.call("depvalid", arguments)? == "True")
    }
}
