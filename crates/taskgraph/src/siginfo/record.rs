//! What a siginfo file holds, and hashes computed from it.

use crate::graph::{TaskGraph, TaskIx};
use crate::index::ProviderIndex;
use crate::sign::{FileChecksum, Signatures, Taint, TaskHash, hash_task, hex, pn_task};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Value of a variable as it is hashed: a text, or what Python metadata made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SigValue(pub serde_json::Value);

impl SigValue {
    /// A text.
    pub fn text(text: impl Into<String>) -> SigValue {
        SigValue(serde_json::Value::String(text.into()))
    }

    /// As Python's `str` writes it; `None` for a variable without value.
    pub fn to_python(&self) -> Option<String> {
        match &self.0 {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Bool(true) => Some("True".to_owned()),
            serde_json::Value::Bool(false) => Some("False".to_owned()),
            other => Some(other.to_string()),
        }
    }
}

/// A signature as BitBake keeps it. Fields have the file's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Siginfo {
    /// Hash of the task's text; `null` where it was not known.
    #[serde(default)]
    pub basehash: Option<String>,
    /// BB_BASEHASH_IGNORE_VARS.
    #[serde(default, alias = "basewhitelist", with = "python_set")]
    pub basehash_ignore_vars: BTreeSet<String>,
    /// What each variable refers to.
    #[serde(default, with = "python_set_map")]
    pub gendeps: BTreeMap<String, BTreeSet<String>>,
    /// Name of the task.
    pub task: String,
    /// Names the task's text stands on.
    #[serde(default, with = "python_set")]
    pub taskdeps: BTreeSet<String>,
    /// BB_TASKHASH_IGNORE_TASKS.
    #[serde(default, alias = "taskwhitelist")]
    pub taskhash_ignore_tasks: Option<String>,
    /// What is hashed for each name.
    #[serde(default)]
    pub varvals: BTreeMap<String, SigValue>,
    /// What only files of tasks in a graph hold (not `sigbasedata`).
    #[serde(flatten)]
    pub runtime: Option<SigRuntime>,
}

/// The part of a signature that depends on other tasks and on files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigRuntime {
    /// Name and MD5 of files, sorted.
    #[serde(default)]
    pub file_checksum_values: Vec<(String, Option<String>)>,
    /// `PN:TASK` of dependencies, in the order hashed.
    pub runtaskdeps: Vec<String>,
    /// Their unihashes.
    #[serde(default)]
    pub runtaskhashes: BTreeMap<String, String>,
    /// Of a forced or `[nostamp]` task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taint: Option<String>,
    /// The task hash.
    #[serde(default)]
    pub taskhash: Option<String>,
    /// The unihash.
    #[serde(default)]
    pub unihash: Option<String>,
}

impl SigRuntime {
    /// What a signed graph says of a task.
    pub fn of_task(
        index: &ProviderIndex,
        graph: &TaskGraph,
        signatures: &Signatures,
        task: TaskIx,
    ) -> SigRuntime {
        let signature = signatures.get(task);
        let name = |task: TaskIx| {
            let recipe = index.find(graph.recipe(task)).map(|ix| index.recipe(ix));
            recipe.map_or_else(|| graph.task_id(task).to_string(), |r| pn_task(r, graph.task_name(task)))
        };
        let deps: Vec<(String, String)> = signature
            .deps
            .iter()
            .map(|&d| (name(d), signatures.get(d).unihash.as_str().to_owned()))
            .collect();
        let mut files: Vec<(String, Option<String>)> =
            signature.files.iter().map(|f| (FileChecksum::name(f), Some(f.md5.clone()))).collect();
        files.sort();
        SigRuntime {
            file_checksum_values: files,
            runtaskdeps: deps.iter().map(|(name, _)| name.clone()).collect(),
            runtaskhashes: deps.into_iter().collect(),
            taint: signature.taint.as_ref().map(Taint::text),
            taskhash: Some(signature.task_hash.as_str().to_owned()),
            unihash: Some(signature.unihash.as_str().to_owned()),
        }
    }
}

