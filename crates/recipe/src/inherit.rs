//! `inherit`, `inherit_defer` and BB_DEFER_BBCLASSES.

use crate::files::{mark_dependency, which};
use crate::{Error, Evaluator, Result};
use bitzel_base::{CompatLevel, SourceLoc};
use bitzel_data::{DataStore, SetInfo, Value};
use std::path::Path;
use std::rc::Rc;

/// Book-keeping variables.
const INHERITED: &str = "__inherit_cache";
const DEFERRED: &str = "__BBDEFINHERITS";
/// `global` or `recipe`: which class folders are searched first.
pub(crate) const CLASS_CONTEXT: &str = "__bbclasstype";

impl Evaluator {
    /// Inherits each class named, unless it is inherited already.
    pub fn inherit(&self, names: &str, file: &str, line: u32, d: &DataStore, deferred: bool) -> Result<()> {
        let names = d.expand(names)?;
        for name in names.split_whitespace() {
            if !deferred && self.level() >= CompatLevel::V2_18 {
                let later = d.get_or_empty("BB_DEFER_BBCLASSES")?;
                if later.split_whitespace().any(|class| class == name) {
                    self.inherit_deferred(name, file, line, d);
                    continue;
                }
            }
            self.inherit_one(name, file, line, d)?;
        }
        Ok(())
    }

    fn inherit_one(&self, name: &str, file: &str, line: u32, d: &DataStore) -> Result<()> {
        let context = d.get_or_empty(CLASS_CONTEXT)?;
        let mut path = name.to_owned();
        for folder in [format!("classes-{context}"), "classes".to_owned()] {
            path = name.to_owned();
            if !path.starts_with('/') && !path.ends_with(".bbclass") {
                path = format!("{folder}/{name}.bbclass");
            }
            if !path.starts_with('/') {
                let cwd = self.cwd();
                let (found, looked) = which(&d.get_or_empty("BBPATH")?, &path, &cwd);
                for candidate in looked.iter().filter(|candidate| Some(*candidate) != found.as_ref()) {
                    mark_dependency(d, candidate, &cwd);
                }
                if let Some(found) = found {
                    path = found;
                }
            }
            if Path::new(&path).exists() {
                break;
            }
        }
        if !Path::new(&path).exists() {
            return Err(Error::parse(format!("Could not inherit file {path}"), SourceLoc::new(file, line)));
        }
        if !is_inherited(d, &path) {
            note_inherited(d, &path);
            self.handle(&path, d, true).map_err(|error| error.included_from(file, line))?;
        }
        Ok(())
    }

    /// Queues classes to be inherited when the recipe is finalised.
    pub fn inherit_deferred(&self, names: &str, file: &str, line: u32, d: &DataStore) {
        let item = vec![Value::str(names), Value::str(file), Value::Int(i64::from(line))];
        d.push_to_list(DEFERRED, Value::List(Rc::new(item)));
    }

    /// Inherits what was queued, in order; classes may queue more.
    pub(crate) fn run_deferred_inherits(&self, d: &DataStore) -> Result<()> {
        loop {
            let Some(queue) = d.peek(DEFERRED, |v| v.as_list().cloned()).flatten() else { return Ok(()) };
            let Some(first) = queue.first().and_then(|item| item.as_list()) else { return Ok(()) };
            let rest = Value::List(Rc::new(queue[1..].to_vec()));
            d.set(DEFERRED, rest, &SetInfo::quiet_parsing())?;
            if let [Value::Str(names), Value::Str(file), Value::Int(line)] = &first[..] {
                let line = u32::try_from(*line).unwrap_or(0);
                self.inherit(names, file, line, d, true)?;
            }
        }
    }
}

/// Notes that a class is there, be it inherited or included.
pub(crate) fn note_inherited(d: &DataStore, path: &str) {
    if !is_inherited(d, path) {
        d.push_to_list(INHERITED, Value::str(path));
    }
}

fn is_inherited(d: &DataStore, path: &str) -> bool {
    d.peek(INHERITED, |list| list.list_of_str().iter().any(|other| **other == *path)).unwrap_or(false)
}
