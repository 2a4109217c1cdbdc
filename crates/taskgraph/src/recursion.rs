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
//! once from dependencies to dependents, so that the cost is edges × recipes / 64
//! steps and a set union for each edge found.

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
    let recipes = Reached::number_recipes(&declared.owners);
    let edges: Vec<(u32, u32)> = declared.edges.iter().map(|&(from, to, _)| (from, to)).collect();
    let reached = Reached::compute(&recipes, &edges);
    let mut found = Vec::new();
    for recursion in &declared.recursions {
        found.extend(reached.found_by(recursion, &recipes, declared));
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

/// Which recipes each task reaches, itself not counted.
struct Reached {
    words: usize,
    component: Vec<u32>,
    bits: Vec<u64>,
}

impl Reached {
    fn number_recipes(owners: &[RecipeIx]) -> RecipeNumbers {
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

    fn compute(recipes: &RecipeNumbers, edges: &[(u32, u32)]) -> Reached {
        let tasks = recipes.of_task.len();
        let rows = Rows::from_pairs(tasks, edges.iter().copied());
        let (component, count) = components(tasks, |n| rows.row(n));
        let members = Rows::from_pairs(count as usize, (0u32..).zip(&component).map(|(task, &c)| (c, task)));
        let words = recipes.list.len().div_ceil(64);
        let mut bits = vec![0u64; words * count as usize];
        // Successors have smaller numbers, so their sets are complete.
        for c in 0..count {
            let (done, rest) = bits.split_at_mut(c as usize * words);
            let mine = &mut rest[..words];
            for &task in members.row(c) {
                for &dep in rows.row(task) {
                    let recipe = recipes.of_task[dep as usize] as usize;
                    mine[recipe / 64] |= 1 << (recipe % 64);
                    let other = component[dep as usize] as usize;
                    if other != c as usize {
                        let theirs = &done[other * words..(other + 1) * words];
                        mine.iter_mut().zip(theirs).for_each(|(m, t)| *m |= t);
                    }
                }
            }
        }
        Reached { words, component, bits }
    }

    fn of(&self, task: u32) -> &[u64] {
        let start = self.component[task as usize] as usize * self.words;
        &self.bits[start..start + self.words]
    }

    /// The edges one recursive task gains.
    fn found_by(
        &self,
        recursion: &Recursion,
        recipes: &RecipeNumbers,
        declared: &Declared,
    ) -> Vec<(u32, u32, EdgeKinds)> {
        let mut set = self.of(recursion.task).to_vec();
        for &task in &recursion.through {
            let own = recipes.of_task[task as usize] as usize;
            set[own / 64] |= 1 << (own % 64);
            set.iter_mut().zip(self.of(task)).for_each(|(mine, theirs)| *mine |= theirs);
        }
        let mut found = Vec::new();
        let mut looked_at = vec![0u64; self.words];
        while let Some(recipe) = first_new(&set, &looked_at) {
            looked_at[recipe / 64] |= 1 << (recipe % 64);
            let tasks = &declared.numbers[&recipes.list[recipe]];
            for &to in recursion.names.iter().filter_map(|name| tasks.get(name)) {
                set.iter_mut().zip(self.of(to)).for_each(|(mine, theirs)| *mine |= theirs);
                if to != recursion.task {
                    found.push((recursion.task, to, EdgeKinds::RECURSIVE));
                }
            }
        }
        found
    }
}

/// The lowest bit of `set` that is not in `old`.
fn first_new(set: &[u64], old: &[u64]) -> Option<usize> {
    set.iter().zip(old).enumerate().find_map(|(n, (set, old))| {
        let new = set & !old;
        (new != 0).then(|| n * 64 + new.trailing_zeros() as usize)
    })
}
