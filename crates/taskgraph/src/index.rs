//! Who provides what: tables over all evaluated recipes, one set for each
//! multiconfig.

use crate::config::ConfigVars;
use crate::names::Names;
use bitzel_base::{RecipeId, RecipeInfo};
use fancy_regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// An evaluated recipe with what its layer adds.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Which file, variant and multiconfig.
    pub id: RecipeId,
    /// What evaluating it gave.
    pub info: Arc<RecipeInfo>,
    /// BBFILE_PRIORITY of its layer.
    pub priority: i32,
}

impl Recipe {
    /// `PN`, or `mc:NAME:PN` outside the default multiconfig.
    pub fn mc_pn(&self) -> String {
        let (mc, pn) = (&self.id.mc, &self.info.pn);
        if mc.is_empty() { pn.clone() } else { format!("mc:{mc}:{pn}") }
    }

    /// Whether a task's output can be restored instead of made.
    pub fn has_setscene(&self, task: &str) -> bool {
        let setscene = format!("{task}_setscene");
        self.info.task_deps.tasks.contains(&setscene)
    }
}

/// Number of a recipe within one [`ProviderIndex`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecipeIx(pub u32);

/// A pattern of PACKAGES_DYNAMIC and who offers it.
struct DynamicPackages {
    pattern: String,
    /// Text every match begins with; saves compiling most patterns.
    prefix: String,
    regex: OnceLock<Option<Regex>>,
    recipes: Vec<RecipeIx>,
}

/// The tables of one multiconfig.
pub(crate) struct McIndex {
    pub(crate) config: Arc<dyn ConfigVars + Send + Sync>,
    pub(crate) by_pn: FxHashMap<u32, Vec<RecipeIx>>,
    pub(crate) providers: FxHashMap<u32, Vec<RecipeIx>>,
    rproviders: FxHashMap<u32, Vec<RecipeIx>>,
    packages: FxHashMap<u32, Vec<RecipeIx>>,
    dynamic: Vec<DynamicPackages>,
    pub(crate) skipped: Vec<RecipeIx>,
    /// ASSUME_PROVIDED.
    pub(crate) assumed: FxHashSet<String>,
    /// BB_MULTI_PROVIDER_ALLOWED.
    pub(crate) multi_allowed: FxHashSet<String>,
    /// PREFERRED_PROVIDERS, `name:pn` words.
    pub(crate) preferred_providers: FxHashMap<String, String>,
}

/// All recipes and, for each multiconfig, who provides which name.
pub struct ProviderIndex {
    recipes: Vec<Recipe>,
    by_id: FxHashMap<RecipeId, RecipeIx>,
    pub(crate) names: Names,
    mcs: BTreeMap<String, McIndex>,
}

impl ProviderIndex {
    /// Builds the tables. `configs` holds the configuration of every multiconfig
    /// (`""` is the default one); recipes of others are kept but provide nothing.
    pub fn new(
        mut recipes: Vec<Recipe>,
        configs: BTreeMap<String, Arc<dyn ConfigVars + Send + Sync>>,
    ) -> ProviderIndex {
        recipes.sort_by(|a, b| a.id.cmp(&b.id));
        let mut names = Names::default();
        let mut mcs: BTreeMap<String, McIndex> =
            configs.into_iter().map(|(mc, config)| (mc, McIndex::new(config))).collect();
        let mut by_id = FxHashMap::default();
        for (n, recipe) in recipes.iter().enumerate() {
            let ix = RecipeIx(u32::try_from(n).expect("fewer than 2^32 recipes"));
            by_id.insert(recipe.id.clone(), ix);
            if let Some(mc) = mcs.get_mut(&recipe.id.mc) {
                mc.add(ix, &recipe.info, &mut names);
            }
        }
        for mc in mcs.values_mut() {
            mc.merge_dynamic();
        }
        ProviderIndex { recipes, by_id, names, mcs }
    }

    /// All recipes, sorted by id; a [`RecipeIx`] is a position here.
    pub fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    /// The recipe of a number.
    pub fn recipe(&self, ix: RecipeIx) -> &Recipe {
        &self.recipes[ix.0 as usize]
    }

    /// The number of a recipe.
    pub fn find(&self, id: &RecipeId) -> Option<RecipeIx> {
        self.by_id.get(id).copied()
    }

    /// Names of the multiconfigs, `""` first.
    pub fn multiconfigs(&self) -> impl Iterator<Item = &str> {
        self.mcs.keys().map(String::as_str)
    }

    pub(crate) fn mc(&self, mc: &str) -> Option<&McIndex> {
        self.mcs.get(mc)
    }

    /// The recipes of a PN, skipped ones not among them.
    pub fn with_pn(&self, mc: &str, pn: &str) -> &[RecipeIx] {
        self.table(mc, pn, |m| &m.by_pn)
    }

    /// The recipes with `name` in PROVIDES.
    pub fn providers(&self, mc: &str, name: &str) -> &[RecipeIx] {
        self.table(mc, name, |m| &m.providers)
    }

