//! `[recrdeptask]`: tasks of every recipe that can be reached.
//!
//! BitBake's rule, as its manual has it and small layers show: a task with
//! `[recrdeptask]` first depends on the named tasks of its DEPENDS and RDEPENDS;
//! then, for every recipe any task of which it reaches, on the named tasks of
//! that recipe, and what those reach. Only declared edges are walked, not those
//! another recursive task gains this way. Tasks that name themselves do not
//! depend on one another in the end, though they are walked through.
//!
//! What each task reaches is kept as a set of recipes, one bit each, computed
//! once from dependencies to dependents. A task that adds nothing to what its
//! only dependency reaches shares its set, which most tasks of a recipe do. Of the
//! sets, a recursive task looks only at recipes that have a task of those names.

use crate::components::components;
use crate::edges::{Declared, Recursion};
use crate::graph::{EdgeKinds, Rows};
use crate::index::RecipeIx;
use rustc_hash::{FxHashMap, FxHashSet};

/// Adds the edges of all recursive tasks.
pub(crate) fn follow(declared: &mut Declared) {
    if declared.recursions.is_empty() {
        return;
    }
    let recipes = RecipeNumbers::new(&declared.owners);
    let edges: Vec<(u32, u32)> = declared.edges.iter().map(|&(from, to, _)| (from, to)).collect();
    let reached = Reached::compute(&recipes, &edges);
    // Most recursive tasks are of a class: they look for the same names.
    let mut named: FxHashMap<&[String], Named> = FxHashMap::default();
    let mut found = Vec::new();
    for recursion in &declared.recursions {
        let named = named
            .entry(&recursion.names)
            .or_insert_with(|| Named::find(&recursion.names, &recipes, &declared.numbers));
        found.extend(reached.found_by(recursion, &recipes, named));
    }
    declared.edges.append(&mut found);
    drop_own(&mut declared.edges, &declared.recursions);
}

/// Tasks that name themselves in `[recrdeptask]` do not wait for each other.
fn drop_own(edges: &mut Vec<(u32, u32, EdgeKinds)>, recursions: &[Recursion]) {
    let own: FxHashSet<u32> = recursions.iter().filter(|r| r.own).map(|r| r.task).collect();
    edges.retain(|(from, to, _)| !(own.contains(from) && own.contains(to)));
}

/// Recipes numbered without gaps.
struct RecipeNumbers {
    list: Vec<RecipeIx>,
    /// Number of the recipe of each task.
    of_task: Vec<u32>,
}

impl RecipeNumbers {
    fn new(owners: &[RecipeIx]) -> RecipeNumbers {
        let mut numbers: FxHashMap<RecipeIx, u32> = FxHashMap::default();
        let mut list = Vec::new();
        let of_task = owners
            .iter()
            .map(|&ix| {
                *numbers.entry(ix).or_insert_with(|| {
                    list.push(ix);
                    list.len() as u32 - 1
                })
            })
            .collect();
        RecipeNumbers { list, of_task }
    }

    /// Words of a set with one bit for each recipe.
    fn words(&self) -> usize {
        self.list.len().div_ceil(64)
    }
}

/// The tasks of certain names.
struct Named {
    /// Recipes that have any of them.
    recipes: Vec<u64>,
    /// A row for each recipe.
    tasks: Rows,
}

impl Named {
    fn find(
        names: &[String],
        recipes: &RecipeNumbers,
        numbers: &FxHashMap<RecipeIx, FxHashMap<String, u32>>,
    ) -> Named {
        let tasks: Vec<(u32, u32)> = (0u32..)
            .zip(&recipes.list)
            .flat_map(|(recipe, ix)| {
                let tasks = &numbers[ix];
                names.iter().filter_map(move |name| Some((recipe, *tasks.get(name)?)))
            })
            .collect();
        let mut with_any = vec![0; recipes.words()];
        tasks.iter().for_each(|&(recipe, _)| add(&mut with_any, recipe));
        Named { recipes: with_any, tasks: Rows::from_pairs(recipes.list.len(), tasks.iter().copied()) }
    }
}

