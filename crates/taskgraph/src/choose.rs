//! Which of several providers is taken: BitBake's order of preference for
//! build-time and run-time names.

use crate::index::{McIndex, ProviderIndex, RecipeIx};
use crate::version::{Version, matches_wanted};
use std::collections::BTreeMap;
use std::fmt;

/// The providers of a name that may be used, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// At most one recipe of each PN.
    pub eligible: Vec<RecipeIx>,
    /// The first one is named by the configuration or by its own name; without
    /// that, and with several eligible, taking the first is a guess.
    pub decided: bool,
    /// What the user should know.
    pub notices: Vec<ProviderNotice>,
}

/// Something worth telling about a choice; not an error.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProviderNotice {
    /// PREFERRED_VERSION or REQUIRED_VERSION names a version that is not there.
    VersionMissing {
        /// The variable asks for it strictly (REQUIRED_VERSION).
        required: bool,
        /// PN.
        pn: String,
        /// The name that was looked for.
        item: String,
        /// Value of the variable.
        wanted: String,
        /// The versions there are, newest first.
        available: Vec<String>,
    },
    /// Several recipes provide the name and nothing says which one to take.
    SeveralProviders {
        /// The name.
        item: String,
        /// It is a run-time name.
        runtime: bool,
        /// PNs, the one taken first.
        pns: Vec<String>,
    },
}

impl fmt::Display for ProviderNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProviderNotice::VersionMissing { required, pn, item, wanted, available } => {
                let word = if *required { "required" } else { "preferred" };
                writeln!(f, "versions of {pn} available: {}", available.join(" "))?;
                write!(f, "{word} version {wanted} of {pn} not available (for item {item})")
            }
            ProviderNotice::SeveralProviders { item, runtime, pns } => {
                let (kind, variable) =
                    if *runtime { ("runtime ", "PREFERRED_RPROVIDER") } else { ("", "PREFERRED_PROVIDER") };
                writeln!(f, "Multiple providers are available for {kind}{item} ({})", pns.join(", "))?;
                write!(f, "Consider defining a {variable} entry to match {item}")
            }
        }
    }
}

impl ProviderIndex {
    /// The build-time providers of `item`, best first.
    pub fn choose(&self, mc: &str, item: &str) -> Choice {
        let Some(tables) = self.mc(mc) else { return Choice::default() };
        let mut choice = self.eligible(tables, self.providers(mc, item), item);
        let preferred = tables
            .config
            .get(&format!("PREFERRED_PROVIDER_{item}"))
            .or_else(|| tables.preferred_providers.get(item).cloned());
        if let Some(pn) = preferred {
            choice.decided |= self.to_front(&mut choice.eligible, |i| i.recipe_pn() == pn);
        }
        self.note_if_open(&mut choice, item, false);
        choice
    }

    /// The run-time providers of `item`, best first.
    pub fn choose_runtime(&self, mc: &str, item: &str) -> Choice {
        let Some(tables) = self.mc(mc) else { return Choice::default() };
        let mut choice = self.eligible(tables, &self.runtime_providers(mc, item), item);
        // BitBake: a package named like its recipe comes first, yet is no decision.
        choice.decided = false;
        if choice.eligible.len() > 1 {
            match tables.config.get(&format!("PREFERRED_RPROVIDER_{item}")) {
                Some(pn) if self.to_front(&mut choice.eligible, |i| i.recipe_pn() == pn) => {
                    choice.decided = true
                }
                // BitBake: a recipe that is preferred for something it provides at
                // build time is preferred for what it offers at run time too.
                _ => {
                    choice.decided |= self.to_front(&mut choice.eligible, |i| {
                        let provides = &i.index.recipe(i.recipe).info.provides;
                        provides.iter().any(|name| {
                            tables.config.get(&format!("PREFERRED_PROVIDER_{name}")).as_deref()
                                == Some(i.recipe_pn())
                        })
                    });
                }
            }
        }
        self.note_if_open(&mut choice, item, true);
        choice
    }