/// A task's text and what it refers to: what evaluation knows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskText {
    /// Names the text stands on, without the task itself.
    pub taskdeps: BTreeSet<String>,
    /// What each name refers to.
    pub gendeps: BTreeMap<String, BTreeSet<String>>,
    /// What is hashed for each name and for the task.
    pub varvals: BTreeMap<String, SigValue>,
    /// BB_BASEHASH_IGNORE_VARS.
    pub ignore_vars: BTreeSet<String>,
}

impl Siginfo {
    /// The record of a task of a signed graph.
    pub fn of_task(
        index: &ProviderIndex,
        graph: &TaskGraph,
        signatures: &Signatures,
        task: TaskIx,
        text: &TaskText,
    ) -> Siginfo {
        Siginfo {
            runtime: Some(SigRuntime::of_task(index, graph, signatures, task)),
            ..Siginfo::of_text(graph.task_name(task), signatures.get(task).base.as_str(), text)
        }
    }

    /// The record of a task by itself (`sigbasedata`).
    pub fn of_text(task: &str, basehash: &str, text: &TaskText) -> Siginfo {
        Siginfo {
            basehash: Some(basehash.to_owned()),
            basehash_ignore_vars: text.ignore_vars.clone(),
            gendeps: text.gendeps.clone(),
            task: task.to_owned(),
            taskdeps: text.taskdeps.clone(),
            taskhash_ignore_tasks: None,
            varvals: text.varvals.clone(),
            runtime: None,
        }
    }

    /// The base hash these variables have.
    pub fn computed_basehash(&self) -> String {
        let mut hasher = Sha256::new();
        let value = |name: &str| self.varvals.get(name).and_then(SigValue::to_python);
        hasher.update(value(&self.task).unwrap_or_default());
        for name in &self.taskdeps {
            hasher.update(name);
            hasher.update(value(name).unwrap_or_default());
        }
        hex(&hasher.finalize())
    }

    /// The task hash these parts have; `None` for `sigbasedata`.
    pub fn computed_taskhash(&self) -> Option<TaskHash> {
        let runtime = self.runtime.as_ref()?;
        let deps =
            runtime.runtaskdeps.iter().filter_map(|dep| runtime.runtaskhashes.get(dep)).map(String::as_str);
        let files = &runtime.file_checksum_values;
        let files = files.iter().filter_map(|(name, md5)| Some((name.as_str(), md5.as_deref()?)));
        let taint = runtime.taint.as_deref().map(Taint::of_text);
        let taint = taint.as_ref().map(Taint::hashed);
        Some(hash_task(self.basehash.as_deref().unwrap_or(""), deps, files, taint))
    }
}

/// A Python set: `{"_set_object": [...]}`; lists are accepted too.
mod python_set {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub(super) struct Tagged {
        #[serde(rename = "_set_object")]
        pub(super) items: BTreeSet<String>,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    pub(super) enum Either {
        Tagged(Tagged),
        Plain(BTreeSet<String>),
        Nothing(()),
    }

    impl Either {
        pub(super) fn into_set(self) -> BTreeSet<String> {
            match self {
                Either::Tagged(tagged) => tagged.items,
                Either::Plain(items) => items,
                Either::Nothing(()) => BTreeSet::new(),
            }
        }
    }

    pub(super) fn serialize<S: Serializer>(set: &BTreeSet<String>, s: S) -> Result<S::Ok, S::Error> {
        Tagged { items: set.clone() }.serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeSet<String>, D::Error> {
        Ok(Either::deserialize(d)?.into_set())
    }
}

/// A map of names to Python sets.
mod python_set_map {
    use super::python_set::{Either, Tagged};
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<String, BTreeSet<String>>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_map(map.iter().map(|(name, set)| (name, Tagged { items: set.clone() })))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, D::Error> {
        let map = BTreeMap::<String, Either>::deserialize(d)?;
        Ok(map.into_iter().map(|(name, set)| (name, set.into_set())).collect())
    }
}
