//! From targets to recipes: every name the targets need, directly or through
//! other recipes, and who provides it.

use crate::choose::ProviderNotice;
use crate::error::{GraphError, Missing};
use crate::graph::EdgeKinds;
use crate::index::{ProviderIndex, RecipeIx};
use crate::similar::close_matches;
use crate::target::Target;
use crate::words::{depends_words, mcdepends_words};
use bitzel_base::RecipeId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What to leave out and what to add while resolving.
#[derive(Clone, Debug, Default)]
pub struct ResolveOptions {
    /// Names to take as provided, beside ASSUME_PROVIDED (`bitbake -I`).
    pub ignore: BTreeSet<String>,
    /// More DEPENDS of recipes: what `calculate_extra_depends` computed.
    pub extra_depends: BTreeMap<RecipeId, Vec<String>>,
}

/// A name that is needed in a multiconfig.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Need {
    pub(crate) mc: String,
    pub(crate) runtime: bool,
    pub(crate) name: String,
}

/// The recipes a build takes part of, and which name each stands for.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// What was asked for, without what cannot be built.
    pub targets: Vec<Target>,
    /// What is wrong. A build can go on where [`Resolution::targets`] is not
    /// empty, but it has not been what was asked for.
    pub problems: Vec<GraphError>,
    /// What the user should know.
    pub notices: Vec<ProviderNotice>,
    /// As in [`ResolveOptions`].
    pub(crate) extra_depends: BTreeMap<RecipeId, Vec<String>>,
    providers: FxHashMap<Need, Vec<RecipeIx>>,
    /// Targets whose names others may assume to be provided.
    only_targets: FxHashSet<Need>,
    recipes: Vec<RecipeIx>,
    met: Vec<RecipeIx>,
}

impl Resolution {
    /// The recipe that stands for a build-time name; `None` for names assumed
    /// to be provided and names that were not needed.
    pub fn provider(&self, mc: &str, name: &str) -> Option<RecipeIx> {
        self.first(mc, false, name)
    }

    /// The recipe that stands for a run-time name.
    pub fn runtime_provider(&self, mc: &str, name: &str) -> Option<RecipeIx> {
        self.first(mc, true, name)
    }

    /// The build-time names that were needed and the recipes that stand for them, in no order.
    pub fn build_names<'r>(&'r self, mc: &'r str) -> impl Iterator<Item = (&'r str, RecipeIx)> {
        let needed = self.providers.iter().filter(move |(need, _)| !need.runtime && need.mc == mc);
        needed.filter_map(|(need, found)| Some((need.name.as_str(), *found.first()?)))
    }

    fn first(&self, mc: &str, runtime: bool, name: &str) -> Option<RecipeIx> {
        self.for_need(&Need { mc: mc.to_owned(), runtime, name: name.to_owned() })
    }

    fn for_need(&self, need: &Need) -> Option<RecipeIx> {
        if self.only_targets.contains(need) {
            return None;
        }
        self.providers.get(need)?.first().copied()
    }

    /// The recipe that stands for a target, be its name assumed to be provided or not.
    pub fn target_provider(&self, target: &Target) -> Option<RecipeIx> {
        self.providers.get(&target_need(target))?.first().copied()
    }

    /// The recipes a recipe depends on, and how; itself not among them.
    pub fn dependencies(&self, index: &ProviderIndex, recipe: RecipeIx) -> Vec<(RecipeIx, EdgeKinds)> {
        needs_of(index, &self.extra_depends, recipe)
            .into_iter()
            .filter_map(|(need, kinds)| Some((self.for_need(&need)?, kinds)))
            .filter(|(dep, _)| *dep != recipe)
            .collect()
    }

    /// The recipes of [`Resolution::recipes`] in the order they were come upon from the targets.
    pub fn recipes_as_met(&self) -> &[RecipeIx] {
        &self.met
    }

    /// What `calculate_extra_depends` added to the DEPENDS of a recipe.
    pub fn extra_depends(&self, id: &RecipeId) -> &[String] {
        self.extra_depends.get(id).map_or(&[], Vec::as_slice)
    }

    /// Recipes that may take part, sorted. Among them are second-best providers
    /// that nothing will depend on.
    pub fn recipes(&self) -> &[RecipeIx] {
        &self.recipes
    }
}

impl ProviderIndex {
    /// Finds a provider for every name the targets need. BitBake: all eligible
    /// providers of a name are looked into; one whose own needs nobody provides
    /// is passed over in favour of the next.
    pub fn resolve(&self, targets: Vec<Target>, options: &ResolveOptions) -> Resolution {
        let mut walk = Walk {
            index: self,
            options,
            queue: VecDeque::new(),
            providers: FxHashMap::default(),
            wanted_by: FxHashMap::default(),
            needs: FxHashMap::default(),
            met: Vec::new(),
            notices: BTreeSet::new(),
            only_targets: FxHashSet::default(),
        };
        for t in &targets {
            walk.need(Need { mc: t.mc.clone(), runtime: false, name: t.name.clone() }, None);
        }
        walk.run();
        walk.finish(targets)
    }
}

