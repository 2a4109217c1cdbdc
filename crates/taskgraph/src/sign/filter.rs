//! Which dependencies count for a task's hash.
//!
//! BitBake asks its signature generator for each; openembedded-core's generators
//! OEBasicHash and OEEquivHash leave out what cannot change a task's output.

use bitzel_base::RecipeInfo;
use std::collections::{BTreeMap, BTreeSet};

/// A dependency that is to be judged.
#[derive(Clone, Copy, Debug)]
pub struct SignedEdge<'a> {
    /// The task that depends.
    pub task: &'a str,
    /// Its recipe.
    pub recipe: &'a RecipeInfo,
    /// Its multiconfig.
    pub mc: &'a str,
    /// The task depended on.
    pub dep_task: &'a str,
    /// Its recipe.
    pub dep_recipe: &'a RecipeInfo,
    /// Its multiconfig.
    pub dep_mc: &'a str,
}

/// Judges dependencies; one for each signature handler.
pub trait DependencyFilter {
    /// Why the dependency does not count; `None` if it does.
    fn drops(&self, edge: &SignedEdge<'_>) -> Option<DropReason>;
}

/// Why a dependency does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// `do_rm_work` is to run whatever changed, and only once.
    RemovesWork,
    /// The archiver's patched sources do not configure a kernel.
    ArchivedSources,
    /// SIGGEN_EXCLUDE_SAFE_RECIPE_DEPS lists the pair.
    SafePair,
    /// An allarch packagegroup only names packages.
    PackageNamesOnly,
    /// SIGGEN_EXCLUDERECIPES_ABISAFE lists the recipe depended on.
    AbiSafe,
    /// A recommended kernel module is not built against.
    RecommendedModule,
}

/// BitBake's own policy (`basic`, `basichash`): everything counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepAll;

impl DependencyFilter for KeepAll {
    fn drops(&self, _: &SignedEdge<'_>) -> Option<DropReason> {
        None
    }
}

/// The policy of OEBasicHash and OEEquivHash.
#[derive(Clone, Debug, Default)]
pub struct OeFilter {
    abi_safe: BTreeSet<String>,
    safe_pairs: BTreeSet<(String, String)>,
    /// Recipes any other may depend on without notice (`*->NAME`).
    safe_for_all: BTreeSet<String>,
}

impl OeFilter {
    /// From the words of SIGGEN_EXCLUDERECIPES_ABISAFE and
    /// SIGGEN_EXCLUDE_SAFE_RECIPE_DEPS. `virtual_pns` gives the PN that stands for
    /// a `virtual/…` name in either.
    pub fn new(
        abi_safe: &[String],
        safe_deps: &[String],
        virtual_pns: &BTreeMap<String, String>,
    ) -> OeFilter {
        let pn = |name: &str| virtual_pns.get(name).cloned().unwrap_or_else(|| name.to_owned());
        let mut filter =
            OeFilter { abi_safe: abi_safe.iter().map(|name| pn(name)).collect(), ..OeFilter::default() };
        for (from, to) in safe_deps.iter().filter_map(|word| word.split_once("->")) {
            if from == "*" {
                filter.safe_for_all.insert(pn(to));
            } else {
                filter.safe_pairs.insert((pn(from), pn(to)));
            }
        }
        filter
    }
}

