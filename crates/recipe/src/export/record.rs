//! One record: everything a store says.

use super::normalise::{Normaliser, sha20};
use super::writer::Blobs;
use crate::files::dependencies;
use crate::tasks::task_list;
use crate::{Error, info};
use bitzel_data::{DataStore, ReadOptions, Value};
use serde_json::{Map, Value as Json, json};
use std::io;
use std::rc::Rc;

/// What a record is about.
pub enum RecordKind<'a> {
    /// A configuration.
    Config,
    /// A recipe.
    Recipe {
        /// .bbappend files applied.
        appends: &'a [String],
    },
}

/// The record of a store.
pub fn record(
    d: &DataStore,
    file: &str,
    variant: &str,
    mcfn: &str,
    kind: &RecordKind,
    normaliser: &Normaliser,
    blobs: &mut Blobs,
) -> io::Result<Json> {
    let mut writer =
        Writer { d, n: normaliser, recipe: matches!(kind, RecordKind::Recipe { .. }), exc: Map::new() };
    let mut out = Map::new();
    let (vars, raw, flags, funcs) = writer.variables(blobs)?;
    let tasks = writer.tasks();
    out.insert("mcfn".into(), writer.text(mcfn));
    out.insert("fn".into(), writer.text(file));
    out.insert("variant".into(), writer.text(variant));
    out.insert("pn".into(), writer.value(d.get("PN").ok().flatten().as_ref()));
    out.insert("skipped".into(), writer.peeked("__SKIPPED"));
    out.insert("vars".into(), Json::Object(vars));
    out.insert("raw".into(), Json::Object(raw));
    out.insert("flags".into(), Json::Object(flags));
    out.insert("funcs".into(), Json::Object(funcs));
    out.insert("tasks".into(), tasks);
    out.insert("task_deps".into(), writer.peeked("_task_deps"));
    out.insert("inherits".into(), writer.list("__inherit_cache"));
    let depends = if writer.recipe { "__depends" } else { "__base_depends" };
    out.insert("includes".into(), dependencies(d, depends).iter().map(|path| writer.text(path)).collect());
    out.insert("anon".into(), writer.list("__BBANONFUNCS"));
    out.insert("handlers".into(), writer.list("__BBHANDLERS"));
    let overrides = d.get_or_empty("OVERRIDES").unwrap_or_else(|_| "".into());
    out.insert("overrides".into(), overrides.split(':').map(|name| writer.text(name)).collect());
    out.insert("exports".into(), writer.exports());
    if let RecordKind::Recipe { appends } = kind {
        match info::recipe_info(d, appends) {
            Ok(info) => {
                let mut json = serde_json::to_value(&info)?;
                if let Some(map) = json.as_object_mut() {
                    map.remove("basetaskhashes");
                    if info.skipped {
                        map.retain(|key, _| KEPT_OF_SKIPPED.contains(&key.as_str()));
                    }
                }
                out.insert("info".into(), normaliser.json(&json));
            }
            Err(error) => {
                writer.exc.insert("!info".into(), json!(format!("{}: {error}", error.exception())));
            }
        }
    }
    let exc = Json::Object(std::mem::take(&mut writer.exc));
    out.insert("exc".into(), exc);
    Ok(Json::Object(out))
}

/// What BitBake keeps of a skipped recipe.
const KEPT_OF_SKIPPED: [&str; 11] = [
    "appends",
    "nocache",
    "packages",
    "packages_dynamic",
    "pn",
    "provides",
    "rprovides",
    "rprovides_pkg",
    "skipped",
    "skipreason",
    "variants",
];

struct Writer<'a> {
    d: &'a DataStore,
    n: &'a Normaliser,
    recipe: bool,
    exc: Map<String, Json>,
}

type Variables = (Map<String, Json>, Map<String, Json>, Map<String, Json>, Map<String, Json>);