struct Walk<'a> {
    index: &'a ProviderIndex,
    options: &'a ResolveOptions,
    queue: VecDeque<Need>,
    providers: FxHashMap<Need, Vec<RecipeIx>>,
    wanted_by: FxHashMap<Need, Vec<RecipeIx>>,
    /// What each recipe met so far needs.
    needs: FxHashMap<RecipeIx, Vec<Need>>,
    /// Those recipes, in the order met.
    met: Vec<RecipeIx>,
    notices: BTreeSet<ProviderNotice>,
    only_targets: FxHashSet<Need>,
}

impl Walk<'_> {
    fn need(&mut self, need: Need, by: Option<RecipeIx>) {
        // A target is built even where its name is assumed to be provided.
        if self.is_assumed(&need) {
            if by.is_some() {
                return;
            }
            self.only_targets.insert(need.clone());
        }
        if let Some(by) = by {
            self.needs.entry(by).or_default().push(need.clone());
            self.wanted_by.entry(need.clone()).or_default().push(by);
        }
        if !self.providers.contains_key(&need) {
            self.providers.insert(need.clone(), Vec::new());
            self.queue.push_back(need);
        }
    }

    fn is_assumed(&self, need: &Need) -> bool {
        self.options.ignore.contains(&need.name)
            || self.index.mc(&need.mc).is_some_and(|tables| tables.assumed.contains(&need.name))
    }

    fn run(&mut self) {
        while let Some(need) = self.queue.pop_front() {
            let choice = if need.runtime {
                self.index.choose_runtime(&need.mc, &need.name)
            } else {
                self.index.choose(&need.mc, &need.name)
            };
            let multi_allowed =
                self.index.mc(&need.mc).is_some_and(|tables| tables.multi_allowed.contains(&need.name));
            self.notices.extend(choice.notices.into_iter().filter(|notice| {
                !(multi_allowed && matches!(notice, ProviderNotice::SeveralProviders { .. }))
            }));
            for &recipe in &choice.eligible {
                self.add_recipe(recipe);
            }
            self.providers.insert(need, choice.eligible);
        }
    }

    fn add_recipe(&mut self, ix: RecipeIx) {
        if self.needs.contains_key(&ix) {
            return;
        }
        self.needs.insert(ix, Vec::new());
        self.met.push(ix);
        let wanted: Vec<Need> =
            needs_of(self.index, &self.options.extra_depends, ix).into_iter().map(|(need, _)| need).collect();
        for need in wanted {
            self.need(need, Some(ix));
        }
    }

    fn finish(mut self, targets: Vec<Target>) -> Resolution {
        let mut empty: Vec<Need> =
            self.providers.iter().filter(|(_, list)| list.is_empty()).map(|(need, _)| need.clone()).collect();
        empty.sort();
        let mut problems: Vec<GraphError> = empty.iter().map(|need| self.missing(need)).collect();
        let blame = self.drop_unbuildable(empty);
        let (good, bad): (Vec<Target>, Vec<Target>) =
            targets.into_iter().partition(|t| !blame.emptied.contains_key(&target_need(t)));
        for target in bad {
            let chain = blame.chain(&target_need(&target));
            // A target that is missing itself has its own message already.
            if chain.len() > 1 {
                problems.push(GraphError::Unbuildable { target: target.name, chain });
            }
        }
        let mut met = self.met;
        met.retain(|ix| !blame.failed.contains_key(ix));
        let mut recipes = met.clone();
        recipes.sort();
        Resolution {
            targets: good,
            problems,
            notices: self.notices.into_iter().collect(),
            extra_depends: self.options.extra_depends.clone(),
            providers: self.providers,
            only_targets: self.only_targets,
            recipes,
            met,
        }
    }

    /// Takes recipes out that need a name nobody provides, and so on.
    fn drop_unbuildable(&mut self, empty: Vec<Need>) -> Blame {
        let mut offers: FxHashMap<RecipeIx, Vec<Need>> = FxHashMap::default();
        for (need, list) in &self.providers {
            list.iter().for_each(|&ix| offers.entry(ix).or_default().push(need.clone()));
        }
        offers.values_mut().for_each(|needs| needs.sort());
        let mut blame = Blame::default();
        let mut queue = VecDeque::new();
        for need in empty {
            blame.emptied.insert(need.clone(), None);
            queue.push_back(need);
        }
        while let Some(need) = queue.pop_front() {
            for ix in self.wanted_by.get(&need).cloned().unwrap_or_default() {
                if blame.failed.contains_key(&ix) {
                    continue;
                }
                blame.failed.insert(ix, need.clone());
                for offered in offers.get(&ix).into_iter().flatten() {
                    let list = self.providers.get_mut(offered).expect("offers come from this table");
                    list.retain(|&other| other != ix);
                    if list.is_empty() {
                        blame.emptied.insert(offered.clone(), Some(need.clone()));
                        queue.push_back(offered.clone());
                    }
                }
            }
        }
        blame
    }

    fn missing(&self, need: &Need) -> GraphError {
        let mut wanted_by: Vec<String> = self
            .wanted_by
            .get(need)
            .into_iter()
            .flatten()
            .map(|&ix| self.index.recipe(ix).id.to_string())
            .collect();
        wanted_by.sort();
        wanted_by.dedup();
        let skipped = self
            .index
            .skipped(&need.mc)
            .iter()
            .map(|&ix| self.index.recipe(ix))
            .filter(|recipe| {
                let i = &recipe.info;
                let mut names: Box<dyn Iterator<Item = &String>> = if need.runtime {
                    Box::new(i.packages.iter().chain(&i.rprovides).chain(i.rprovides_pkg.values().flatten()))
                } else {
                    Box::new(i.provides.iter().chain([&i.pn]))
                };
                names.any(|name| *name == need.name)
            })
            .map(|recipe| (recipe.id.to_string(), recipe.info.skipreason.clone()))
            .collect();
        let known = if need.runtime {
            self.index.runtime_names(&need.mc)
        } else {
            self.index.provided_names(&need.mc)
        };
        GraphError::NothingProvides(Box::new(Missing {
            name: need.name.clone(),
            mc: need.mc.clone(),
            runtime: need.runtime,
            wanted_by,
            close_matches: close_matches(&need.name, known.into_iter()),
            skipped,
        }))
    }
}