impl DependencyFilter for OeFilter {
    fn drops(&self, edge: &SignedEdge<'_>) -> Option<DropReason> {
        let (pn, dep_pn) = (edge.recipe.pn.as_str(), edge.dep_recipe.pn.as_str());
        if edge.task == "do_rm_work" {
            return Some(DropReason::RemovesWork);
        }
        let own = pn == dep_pn && edge.mc == edge.dep_mc;
        if own {
            let archived = (edge.task, edge.dep_task) == ("do_kernel_configme", "do_unpack_and_patch");
            return archived.then_some(DropReason::ArchivedSources);
        }
        let for_all = pn != dep_pn && self.safe_for_all.contains(dep_pn);
        if for_all || self.safe_pairs.contains(&(pn.to_owned(), dep_pn.to_owned())) {
            return Some(DropReason::SafePair);
        }
        // The remaining rules are for recipes of the target only.
        if is_native(pn) || pn.contains("-cross-") || pn.starts_with("nativesdk-") {
            return None;
        }
        let names_only = inherits(edge.recipe, "packagegroup") && inherits(edge.recipe, "allarch");
        if names_only && !is_native(dep_pn) {
            return Some(DropReason::PackageNamesOnly);
        }
        if self.abi_safe.contains(dep_pn) && !inherits(edge.recipe, "image") {
            return Some(DropReason::AbiSafe);
        }
        let module = is_kernel(edge.dep_recipe) && !is_kernel(edge.recipe) && recommends_modules(edge.recipe);
        module.then_some(DropReason::RecommendedModule)
    }
}

fn is_native(pn: &str) -> bool {
    pn.ends_with("-native")
}

/// Whether a recipe inherits `CLASS.bbclass`, from wherever.
fn inherits(recipe: &RecipeInfo, class: &str) -> bool {
    recipe
        .inherits
        .iter()
        .filter_map(|file| file.rsplit('/').next()?.strip_suffix(".bbclass"))
        .any(|name| name == class)
}

fn is_kernel(recipe: &RecipeInfo) -> bool {
    inherits(recipe, "module-base") || inherits(recipe, "linux-kernel-base")
}

fn recommends_modules(recipe: &RecipeInfo) -> bool {
    recipe.rrecommends_pkg.values().flatten().any(|name| name.contains("kernel-module-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(pn: &str, classes: &[&str]) -> RecipeInfo {
        RecipeInfo {
            pn: pn.into(),
            inherits: classes.iter().map(|c| format!("/layer/classes/{c}.bbclass")).collect(),
            ..RecipeInfo::default()
        }
    }

    fn judge(recipe: &RecipeInfo, dep_recipe: &RecipeInfo) -> Option<DropReason> {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let virtuals = BTreeMap::from([("virtual/k".to_owned(), "linux".to_owned())]);
        let filter = OeFilter::new(&words("netbase virtual/k"), &words("*->quilt-native a->b"), &virtuals);
        let edge = SignedEdge { task: "do_t", recipe, mc: "", dep_task: "do_u", dep_recipe, dep_mc: "" };
        filter.drops(&edge)
    }

    #[test]
    fn listed_pairs_and_abi_safe_recipes_do_not_count() {
        let plain = |pn| recipe(pn, &[]);
        assert_eq!(judge(&plain("x"), &plain("y")), None);
        assert_eq!(judge(&plain("x"), &plain("quilt-native")), Some(DropReason::SafePair));
        assert_eq!(judge(&plain("quilt-native"), &plain("quilt-native")), None);
        assert_eq!(judge(&plain("a"), &plain("b")), Some(DropReason::SafePair));
        assert_eq!(judge(&plain("b"), &plain("a")), None);
        assert_eq!(judge(&plain("x"), &plain("linux")), Some(DropReason::AbiSafe));
        assert_eq!(judge(&plain("x-native"), &plain("linux")), None);
        assert_eq!(judge(&recipe("img", &["image"]), &plain("netbase")), None);
    }

    #[test]
    fn packagegroups_and_kernel_modules_are_loose() {
        let group = recipe("packagegroup-x", &["packagegroup", "allarch"]);
        assert_eq!(judge(&group, &recipe("y", &[])), Some(DropReason::PackageNamesOnly));
        assert_eq!(judge(&group, &recipe("y-native", &[])), None);
        let kernel = recipe("linux-z", &["linux-kernel-base"]);
        let mut user = recipe("u", &[]);
        assert_eq!(judge(&user, &kernel), None);
        user.rrecommends_pkg.insert("u".into(), vec!["kernel-module-foo".into()]);
        assert_eq!(judge(&user, &kernel), Some(DropReason::RecommendedModule));
    }
}
