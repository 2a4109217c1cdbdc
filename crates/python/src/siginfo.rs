//! Signature files: the part that a recipe's text makes comes from its evaluation, the
//! part that other tasks make from whoever ordered them.

use crate::failure::OrRaise;
use crate::prepared::{Prepared, prepared};
use crate::session::Session;
use bitzel_data::{DataStore, Signatures, Value};
use bitzel_recipe::protocol::{SignatureOrder, TaskSignatureParts};
use bitzel_taskgraph::{SigRuntime, SigValue, Siginfo, TaskText, write_siginfo};
use pyo3::exceptions::{PyKeyError, PyOSError, PyValueError};
use pyo3::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

/// What the signatures of a recipe's tasks stand on.
pub(crate) struct TaskTexts {
    signatures: Signatures,
    ignored: BTreeSet<String>,
    ignored_tasks: Option<String>,
}

impl TaskTexts {
    pub(crate) fn new(py: Python<'_>, store: &DataStore, signatures: Signatures) -> PyResult<TaskTexts> {
        let words = store.get_or_empty("BB_BASEHASH_IGNORE_VARS").or_raise(py)?;
        let ignored_tasks = store.get_or_empty("BB_TASKHASH_IGNORE_TASKS").or_raise(py)?;
        Ok(TaskTexts {
            signatures,
            ignored: words.split_whitespace().map(str::to_owned).collect(),
            ignored_tasks: Some(ignored_tasks.to_string()).filter(|text| !text.is_empty()),
        })
    }

    /// The record of a task, without what other tasks make of it.
    fn record(&self, task: &str) -> Option<Siginfo> {
        let (_, basehash) = self.signatures.base_hashes().find(|(name, _)| *name == task)?;
        let reached = self.signatures.reached(task)?;
        let mut text = TaskText { ignore_vars: self.ignored.clone(), ..TaskText::default() };
        for (name, dependencies, value) in self.signatures.nodes() {
            let own = name == task;
            if !own && !reached.contains(name) {
                continue;
            }
            text.varvals.insert(name.to_owned(), value_of(value));
            if reached.contains(name) {
                text.taskdeps.insert(name.to_owned());
                let names = dependencies.iter().map(|name| (*name).to_owned());
                text.gendeps.insert(name.to_owned(), names.collect());
            }
        }
        Some(Siginfo {
            taskhash_ignore_tasks: self.ignored_tasks.clone(),
            ..Siginfo::of_text(task, basehash, &text)
        })
    }

    /// Writes the file of a task; without `runtime` that of its text alone.
    fn write(&self, task: &str, runtime: &str, path: &Path) -> PyResult<()> {
        let mut record =
            self.record(task).ok_or_else(|| PyKeyError::new_err(format!("there is no task `{task}`")))?;
        if !runtime.is_empty() {
            let runtime: SigRuntime = serde_json::from_str(runtime)
                .map_err(|error| PyValueError::new_err(format!("signature of `{task}`: {error}")))?;
            record.runtime = Some(runtime);
        }
        // BitBake: the group may write to the folders too, whatever the umask.
        let umask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o002));
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        rustix::process::umask(umask);
        made?;
        write_siginfo(path, &record).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    pub(crate) fn base_hashes(&self) -> BTreeMap<&str, &str> {
        self.signatures.base_hashes().collect()
    }
}

fn value_of(value: Option<&Value>) -> SigValue {
    SigValue(match value {
        None | Some(Value::None) => serde_json::Value::Null,
        Some(Value::Str(text)) => text.to_string().into(),
        Some(Value::Int(number)) => (*number).into(),
        Some(Value::Bool(truth)) => (*truth).into(),
        Some(other) => format!("{other:?}").into(),
    })
}

/// Writes the signature files of tasks of one recipe.
pub(crate) fn write_signatures(py: Python<'_>, order: &SignatureOrder) -> PyResult<()> {
    let recipe = prepared(py, &order.address)?;
    for TaskSignatureParts { task, runtime, path } in &order.tasks {
        recipe.texts().write(task, runtime, Path::new(path))?;
    }
    Ok(())
}

/// `write_siginfo(task, runtime, path)`: writes the signature file of a task of the recipe
/// that this process runs a task of. `runtime` is JSON, empty for a file of the text alone.
#[pyfunction]
#[pyo3(name = "write_siginfo")]
pub fn write_current(py: Python<'_>, task: &str, runtime: &str, path: &str) -> PyResult<()> {
    current(py)?.texts().write(task, runtime, Path::new(path))
}

/// `base_hashes() -> dict[str, str]`: the base hashes of the tasks of the same recipe.
#[pyfunction]
pub fn base_hashes(py: Python<'_>) -> PyResult<BTreeMap<String, String>> {
    let recipe = current(py)?;
    Ok(recipe
        .texts()
        .base_hashes()
        .into_iter()
        .map(|(task, hash)| (task.to_owned(), hash.to_owned()))
        .collect())
}

fn current(py: Python<'_>) -> PyResult<Rc<Prepared>> {
    let session = Session::of(py)?;
    let recipe = session.borrow().prepared.borrow().front().cloned();
    recipe.ok_or_else(|| PyKeyError::new_err("this process runs no task"))
}
