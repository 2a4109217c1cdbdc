//! What is kept of an evaluated recipe (see [`bitzel_base::RecipeInfo`]).

use crate::tasks::task_list;
use crate::{Error, Result};
use bitzel_base::{RecipeInfo, TaskDeps};
use bitzel_data::{DataStore, Value};
use std::collections::BTreeMap;

/// Reads the record out of a finalised store.
pub fn recipe_info(d: &DataStore, appends: &[String]) -> Result<RecipeInfo> {
    let get = |name: &str| -> Result<String> { Ok(d.get_or_empty(name)?.to_string()) };
    let words = |name: &str| -> Result<Vec<String>> {
        Ok(d.get_or_empty(name)?.split_whitespace().map(str::to_owned).collect())
    };
    let packages_of = |name: &str| -> Result<Vec<String>> { Ok(without_versions(&d.get_or_empty(name)?)) };
    let mut info = RecipeInfo { appends: appends.to_vec(), ..RecipeInfo::default() };
    info.skipreason =
        d.peek("__SKIPPED", |v| v.as_str().map(|t| t.to_string())).flatten().unwrap_or_default();
    info.skipped = d.peek("__SKIPPED", Value::is_true).unwrap_or(false);
    info.provides = words("PROVIDES")?;
    info.rprovides = packages_of("RPROVIDES")?;
    info.pn = match d.get_str("PN")? {
        Some(pn) => pn.to_string(),
        None => get("BPN")?,
    };
    info.nocache = get("BB_DONT_CACHE")?;
    info.variants = vec![String::new()];
    info.packages = packages_of("PACKAGES")?;
    if info.packages.is_empty() {
        info.packages.push(info.pn.clone());
    }
    info.packages_dynamic = words("PACKAGES_DYNAMIC")?;
    for package in info.packages.clone() {
        info.rprovides_pkg.insert(package.clone(), packages_of(&format!("RPROVIDES:{package}"))?);
    }
    if info.skipped {
        return Ok(info);
    }
    info.pe = get("PE")?;
    info.pv = get("PV")?;
    info.pr = get("PR")?;
    info.not_world = get("EXCLUDE_FROM_WORLD")?;
    let preference = get("DEFAULT_PREFERENCE")?;
    info.defaultpref = match preference.trim() {
        "" => 0,
        text => text.parse().map_err(|_| {
            Error::Fatal(format!("DEFAULT_PREFERENCE of {} is `{text}`; it must be a number", info.pn))
        })?,
    };
    info.depends = packages_of("DEPENDS")?;
    info.rdepends = packages_of("RDEPENDS")?;
    info.rrecommends = packages_of("RRECOMMENDS")?;
    for package in info.packages.clone() {
        let list = |name: &str| packages_of(&format!("{name}:{package}"));
        info.rdepends_pkg.insert(package.clone(), list("RDEPENDS")?);
        info.rrecommends_pkg.insert(package.clone(), list("RRECOMMENDS")?);
    }
    task_part(d, &mut info)?;
    info.hashfilename = get("BB_HASHFILENAME")?;
    info.extradepsfunc = get("calculate_extra_depends")?;
    info.stamp = get("STAMP")?;
    info.stampclean = get("STAMPCLEAN")?;
    info.fakerootenv = get("FAKEROOTENV")?;
    info.fakerootdirs = get("FAKEROOTDIRS")?;
    info.fakerootlogs = get("FAKEROOTLOGS")?;
    info.fakerootnoenv = get("FAKEROOTNOENV")?;
    info.inherits = d
        .peek("__inherit_cache", Value::list_of_str)
        .unwrap_or_default()
        .iter()
        .map(|path| path.to_string())
        .collect();
    Ok(info)
}

fn task_part(d: &DataStore, info: &mut RecipeInfo) -> Result<()> {
    info.tasks = task_list(d).iter().map(|task| task.to_string()).collect();
    info.task_deps = task_deps(d);
    for task in info.tasks.clone() {
        let flag = |name: &str| -> Result<Option<String>> {
            Ok(d.get_flag(&task, name, true)?.and_then(|v| v.as_str().map(|t| t.to_string())))
        };
        if let Some(sums) = flag("file-checksums")?.filter(|sums| !sums.is_empty()) {
            info.file_checksums.insert(task.clone(), sums);
        }
        info.stamp_extrainfo.insert(task.clone(), flag("stamp-extra-info")?);
    }
    Ok(())
}

fn task_deps(d: &DataStore) -> TaskDeps {
    let mut result = TaskDeps::default();
    let Some(Value::Map(entries)) = d.peek("_task_deps", Clone::clone) else { return result };
    for (key, value) in entries.iter() {
        match (&**key, value) {
            ("tasks", value) => result.tasks = value.list_of_str().iter().map(|t| t.to_string()).collect(),
            ("parents", Value::Map(map)) => {
                result.parents = map
                    .iter()
                    .map(|(task, deps)| {
                        (task.to_string(), deps.list_of_str().iter().map(|t| t.to_string()).collect())
                    })
                    .collect();
            }
            (flag, Value::Map(map)) => {
                let texts: BTreeMap<String, String> = map
                    .iter()
                    .filter_map(|(task, text)| Some((task.to_string(), text.as_str()?.to_string())))
                    .collect();
                result.flags.insert(flag.to_owned(), texts);
            }
            _ => {}
        }
    }
    result
}

/// Words of a dependency list, without the versions in parentheses.
fn without_versions(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut inside = false;
    for word in text.replace(',', " ").split_whitespace() {
        inside |= word.starts_with('(');
        if !inside {
            words.push(word.to_owned());
        }
        if inside && word.ends_with(')') {
            inside = false;
        }
    }
    words
}
