//! Layers: which there are, whether they fit together, and which layer a file
//! belongs to.

use crate::files::which;
use crate::{Error, Evaluator, Result};
use bitzel_data::{DataStore, LogLevel, SetInfo, Value};
use fancy_regex::Regex;
use std::collections::BTreeSet;
use std::path::Path;

impl Evaluator {
    /// Reads the layer.conf of each layer of BBLAYERS into `d`.
    pub(crate) fn read_layers(&self, d: &DataStore) -> Result<()> {
        let layers = d.get_or_empty("BBLAYERS")?;
        let layers: Vec<&str> = layers.split_whitespace().collect();
        if layers.is_empty() {
            return Err(Error::Refused(
                "The bblayers.conf file doesn't contain any BBLAYERS definition".to_owned(),
            ));
        }
        let missing: Vec<&str> = layers.iter().copied().filter(|layer| !Path::new(layer).is_dir()).collect();
        if !missing.is_empty() {
            return Err(Error::Refused(format!(
                "The following layer directories do not exist:\n   {}\nPlease check BBLAYERS in {}",
                missing.join("\n   "),
                d.get_or_empty("TOPDIR")?.to_string() + "/conf/bblayers.conf"
            )));
        }
        for layer in layers {
            let layer = layer.trim_end_matches('/');
            d.set("LAYERDIR", Value::str(layer), &SetInfo::default())?;
            d.set("LAYERDIR_RE", Value::str(python_escape(layer)), &SetInfo::default())?;
            self.handle_base_conf(&format!("{layer}/conf/layer.conf"), d)?;
            expand_reference(d, "LAYERDIR")?;
            expand_reference(d, "LAYERDIR_RE")?;
        }
        d.delete("LAYERDIR_RE", &SetInfo::default());
        d.delete("LAYERDIR", &SetInfo::default());
        self.add_dynamic_files(d)?;
        self.check_compatibility(d)
    }

    /// BBFILES_DYNAMIC: files that count only with (or, with `!`, without) another layer.
    fn add_dynamic_files(&self, d: &DataStore) -> Result<()> {
        let collections = d.get_or_empty("BBFILE_COLLECTIONS")?;
        let has = |name: &str| collections.split_whitespace().any(|c| c == name);
        let mut invalid = Vec::new();
        for entry in d.get_or_empty("BBFILES_DYNAMIC")?.split_whitespace() {
            let Some((layer, files)) = entry.split_once(':') else {
                invalid.push(entry.to_owned());
                continue;
            };
            let wanted = match layer.strip_prefix('!') {
                Some(layer) => !has(layer),
                None => has(layer),
            };
            if wanted {
                d.append("BBFILES", Value::str(format!(" {files}")), &SetInfo::default())?;
            }
        }
        if !invalid.is_empty() {
            return Err(Error::Refused(format!(
                "BBFILES_DYNAMIC entries must be of the form {{!}}<collection name>:<filename pattern>, not:\n    {}",
                invalid.join("\n    ")
            )));
        }
        Ok(())
    }

    fn check_compatibility(&self, d: &DataStore) -> Result<()> {
        let names = d.get_or_empty("LAYERSERIES_CORENAMES")?;
        let core: BTreeSet<&str> = names.split_whitespace().collect();
        let collections = d.get_or_empty("BBFILE_COLLECTIONS")?;
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for name in collections.split_whitespace() {
            if !seen.insert(name) {
                return Err(Error::Refused(format!(
                    "Found duplicated BBFILE_COLLECTIONS '{name}', check bblayers.conf or layer.conf to fix it."
                )));
            }
            let compat = d.get_or_empty(&format!("LAYERSERIES_COMPAT_{name}"))?;
            let compat: BTreeSet<&str> = compat.split_whitespace().collect();
            if compat.is_empty() {
                self.host.log(
                    LogLevel::Warning,
                    &format!(
                        "Layer {name} should set LAYERSERIES_COMPAT_{name} in its conf/layer.conf file to list the core layer names it is compatible with."
                    ),
                );
            } else if core.is_empty() {
                return Err(Error::Refused(format!(
                    "No core layer found to work with layer '{name}'. Missing entry in bblayers.conf?"
                )));
            } else if compat.is_disjoint(&core) {
                return Err(Error::Refused(format!(
                    "Layer {name} is not compatible with the core layer which only supports these series: {} (layer is compatible with {})",
                    Vec::from_iter(core).join(" "),
                    Vec::from_iter(compat).join(" ")
                )));
            }
        }
        // BitBake: taken out and put back, which shows in their history.
        for name in &seen {
            put_back_sorted(d, &format!("LAYERSERIES_COMPAT_{name}"))?;
        }
        put_back_sorted(d, "LAYERSERIES_CORENAMES")
    }