impl Writer<'_> {
    fn text(&self, text: &str) -> Json {
        Json::String(self.n.text(text).into_owned())
    }

    fn key(&self, text: &str) -> String {
        self.n.text(text).into_owned()
    }

    fn value(&self, value: Option<&Value>) -> Json {
        match value {
            None | Some(Value::None) => Json::Null,
            Some(Value::Str(text)) => self.text(text),
            Some(Value::Bool(truth)) => Json::Bool(*truth),
            Some(Value::Int(number)) => json!(number),
            Some(Value::List(items)) => items.iter().map(|item| self.value(Some(item))).collect(),
            Some(Value::Map(items)) => Json::Object(
                items.iter().map(|(key, item)| (self.key(key), self.value(Some(item)))).collect(),
            ),
            Some(Value::Object(object)) => {
                json!(format!("!{}", self.d.context().interp().type_name(object)))
            }
        }
    }

    fn peeked(&self, name: &str) -> Json {
        self.d.peek(name, |value| self.value(Some(value))).unwrap_or(Json::Null)
    }

    fn list(&self, name: &str) -> Json {
        self.d.peek(name, |value| self.value(Some(value))).unwrap_or_else(|| json!([]))
    }

    /// Notes a failure under `key` and answers with nothing.
    fn caught<T>(&mut self, key: String, result: bitzel_data::Result<Option<T>>) -> Option<T> {
        match result {
            Ok(value) => value,
            Err(error) => {
                let kind = Error::from(error.clone()).exception();
                let text: String = error.to_string().chars().take(400).collect();
                let key = self.key(&key);
                self.exc.insert(key, json!(format!("{kind}: {}", self.n.text(&text))));
                None
            }
        }
    }

    fn variables(&mut self, blobs: &mut Blobs) -> io::Result<Variables> {
        let (mut vars, mut raw, mut flags, mut funcs) = Variables::default();
        let tasks = task_list(self.d);
        for name in self.d.keys() {
            let anonymous = name.starts_with("__anon_");
            if (name.starts_with("__") && !anonymous) || &*name == "BB_ORIGENV" || &*name == "_task_deps" {
                if &*name != "_task_deps" {
                    continue;
                }
                self.flags_of(&name, &mut flags);
                continue;
            }
            let own_flags = self.flags_of(&name, &mut flags);
            let unexpanded = ReadOptions { expand: false, ..ReadOptions::default() };
            let raw_value = self.d.get_with(&name, unexpanded);
            let raw_value = self.caught(format!("{name}!raw"), raw_value);
            let has = |flag: &str| own_flags.iter().any(|(name, value)| &**name == flag && value.is_true());
            let is_function = own_flags.iter().any(|(flag, _)| &**flag == "func") || anonymous;
            match &raw_value {
                Some(Value::Str(body)) if is_function => {
                    let python = has("python");
                    let mut entry = json!({ "b": blobs.put(body, self.n)?, "py": python });
                    if !python && tasks.contains(&name) {
                        let value = self.d.get_str(&name);
                        if let Some(text) = self.caught(name.to_string(), value) {
                            entry["x"] = json!(sha20(&self.n.text(&text)));
                        }
                    }
                    funcs.insert(self.key(&name), entry);
                }
                None | Some(Value::Str(_)) => {
                    let value = self.d.get(&name);
                    let value = self.caught(name.to_string(), value);
                    let key = self.key(&name);
                    let json = host_value(&name, &value).unwrap_or_else(|| self.value(value.as_ref()));
                    vars.insert(key.clone(), json);
                    let same = match (&value, &raw_value) {
                        (Some(Value::Str(a)), Some(Value::Str(b))) => a == b,
                        (None, None) => true,
                        _ => false,
                    };
                    if !same {
                        raw.insert(key, self.value(raw_value.as_ref()));
                    }
                }
                Some(other) => {
                    let json = self.value(Some(other));
                    vars.insert(self.key(&name), json);
                }
            }
        }
        Ok((vars, raw, flags, funcs))
    }

    fn flags_of(&self, name: &str, flags: &mut Map<String, Json>) -> Vec<(Rc<str>, Value)> {
        let own = self.d.get_flags(name).unwrap_or_default();
        let shown: Map<String, Json> = own
            .iter()
            .filter(|(flag, _)| !(self.recipe && &**flag == "doc"))
            .map(|(flag, value)| (self.key(flag), self.value(Some(value))))
            .collect();
        if !shown.is_empty() {
            flags.insert(self.key(name), Json::Object(shown));
        }
        own
    }

    fn tasks(&mut self) -> Json {
        let mut list = Vec::new();
        for task in task_list(self.d) {
            let mut flags = Map::new();
            for (flag, value) in self.d.get_flags(&task).unwrap_or_default() {
                if &*flag == "doc" {
                    continue;
                }
                let value = match value {
                    Value::Str(_) => {
                        let expanded = self.d.get_flag(&task, &flag, true);
                        self.caught(format!("{task}[{flag}]"), expanded)
                    }
                    other => Some(other),
                };
                let key = self.key(&flag);
                flags.insert(key, self.value(value.as_ref()));
            }
            list.push(json!({ "name": self.text(&task), "flags": flags }));
        }
        Json::Array(list)
    }

    fn exports(&self) -> Json {
        let on = |name: &str, flag: &str| {
            let value = self.d.get_flag(name, flag, true).ok().flatten();
            value.is_some_and(|value| match value {
                Value::Str(text) => matches!(text.to_lowercase().as_str(), "y" | "yes" | "1" | "true" | "t"),
                other => other.is_true(),
            })
        };
        let keys = self.d.keys();
        keys.iter()
            .filter(|name| on(name, "export") && !on(name, "unexport"))
            .map(|name| self.text(name))
            .collect()
    }
}

/// Values that only say who ran it.
fn host_value(name: &str, value: &Option<Value>) -> Option<Json> {
    let placeholder = match name {
        "PID" => "@PID@",
        "HOST_USER_UID" => "@UID@",
        "HOST_USER_GID" => "@GID@",
        _ => return None,
    };
    let digits = match value {
        Some(Value::Str(text)) => !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()),
        Some(Value::Int(_)) => true,
        _ => false,
    };
    digits.then(|| json!(placeholder))
}
