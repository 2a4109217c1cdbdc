//! The export's record of who provides what, one for each multiconfig.

use crate::Recipes;
use bitzel_recipe::export::Normaliser;
use bitzel_taskgraph::{Recipe, RecipeIx, Resolution};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// Name to the recipes that have it.
type Table = BTreeMap<String, Vec<String>>;

/// Adds a recipe to the entries of names.
fn put<'a>(table: &mut Table, names: impl IntoIterator<Item = &'a String>, id: &str) {
    for name in names {
        table.entry(name.clone()).or_default().push(id.to_owned());
    }
}

impl Recipes {
    /// The records of all multiconfigs, less what only this machine has. BitBake notes
    /// preferences as they are asked for, hence the names that targets need.
    pub fn provider_records(&self, asked: &Resolution, normaliser: &Normaliser) -> Vec<Json> {
        let mcs = self.configurations.iter();
        mcs.map(|configuration| normaliser.json(&self.provider_record(&configuration.mc, asked))).collect()
    }

    fn provider_record(&self, mc: &str, asked: &Resolution) -> Json {
        let mut record = self.tables(mc, asked);
        let choice = |eligible: Vec<RecipeIx>| -> Json {
            eligible.iter().map(|&ix| json!(self.index.recipe(ix).id.to_string())).collect()
        };
        let chosen = |names: Vec<&str>, choose: &dyn Fn(&str) -> Vec<RecipeIx>| -> Json {
            Json::Object(names.into_iter().map(|name| (name.to_owned(), choice(choose(name)))).collect())
        };
        let build = |name: &str| self.index.choose(mc, name).eligible;
        let run = |name: &str| self.index.choose_runtime(mc, name).eligible;
        record.insert("choice".to_owned(), chosen(self.index.provided_names(mc), &build));
        record.insert("rchoice".to_owned(), chosen(self.index.runtime_names(mc), &run));
        let words = |name: &str| self.variable_of(mc, name).unwrap_or_default().split_whitespace();
        let listed = words("PREFERRED_PROVIDERS").filter_map(|word| word.split_once(':'));
        let single = asked.build_names(mc).filter_map(|(name, _)| {
            Some((name, self.variable_of(mc, &format!("PREFERRED_PROVIDER_{name}"))?))
        });
        let preferred: BTreeMap<&str, &str> = listed.chain(single).collect();
        let ignored: BTreeSet<&str> = words("ASSUME_PROVIDED").collect();
        record.insert("mc".to_owned(), json!(mc));
        record.insert("preferred".to_owned(), json!(preferred));
        record.insert("ignored".to_owned(), json!(ignored));
        Json::Object(record)
    }

    /// What follows from single recipes.
    fn tables(&self, mc: &str, asked: &Resolution) -> Map<String, Json> {
        let looked_at: BTreeSet<RecipeIx> = asked.recipes().iter().copied().collect();
        let mut names: BTreeMap<&str, Table> =
            ["pkg_pn", "providers", "rproviders", "packages", "packages_dynamic"]
                .map(|table| (table, Table::new()))
                .into();
        let mut fields: BTreeMap<&str, Map<String, Json>> =
            ["pkg_fn", "pepvpr", "deps", "priorities", "skiplist"].map(|table| (table, Map::new())).into();
        let mut world = BTreeSet::new();
        let numbered = (0..).map(RecipeIx).zip(self.index.recipes());
        for (ix, recipe) in numbered.filter(|(_, recipe)| recipe.id.mc == mc) {
            let Recipe { info, priority, .. } = recipe;
            let id = recipe.id.to_string();
            let mut field = |table: &'static str, value: Json| {
                fields.entry(table).or_default().insert(id.clone(), value);
            };
            if info.skipped {
                field("skiplist", json!(info.skipreason));
                continue;
            }
            field("pkg_fn", json!(info.pn));
            field("pepvpr", json!([info.pe, info.pv, info.pr]));
            // BitBake: looking up what a recipe depends on makes an entry.
            let depends: BTreeSet<&String> =
                info.depends.iter().chain(asked.extra_depends(&recipe.id)).collect();
            if !depends.is_empty() || looked_at.contains(&ix) {
                field("deps", json!(depends));
            }
            field("priorities", json!(priority));
            let mut name = |table: &'static str, list: &[String]| {
                put(names.entry(table).or_default(), list, &id);
            };
            name("pkg_pn", std::slice::from_ref(&info.pn));
            name("providers", &info.provides);
            name("rproviders", &info.rprovides);
            info.rprovides_pkg.values().for_each(|list| name("rproviders", list));
            name("packages", &info.packages);
            name("packages_dynamic", &info.packages_dynamic);
            if info.not_world.is_empty() {
                world.insert(id.clone());
            }
        }
        for (table, entries) in &mut names {
            for ids in entries.values_mut() {
                ids.sort_unstable();
                // BitBake: a package counts as often as a recipe lists it.
                if *table != "packages" {
                    ids.dedup();
                }
            }
        }
        let names = names.into_iter().map(|(table, entries)| (table.to_owned(), json!(entries)));
        let fields = fields.into_iter().map(|(table, entries)| (table.to_owned(), Json::Object(entries)));
        let mut record: Map<String, Json> = names.chain(fields).collect();
        record.insert("world".to_owned(), json!(world));
        record
    }
}