    /// bblayers.conf: in `conf/` of this folder or one above it, else along BBPATH.
    pub(crate) fn find_bblayers(&self, d: &DataStore) -> Result<Option<String>> {
        let search = d.get_or_empty("BBPATH")?;
        if !search.is_empty() {
            let (found, _) = which(&search, "conf/bblayers.conf", &self.cwd());
            if found.is_some() {
                return Ok(found);
            }
        }
        let cwd = self.cwd();
        let mut folder = Some(Path::new(&cwd));
        while let Some(dir) = folder {
            let path = dir.join("conf/bblayers.conf");
            if path.is_file() {
                return Ok(path.to_str().map(str::to_owned));
            }
            folder = dir.parent();
        }
        Ok(None)
    }
}

/// Replaces `${name}` in the unexpanded values of all variables (`d.expandVarref`).
pub fn expand_reference(d: &DataStore, name: &str) -> Result<()> {
    let reference = format!("${{{name}}}");
    let Some(value) = d.get_unexpanded(name)?.value.and_then(|v| v.as_str().cloned()) else { return Ok(()) };
    for key in d.keys() {
        if let Some(Value::Str(text)) = d.get_unexpanded(&key)?.value
            && text.contains(&reference)
        {
            d.set(&key, Value::str(text.replace(&reference, &value)), &SetInfo::default())?;
        }
    }
    Ok(())
}

/// `re.escape` of Python 3.7 and later.
pub(crate) fn python_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A layer as the file rules see it.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Collection name.
    pub name: String,
    /// BBFILE_PATTERN, a regular expression for its files.
    pub pattern: String,
    /// BBFILE_PRIORITY, or one more than the highest layer it depends on.
    pub priority: i64,
    regex: Regex,
}

/// Which layer a file belongs to, and with which priority.
#[derive(Clone, Debug, Default)]
pub struct LayerRules {
    layers: Vec<Layer>,
}

impl LayerRules {
    /// The rules of a base configuration.
    pub fn new(d: &DataStore) -> Result<LayerRules> {
        let collections = d.get_or_empty("BBFILE_COLLECTIONS")?;
        let names: Vec<&str> = collections.split_whitespace().collect();
        let mut layers = Vec::new();
        for name in &names {
            check_depends(d, name, &names)?;
            let Some(pattern) = d.get_str(&format!("BBFILE_PATTERN_{name}"))? else {
                return Err(Error::Refused(format!("BBFILE_PATTERN_{name} not defined")));
            };
            let priority = layer_priority(d, name, &names, 0)?;
            if pattern.is_empty() {
                continue;
            }
            let regex = Regex::new(&format!("^(?:{pattern})")).map_err(|_| {
                Error::Refused(format!(
                    "BBFILE_PATTERN_{name} \"{pattern}\" is not a valid regular expression"
                ))
            })?;
            layers.push(Layer { name: (*name).to_owned(), pattern: pattern.to_string(), priority, regex });
        }
        layers.sort_by(|a, b| b.pattern.cmp(&a.pattern));
        Ok(LayerRules { layers })
    }

    /// The layer a file belongs to.
    pub fn layer_of(&self, file: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.regex.is_match(file).unwrap_or(false))
    }

    /// Priority of a file's layer, 0 for files of no layer.
    pub fn priority_of(&self, file: &str) -> i64 {
        self.layer_of(file).map_or(0, |layer| layer.priority)
    }

    /// All layers that have files.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }
}

/// All layers that LAYERDEPENDS names, with or without a version (`NAME (>= 2)`), have to be there.
fn check_depends(d: &DataStore, name: &str, all: &[&str]) -> Result<()> {
    let depends = d.get_or_empty(&format!("LAYERDEPENDS_{name}"))?;
    let mut version = false;
    for word in depends.split_whitespace() {
        version |= word.starts_with('(');
        if !version && !all.contains(&word) {
            return Err(Error::Refused(format!(
                "Layer '{name}' depends on layer '{word}', but this layer is not enabled in your configuration\nAdd it to BBLAYERS in conf/bblayers.conf"
            )));
        }
        version &= !word.ends_with(')');
    }
    Ok(())
}

/// Takes a variable out and puts it back with its words in order.
fn put_back_sorted(d: &DataStore, name: &str) -> Result<()> {
    let Some(words) = d.get_str(name)? else { return Ok(()) };
    let words: BTreeSet<&str> = words.split_whitespace().collect();
    d.delete(name, &SetInfo::default());
    Ok(d.set(name, Value::str(Vec::from_iter(words).join(" ")), &SetInfo::default())?)
}

fn layer_priority(d: &DataStore, name: &str, all: &[&str], depth: usize) -> Result<i64> {
    if let Some(text) = d.get_str(&format!("BBFILE_PRIORITY_{name}"))?
        && !text.is_empty()
    {
        return text.trim().parse().map_err(|_| {
            Error::Refused(format!(
                "invalid value for BBFILE_PRIORITY_{name}: \"{text}\"; it must be a number"
            ))
        });
    }
    if depth > all.len() {
        return Err(Error::Refused(format!("LAYERDEPENDS of layer {name} form a loop")));
    }
    let depends = d.get_or_empty(&format!("LAYERDEPENDS_{name}"))?;
    let mut highest = 0;
    for dep in depends.split_whitespace().filter(|dep| all.contains(dep)) {
        highest = highest.max(layer_priority(d, dep, all, depth + 1)?);
    }
    Ok(highest + 1)
}