    /// Moves what satisfies `preferred` before the rest, keeping the order
    /// otherwise. Tells whether there was any.
    fn to_front(&self, list: &mut [RecipeIx], preferred: impl Fn(Candidate<'_>) -> bool) -> bool {
        let mut found = false;
        list.sort_by_cached_key(|&recipe| {
            let hit = preferred(Candidate { index: self, recipe });
            found |= hit;
            !hit
        });
        found
    }

    fn note_if_open(&self, choice: &mut Choice, item: &str, runtime: bool) {
        if choice.eligible.len() > 1 && !choice.decided {
            let pns = choice.eligible.iter().map(|&ix| self.recipe(ix).info.pn.clone()).collect();
            choice.notices.push(ProviderNotice::SeveralProviders { item: item.to_owned(), runtime, pns });
        }
    }

    /// One recipe of each PN: those whose wanted version is there come first,
    /// each group sorted by PN; the recipe named like `item` before all.
    fn eligible(&self, tables: &McIndex, candidates: &[RecipeIx], item: &str) -> Choice {
        let mut by_pn: BTreeMap<&str, Vec<RecipeIx>> = BTreeMap::new();
        for &ix in candidates {
            by_pn.entry(&self.recipe(ix).info.pn).or_default().push(ix);
        }
        let mut choice = Choice::default();
        let mut plain = Vec::new();
        for (pn, mut recipes) in by_pn {
            recipes.sort_by(|&a, &b| self.best_first(a, b));
            match self.wanted_version(tables, pn, item, &recipes) {
                Wanted::Found(ix) => choice.eligible.push(ix),
                Wanted::Free(notice) => {
                    choice.notices.extend(notice);
                    plain.push(recipes[0]);
                }
                Wanted::Missing(notice) => choice.notices.push(notice),
            }
        }
        choice.eligible.append(&mut plain);
        choice.decided = self.to_front(&mut choice.eligible, |i| i.recipe_pn() == item);
        choice
    }

    /// The recipe that is taken of these where no version is asked for.
    pub fn best(&self, recipes: &[RecipeIx]) -> Option<RecipeIx> {
        recipes.iter().copied().min_by(|&a, &b| self.best_first(a, b))
    }

    /// Highest layer priority, then DEFAULT_PREFERENCE, then version.
    fn best_first(&self, a: RecipeIx, b: RecipeIx) -> std::cmp::Ordering {
        let (a, b) = (self.recipe(a), self.recipe(b));
        (b.priority, b.info.defaultpref)
            .cmp(&(a.priority, a.info.defaultpref))
            .then_with(|| version(&b.info).compare(version(&a.info)))
            .then_with(|| a.id.cmp(&b.id))
    }

    fn wanted_version(&self, tables: &McIndex, pn: &str, item: &str, recipes: &[RecipeIx]) -> Wanted {
        let look_up = |variable: &str| {
            [format!("{variable}:pn-{pn}"), format!("{variable}_{pn}"), variable.to_owned()]
                .iter()
                .find_map(|name| tables.config.get(name))
        };
        let (required, wanted) = match look_up("REQUIRED_VERSION") {
            Some(wanted) => (true, wanted),
            None => match look_up("PREFERRED_VERSION") {
                Some(wanted) => (false, wanted),
                None => return Wanted::Free(None),
            },
        };
        if let Some(&ix) = recipes.iter().find(|&&ix| matches_wanted(&wanted, version(&self.recipe(ix).info)))
        {
            return Wanted::Found(ix);
        }
        let available = recipes.iter().map(|&ix| self.recipe(ix).info.pv.clone()).collect();
        let notice = ProviderNotice::VersionMissing {
            required,
            pn: pn.to_owned(),
            item: item.to_owned(),
            wanted,
            available,
        };
        if required { Wanted::Missing(notice) } else { Wanted::Free(Some(notice)) }
    }
}

/// What PREFERRED_VERSION and REQUIRED_VERSION say about a PN.
enum Wanted {
    Found(RecipeIx),
    Free(Option<ProviderNotice>),
    Missing(ProviderNotice),
}

/// A recipe under consideration.
struct Candidate<'a> {
    index: &'a ProviderIndex,
    recipe: RecipeIx,
}

impl<'a> Candidate<'a> {
    fn recipe_pn(&self) -> &'a str {
        &self.index.recipe(self.recipe).info.pn
    }
}

fn version(info: &bitzel_base::RecipeInfo) -> Version<'_> {
    Version { epoch: &info.pe, version: &info.pv, revision: &info.pr }
}