    fn table<'a>(
        &'a self,
        mc: &str,
        name: &str,
        table: impl Fn(&'a McIndex) -> &'a FxHashMap<u32, Vec<RecipeIx>>,
    ) -> &'a [RecipeIx] {
        let (Some(mc), Some(id)) = (self.mcs.get(mc), self.names.find(name)) else { return &[] };
        table(mc).get(&id).map_or(&[], Vec::as_slice)
    }

    /// The recipes that offer `name` at run time: by RPROVIDES and PACKAGES,
    /// and only if there is none of those by PACKAGES_DYNAMIC.
    pub fn runtime_providers(&self, mc: &str, name: &str) -> Vec<RecipeIx> {
        let mut found = self.table(mc, name, |m| &m.rproviders).to_vec();
        found.extend_from_slice(self.table(mc, name, |m| &m.packages));
        if found.is_empty()
            && let Some(mc) = self.mcs.get(mc)
        {
            found.extend(mc.dynamic.iter().filter(|d| d.matches(name)).flat_map(|d| &d.recipes));
        }
        found.sort();
        found.dedup();
        found
    }

    /// Every name of PROVIDES in a multiconfig, sorted.
    pub fn provided_names(&self, mc: &str) -> Vec<&str> {
        self.sorted_names(mc, |m| m.providers.keys().copied().collect())
    }

    /// Every name of PACKAGES and RPROVIDES in a multiconfig, sorted.
    pub fn runtime_names(&self, mc: &str) -> Vec<&str> {
        self.sorted_names(mc, |m| m.rproviders.keys().chain(m.packages.keys()).copied().collect())
    }

    fn sorted_names(&self, mc: &str, ids: impl Fn(&McIndex) -> Vec<u32>) -> Vec<&str> {
        let mut out: Vec<&str> =
            self.mcs.get(mc).map(ids).unwrap_or_default().into_iter().map(|id| self.names.text(id)).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The recipes that took themselves out, with their reasons in `info.skipreason`.
    pub fn skipped(&self, mc: &str) -> &[RecipeIx] {
        self.mcs.get(mc).map_or(&[], |m| &m.skipped)
    }
}

impl McIndex {
    fn new(config: Arc<dyn ConfigVars + Send + Sync>) -> McIndex {
        let preferred = config.words("PREFERRED_PROVIDERS");
        McIndex {
            assumed: config.words("ASSUME_PROVIDED").into_iter().collect(),
            multi_allowed: config.words("BB_MULTI_PROVIDER_ALLOWED").into_iter().collect(),
            preferred_providers: preferred
                .iter()
                .filter_map(|word| word.split_once(':'))
                .map(|(name, pn)| (name.to_owned(), pn.to_owned()))
                .collect(),
            config,
            by_pn: FxHashMap::default(),
            providers: FxHashMap::default(),
            rproviders: FxHashMap::default(),
            packages: FxHashMap::default(),
            dynamic: Vec::new(),
            skipped: Vec::new(),
        }
    }

    fn add(&mut self, ix: RecipeIx, info: &RecipeInfo, names: &mut Names) {
        if info.skipped {
            self.skipped.push(ix);
            return;
        }
        let mut put = |table: &mut FxHashMap<u32, Vec<RecipeIx>>, name: &str| {
            let list = table.entry(names.intern(name)).or_default();
            if list.last() != Some(&ix) {
                list.push(ix);
            }
        };
        put(&mut self.by_pn, &info.pn);
        info.provides.iter().for_each(|name| put(&mut self.providers, name));
        info.packages.iter().for_each(|name| put(&mut self.packages, name));
        info.rprovides.iter().for_each(|name| put(&mut self.rproviders, name));
        info.rprovides_pkg.values().flatten().for_each(|name| put(&mut self.rproviders, name));
        for pattern in &info.packages_dynamic {
            self.dynamic.push(DynamicPackages::new(pattern, ix));
        }
    }

    /// Joins the entries of equal patterns, so that each is compiled once.
    fn merge_dynamic(&mut self) {
        self.dynamic.sort_by(|a, b| a.pattern.cmp(&b.pattern));
        self.dynamic.dedup_by(|later, kept| {
            let same = later.pattern == kept.pattern;
            if same {
                kept.recipes.append(&mut later.recipes);
            }
            same
        });
    }
}

impl DynamicPackages {
    fn new(pattern: &str, recipe: RecipeIx) -> DynamicPackages {
        // BitBake: `+` in a pattern stands for itself, as in libstdc++.
        let pattern = pattern.replace('+', r"\+");
        DynamicPackages {
            prefix: literal_prefix(&pattern),
            pattern,
            regex: OnceLock::new(),
            recipes: vec![recipe],
        }
    }

    /// BitBake: the pattern has to match from the start of the name, not up to its end.
    /// A pattern that is no regular expression matches nothing.
    fn matches(&self, name: &str) -> bool {
        name.starts_with(&self.prefix)
            && self
                .regex
                .get_or_init(|| Regex::new(&format!("^(?:{})", self.pattern)).ok())
                .as_ref()
                .is_some_and(|regex| regex.is_match(name).unwrap_or(false))
    }
}

/// The literal text every match of `pattern` starts with.
fn literal_prefix(pattern: &str) -> String {
    let mut prefix = String::new();
    if pattern.contains('|') {
        return prefix;
    }
    for c in pattern.strip_prefix('^').unwrap_or(pattern).chars() {
        if c.is_alphanumeric() || "-_/".contains(c) {
            prefix.push(c);
        } else {
            if "*?{".contains(c) {
                prefix.pop();
            }
            break;
        }
    }
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dynamic_packages_match_from_the_start_with_literal_plus() {
        let hit = |pattern: &str, name: &str| DynamicPackages::new(pattern, RecipeIx(0)).matches(name);
        assert!(hit("^lib++-.*", "lib++-q"));
        assert!(hit("lib-", "lib-q"));
        assert!(!hit("lib-", "my-lib-q"));
        assert!(hit("^a(?!-dev)", "a-x") && !hit("^a(?!-dev)", "a-dev"));
        assert!(hit("kernels?-x", "kernel-x") && hit("a|b", "b"));
        assert!(!hit("(", "("));
    }
}
