//! Which recipe files there are, and which .bbappend files go with each.

use crate::layers::LayerRules;
use crate::{Error, Evaluator, Result};
use bitzel_data::{DataStore, LogLevel, SetInfo, Value};
use fancy_regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// A recipe file with what applies to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeFile {
    /// The .bb file.
    pub path: String,
    /// .bbappend files in order of application.
    pub appends: Vec<String>,
    /// Collection name of its layer, empty where it has none.
    pub layer: String,
    /// Priority of its layer.
    pub priority: i64,
}

/// All recipe files of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// In the order BitBake parses them.
    pub recipes: Vec<RecipeFile>,
    /// Files that BBMASK takes out.
    pub masked: Vec<String>,
    /// .bbappend files that go with no recipe.
    pub dangling: Vec<String>,
    /// Everything that BBFILES names, before BBMASK, in order.
    pub found: Vec<String>,
    /// Recipe files hidden by a file of the same name in a layer of higher priority.
    pub overlayed: BTreeMap<String, Vec<String>>,
}

impl Evaluator {
    /// Finds the files of BBFILES, less those of BBMASK.
    pub fn collect(&self, d: &DataStore, rules: &LayerRules) -> Result<Collected> {
        let files = self.list_files(d, rules)?;
        let found = files.clone();
        let mask = self.mask(d)?;
        let (masked, files): (Vec<String>, Vec<String>) = files
            .into_iter()
            .partition(|file| mask.as_ref().is_some_and(|m| m.is_match(file).unwrap_or(false)));
        let (recipes, others): (Vec<String>, Vec<String>) =
            files.into_iter().partition(|f| f.ends_with(".bb"));
        let appends: Vec<String> = others.into_iter().filter(|f| f.ends_with(".bbappend")).collect();
        let mut used: HashSet<&str> = HashSet::new();
        let mut result = Collected { masked, found, ..Collected::default() };
        for path in &recipes {
            let name = file_name(path);
            let mut own = Vec::new();
            for append in &appends {
                if applies(append, name) {
                    used.insert(append);
                    own.push(append.clone());
                }
            }
            let layer = rules.layer_of(path);
            result.recipes.push(RecipeFile {
                path: path.clone(),
                appends: own,
                layer: layer.map_or(String::new(), |layer| layer.name.clone()),
                priority: layer.map_or(0, |layer| layer.priority),
            });
        }
        result.dangling = appends.iter().filter(|a| !used.contains(a.as_str())).cloned().collect();
        result.overlayed = overlayed(&recipes);
        Ok(result)
    }

    fn list_files(&self, d: &DataStore, rules: &LayerRules) -> Result<Vec<String>> {
        let patterns = d.get_or_empty("BBFILES")?;
        let mut patterns: Vec<&str> = patterns.split_whitespace().collect();
        patterns.sort_by_key(|pattern| rules.priority_of(pattern));
        d.set("BBFILES_PRIORITIZED", Value::str(patterns.join(" ")), &SetInfo::default())?;
        if patterns.is_empty() {
            return Err(Error::Fatal("no recipe files to build, check your BBPATH and BBFILES?".to_owned()));
        }
        list_files(&patterns)
    }

    fn mask(&self, d: &DataStore) -> Result<Option<Regex>> {
        let mut masks = Vec::new();
        for mask in d.get_or_empty("BBMASK")?.split_whitespace() {
            let fixed = mask.strip_prefix('|').unwrap_or(mask);
            if fixed.len() != mask.len() {
                self.host.log(
                    LogLevel::Warning,
                    &format!("BBMASK contains regular expression beginning with '|', fixing: {mask}"),
                );
            }
            if Regex::new(fixed).is_ok() {
                masks.push(fixed.to_owned());
            } else {
                self.host.log(
                    LogLevel::Error,
                    &format!("BBMASK contains an invalid regular expression, ignoring: {fixed}"),
                );
            }
        }
        if masks.is_empty() {
            return Ok(None);
        }
        Regex::new(&masks.join("|"))
            .map(Some)
            .map_err(|_| Error::Fatal("BBMASK is not a valid regular expression".to_owned()))
    }
}

/// The files that patterns (or folders) of BBFILES name, each once.
pub fn list_files<T: AsRef<str>>(patterns: &[T]) -> Result<Vec<String>> {
    let mut files: Vec<String> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    for pattern in patterns {
        let pattern = pattern.as_ref();
        let found =
            if Path::new(pattern).is_dir() { walk(Path::new(pattern)) } else { expand_glob(pattern)? };
        files.extend(found.into_iter().filter(|file| seen.insert(file.clone())));
    }
    Ok(files)
}

/// `x_1.%.bbappend` applies to names that begin with `x_1.`.
fn applies(append: &str, recipe: &str) -> bool {
    let name = file_name(append).replace(".bbappend", ".bb");
    name == recipe || name.find('%').is_some_and(|at| recipe.starts_with(&name[..at]))
}

pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn overlayed(recipes: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut top: BTreeMap<&str, &String> = BTreeMap::new();
    let mut result: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in recipes.iter().rev() {
        match top.get(file_name(path)) {
            Some(winner) => result.entry((*winner).clone()).or_default().push(path.clone()),
            None => {
                top.insert(file_name(path), path);
            }
        }
    }
    result
}

fn expand_glob(pattern: &str) -> Result<Vec<String>> {
    // Python's glob: a leading dot must be matched by a dot.
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let paths = glob::glob_with(pattern, options)
        .map_err(|error| Error::Fatal(format!("`{pattern}` in BBFILES is no valid pattern: {error}")))?;
    let mut found: Vec<String> = paths.filter_map(|path| path.ok()?.to_str().map(str::to_owned)).collect();
    found.sort_unstable();
    if found.is_empty() && Path::new(pattern).exists() {
        found.push(pattern.to_owned());
    }
    Ok(found)
}

/// All recipe files below a folder.
fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    let mut entries: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() {
            if name != "SCCS" && name != "CVS" && name != ".svn" {
                found.extend(walk(&path));
            }
        } else if (name.ends_with(".bb") || name.ends_with(".bbappend"))
            && let Some(path) = path.to_str()
        {
            found.push(path.to_owned());
        }
    }
    found
}