/// The names a recipe needs, each once, and how.
pub(crate) fn needs_of(
    index: &ProviderIndex,
    extra_depends: &BTreeMap<RecipeId, Vec<String>>,
    ix: RecipeIx,
) -> Vec<(Need, EdgeKinds)> {
    let recipe = index.recipe(ix);
    let (info, mc) = (&recipe.info, &recipe.id.mc);
    let mut wanted: Vec<(Need, EdgeKinds)> = Vec::new();
    let mut seen = FxHashSet::default();
    let mut want = |mc: &str, runtime: bool, name: &str, kinds: EdgeKinds| {
        let need = Need { mc: mc.to_owned(), runtime, name: name.to_owned() };
        if seen.insert((need.clone(), kinds)) {
            wanted.push((need, kinds));
        }
    };
    let extra = extra_depends.get(&recipe.id);
    info.depends
        .iter()
        .chain(extra.into_iter().flatten())
        .for_each(|name| want(mc, false, name, EdgeKinds::BUILD));
    let flag = |name: &str| info.task_deps.flags.get(name).into_iter().flatten();
    for (_, text) in flag("depends") {
        depends_words(text).flatten().for_each(|(name, _)| want(mc, false, name, EdgeKinds::BUILD));
    }
    let lists = [&info.rdepends, &info.rrecommends].into_iter();
    let by_package = info.rdepends_pkg.values().chain(info.rrecommends_pkg.values());
    lists.chain(by_package).flatten().for_each(|name| want(mc, true, name, EdgeKinds::RUNTIME));
    for (_, text) in flag("rdepends") {
        depends_words(text).flatten().for_each(|(name, _)| want(mc, true, name, EdgeKinds::RUNTIME));
    }
    for (_, text) in flag("mcdepends") {
        for dep in mcdepends_words(text).flatten().filter(|dep| dep.from == mc) {
            // An unknown multiconfig is reported with its task, when edges are made.
            if index.mc(dep.to).is_some() {
                want(dep.to, false, dep.name, EdgeKinds::MULTICONFIG);
            }
        }
    }
    wanted
}

/// Who is to blame for what cannot be built.
#[derive(Default)]
struct Blame {
    /// Names without provider, and the name its last provider lacked.
    emptied: FxHashMap<Need, Option<Need>>,
    /// Recipes that cannot be built, and the name they lack.
    failed: FxHashMap<RecipeIx, Need>,
}

impl Blame {
    fn chain(&self, from: &Need) -> Vec<String> {
        let mut chain = vec![from.name.clone()];
        let mut at = from;
        while let Some(Some(next)) = self.emptied.get(at) {
            chain.push(next.name.clone());
            at = next;
        }
        chain
    }
}

fn target_need(t: &Target) -> Need {
    Need { mc: t.mc.clone(), runtime: false, name: t.name.clone() }
}