/// Which recipes each task reaches, itself not counted.
struct Reached {
    words: usize,
    /// Number of the set of each task.
    set_of: Vec<u32>,
    bits: Vec<u64>,
}

impl Reached {
    fn compute(recipes: &RecipeNumbers, edges: &[(u32, u32)]) -> Reached {
        let tasks = recipes.of_task.len();
        let rows = Rows::from_pairs(tasks, edges.iter().copied());
        let (component, count) = components(tasks, |n| rows.row(n));
        let members = Rows::from_pairs(count as usize, (0u32..).zip(&component).map(|(task, &c)| (c, task)));
        let mut reached = Reached { words: recipes.words(), set_of: vec![0; tasks], bits: Vec::new() };
        // Successors have smaller numbers, so their sets are complete.
        for c in 0..count {
            let dependencies = || members.row(c).iter().flat_map(|&task| rows.row(task)).copied();
            let outside = || dependencies().filter(|&dep| component[dep as usize] != c);
            let set = reached.shared(dependencies, outside, recipes).unwrap_or_else(|| {
                let mut set = vec![0; reached.words];
                dependencies().for_each(|dep| add(&mut set, recipes.of_task[dep as usize]));
                outside().for_each(|dep| unite(&mut set, reached.of(dep)));
                reached.bits.append(&mut set);
                (reached.bits.len() / reached.words - 1) as u32
            });
            for &task in members.row(c) {
                reached.set_of[task as usize] = set;
            }
        }
        reached
    }

    /// The set of the only dependency outside, if it has the recipes of all dependencies.
    fn shared<D: Iterator<Item = u32>, O: Iterator<Item = u32>>(
        &self,
        dependencies: impl Fn() -> D,
        outside: impl Fn() -> O,
        recipes: &RecipeNumbers,
    ) -> Option<u32> {
        let first = self.set_of[outside().next()? as usize];
        let only = outside().all(|dep| self.set_of[dep as usize] == first);
        let set = self.set(first);
        (only && dependencies().all(|dep| has(set, recipes.of_task[dep as usize]))).then_some(first)
    }

    fn set(&self, number: u32) -> &[u64] {
        let start = number as usize * self.words;
        &self.bits[start..start + self.words]
    }

    fn of(&self, task: u32) -> &[u64] {
        self.set(self.set_of[task as usize])
    }

    /// The edges one recursive task gains.
    fn found_by(
        &self,
        recursion: &Recursion,
        recipes: &RecipeNumbers,
        named: &Named,
    ) -> Vec<(u32, u32, EdgeKinds)> {
        let mut set = self.of(recursion.task).to_vec();
        for &task in &recursion.through {
            add(&mut set, recipes.of_task[task as usize]);
            unite(&mut set, self.of(task));
        }
        let mut found = Vec::new();
        let mut looked_at = vec![0u64; self.words];
        while let Some(recipe) = first_new(&set, &named.recipes, &looked_at) {
            add(&mut looked_at, recipe);
            for &to in named.tasks.row(recipe) {
                unite(&mut set, self.of(to));
                if to != recursion.task {
                    found.push((recursion.task, to, EdgeKinds::RECURSIVE));
                }
            }
        }
        found
    }
}

fn add(set: &mut [u64], number: u32) {
    set[number as usize / 64] |= 1 << (number % 64);
}

fn has(set: &[u64], number: u32) -> bool {
    set[number as usize / 64] & (1 << (number % 64)) != 0
}

fn unite(set: &mut [u64], other: &[u64]) {
    set.iter_mut().zip(other).for_each(|(mine, theirs)| *mine |= theirs);
}

/// The lowest bit of `set` that is in `wanted` and not in `old`.
fn first_new(set: &[u64], wanted: &[u64], old: &[u64]) -> Option<u32> {
    set.iter().zip(wanted).zip(old).enumerate().find_map(|(n, ((set, wanted), old))| {
        let new = set & wanted & !old;
        (new != 0).then(|| n as u32 * 64 + new.trailing_zeros())
    })
}
