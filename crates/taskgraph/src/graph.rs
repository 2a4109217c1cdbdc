//! The task graph itself: tasks numbered from 0, edges in compressed rows.

use crate::names::Names;
use bitzel_base::{RecipeId, TaskId};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// Number of a task within one [`TaskGraph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskIx(pub u32);

/// Why a task depends on another; an edge may have several reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeKinds(pub u8);

impl EdgeKinds {
    /// `addtask … after/before` within a recipe.
    pub const TASK: EdgeKinds = EdgeKinds(1);
    /// `[deptask]`, `[depends]`.
    pub const BUILD: EdgeKinds = EdgeKinds(2);
    /// `[rdeptask]`, `[rdepends]`.
    pub const RUNTIME: EdgeKinds = EdgeKinds(4);
    /// `[recrdeptask]`.
    pub const RECURSIVE: EdgeKinds = EdgeKinds(8);
    /// `[mcdepends]`.
    pub const MULTICONFIG: EdgeKinds = EdgeKinds(16);
    /// All of them.
    pub const ALL: EdgeKinds = EdgeKinds(31);

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: EdgeKinds) -> EdgeKinds {
        EdgeKinds(self.0 | other.0)
    }

    /// Whether a kind is in both sets.
    pub fn intersects(self, other: EdgeKinds) -> bool {
        self.0 & other.0 != 0
    }
}

/// Lists of numbers, one for each of `0..rows`, in two allocations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Rows {
    /// Sorts `(row, item)` pairs into rows; items keep the order they come in.
    pub fn from_pairs(rows: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Rows {
        let mut starts = vec![0u32; rows + 1];
        for (row, _) in pairs.clone() {
            starts[row as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut items = vec![0; starts[rows] as usize];
        for (row, item) in pairs {
            items[next[row as usize] as usize] = item;
            next[row as usize] += 1;
        }
        Rows { starts, items }
    }

    /// The items of a row.
    pub fn row(&self, row: u32) -> &[u32] {
        &self.items[self.range(row)]
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn range(&self, row: u32) -> std::ops::Range<usize> {
        self.starts[row as usize] as usize..self.starts[row as usize + 1] as usize
    }
}

/// Tasks and what each has to wait for. Tasks are sorted by recipe and name,
/// the dependencies of each by number.
#[derive(Clone, Debug, Default)]
pub struct TaskGraph {
    recipes: Vec<RecipeId>,
    names: Names,
    tasks: Vec<(u32, u32)>,
    by_recipe: Vec<std::ops::Range<u32>>,
    recipe_numbers: FxHashMap<RecipeId, u32>,
    deps: Rows,
    kinds: Vec<EdgeKinds>,
    /// The tasks asked for.
    pub targets: Vec<TaskIx>,
}

impl TaskGraph {
    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// How many dependencies there are.
    pub fn edge_count(&self) -> usize {
        self.deps.items.len()
    }

    /// All tasks, in order.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = TaskIx> + Clone + use<> {
        (0..u32::try_from(self.tasks.len()).expect("tasks are numbered by u32")).map(TaskIx)
    }

    /// The recipes, sorted.
    pub fn recipes(&self) -> &[RecipeId] {
        &self.recipes
    }

    /// The recipe of a task, as a position in [`TaskGraph::recipes`].
    pub fn recipe_number(&self, task: TaskIx) -> u32 {
        self.tasks[task.0 as usize].0
    }

    /// The recipe of a task.
    pub fn recipe(&self, task: TaskIx) -> &RecipeId {
        &self.recipes[self.recipe_number(task) as usize]
    }

    /// The name of a task, with `do_`.
    pub fn task_name(&self, task: TaskIx) -> &str {
        self.names.text(self.tasks[task.0 as usize].1)
    }

    /// The task as others know it.
    pub fn task_id(&self, task: TaskIx) -> TaskId {
        TaskId { recipe: self.recipe(task).clone(), task: self.task_name(task).to_owned() }
    }

    /// The tasks of a recipe, sorted by name.
    pub fn tasks_of(&self, recipe_number: u32) -> impl ExactSizeIterator<Item = TaskIx> + use<> {
        self.by_recipe[recipe_number as usize].clone().map(TaskIx)
    }

    /// The number of a task that is in the graph.
    pub fn find(&self, recipe: &RecipeId, task: &str) -> Option<TaskIx> {
        let number = *self.recipe_numbers.get(recipe)?;
        self.tasks_of(number).find(|&t| self.task_name(t) == task)
    }

    /// What a task waits for, sorted.
    pub fn deps(&self, task: TaskIx) -> impl ExactSizeIterator<Item = TaskIx> {
        self.deps.row(task.0).iter().map(|&d| TaskIx(d))
    }

    pub(crate) fn dep_row(&self, task: u32) -> &[u32] {
        self.deps.row(task)
    }

    /// What a task waits for, with the reasons.
    pub fn deps_with_kinds(&self, task: TaskIx) -> impl ExactSizeIterator<Item = (TaskIx, EdgeKinds)> {
        self.deps.range(task.0).map(|edge| (TaskIx(self.deps.items[edge]), self.kinds[edge]))
    }

    /// Who waits for each task: the edges the other way round.
    pub fn reversed(&self) -> Rows {
        let pairs = self.tasks().flat_map(|t| self.dep_row(t.0).iter().map(move |&d| (d, t.0)));
        Rows::from_pairs(self.len(), pairs)
    }

    /// An order in which every task comes after what it depends on; ties go by
    /// number. `None` if there is a cycle.
    pub fn topological_order(&self) -> Option<Vec<TaskIx>> {
        let dependents = self.reversed();
        let mut waiting: Vec<u32> = self.tasks().map(|t| self.deps.row(t.0).len() as u32).collect();
        let mut order: Vec<TaskIx> = self.tasks().filter(|t| waiting[t.0 as usize] == 0).collect();
        let mut done = 0;
        while done < order.len() {
            for &next in dependents.row(order[done].0) {
                waiting[next as usize] -= 1;
                if waiting[next as usize] == 0 {
                    order.push(TaskIx(next));
                }
            }
            done += 1;
        }
        (order.len() == self.len()).then_some(order)
    }

    /// The part of the graph with the tasks that `keep` holds for.
    #[must_use]
    pub fn subgraph(&self, keep: impl Fn(TaskIx) -> bool) -> TaskGraph {
        let mut builder = GraphBuilder::default();
        let numbers: Vec<Option<u32>> = self
            .tasks()
            .map(|t| keep(t).then(|| builder.add_task(self.recipe(t), self.task_name(t))))
            .collect();
        for task in self.tasks() {
            let Some(from) = numbers[task.0 as usize] else { continue };
            for (dep, kinds) in self.deps_with_kinds(task) {
                if let Some(to) = numbers[dep.0 as usize] {
                    builder.add_edge(from, to, kinds);
                }
            }
        }
        for target in &self.targets {
            if let Some(number) = numbers[target.0 as usize] {
                builder.add_target(number);
            }
        }
        builder.finish()
    }
}

/// Collects tasks and edges in any order.
#[derive(Clone, Debug, Default)]
pub struct GraphBuilder {
    recipes: Vec<RecipeId>,
    recipe_numbers: FxHashMap<RecipeId, u32>,
    names: Names,
    tasks: Vec<(u32, u32)>,
    task_numbers: FxHashMap<(u32, u32), u32>,
    edges: Vec<(u32, u32, EdgeKinds)>,
    targets: Vec<u32>,
}

impl GraphBuilder {
    /// The number of a task, a new one if it was not known. Numbers are the
    /// builder's own; the finished graph has others.
    pub fn add_task(&mut self, recipe: &RecipeId, task: &str) -> u32 {
        let recipe = match self.recipe_numbers.get(recipe) {
            Some(&number) => number,
            None => {
                let number = u32::try_from(self.recipes.len()).expect("fewer than 2^32 recipes");
                self.recipes.push(recipe.clone());
                self.recipe_numbers.insert(recipe.clone(), number);
                number
            }
        };
        let key = (recipe, self.names.intern(task));
        *self.task_numbers.entry(key).or_insert_with(|| {
            self.tasks.push(key);
            u32::try_from(self.tasks.len() - 1).expect("fewer than 2^32 tasks")
        })
    }

    /// `from` waits for `to`, both numbers of [`GraphBuilder::add_task`].
    pub fn add_edge(&mut self, from: u32, to: u32, kinds: EdgeKinds) {
        self.edges.push((from, to, kinds));
    }

    /// Marks a task as asked for.
    pub fn add_target(&mut self, task: u32) {
        self.targets.push(task);
    }

    /// Sorts and packs what was added; equal edges become one.
    pub fn finish(self) -> TaskGraph {
        let GraphBuilder { recipes, names, tasks, edges, targets, .. } = self;
        let (recipes, recipe_rank) = sort_ranked(recipes, Ord::cmp);
        let (_, name_rank) =
            sort_ranked((0..names.len() as u32).collect(), |&a, &b| names.text(a).cmp(names.text(b)));
        let keyed: Vec<(u32, u32)> = tasks.into_iter().map(|(r, n)| (recipe_rank[r as usize], n)).collect();
        let key = |&(recipe, name): &(u32, u32)| (recipe, name_rank[name as usize]);
        let (tasks, rank) = sort_ranked(keyed, |a, b| key(a).cmp(&key(b)));
        let mut edges: Vec<(u32, u32, EdgeKinds)> =
            edges.into_iter().map(|(a, b, kinds)| (rank[a as usize], rank[b as usize], kinds)).collect();
        edges.sort_unstable();
        edges.dedup_by(|later, kept| {
            let same = (later.0, later.1) == (kept.0, kept.1);
            if same {
                kept.2 = kept.2.union(later.2);
            }
            same
        });
        let mut by_recipe = vec![0..0; recipes.len()];
        for (n, &(recipe, _)) in (0u32..).zip(&tasks) {
            let range: &mut std::ops::Range<u32> = &mut by_recipe[recipe as usize];
            *range = if range.start == range.end { n..n + 1 } else { range.start..n + 1 };
        }
        let mut seen = rustc_hash::FxHashSet::default();
        TaskGraph {
            recipe_numbers: (0u32..).zip(&recipes).map(|(n, id)| (id.clone(), n)).collect(),
            recipes,
            names,
            by_recipe,
            deps: Rows::from_pairs(tasks.len(), edges.iter().map(|&(a, b, _)| (a, b))),
            tasks,
            kinds: edges.into_iter().map(|(_, _, kinds)| kinds).collect(),
            targets: targets
                .into_iter()
                .map(|t| TaskIx(rank[t as usize]))
                .filter(|t| seen.insert(*t))
                .collect(),
        }
    }
}

/// `items` sorted, and for each old position the new one.
fn sort_ranked<T: Clone>(items: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> (Vec<T>, Vec<u32>) {
    let mut order: Vec<u32> = (0..items.len() as u32).collect();
    order.sort_by(|&a, &b| compare(&items[a as usize], &items[b as usize]));
    let mut rank = vec![0; items.len()];
    for (n, &old) in (0u32..).zip(&order) {
        rank[old as usize] = n;
    }
    (order.into_iter().map(|old| items[old as usize].clone()).collect(), rank)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// A graph from edges `a>b` ("a waits for b") between tasks `do_x` of one recipe.
    pub(crate) fn drawn(edges: &str) -> TaskGraph {
        let recipe = RecipeId { mc: String::new(), variant: String::new(), file: "/r.bb".into() };
        let mut builder = GraphBuilder::default();
        for edge in edges.split_whitespace() {
            let mut ends = edge.split('>').map(|end| builder.add_task(&recipe, &format!("do_{end}")));
            let (from, to) = (ends.next().unwrap(), ends.next());
            if let Some(to) = to {
                builder.add_edge(from, to, EdgeKinds::TASK);
            }
        }
        builder.finish()
    }

    #[test]
    fn equal_edges_become_one_with_all_reasons() {
        let recipe: RecipeId = "/r.bb".parse().unwrap();
        let mut builder = GraphBuilder::default();
        let (b, a) = (builder.add_task(&recipe, "do_b"), builder.add_task(&recipe, "do_a"));
        builder.add_edge(b, a, EdgeKinds::TASK);
        builder.add_edge(b, a, EdgeKinds::BUILD);
        builder.add_target(b);
        let graph = builder.finish();
        assert_eq!((graph.len(), graph.edge_count()), (2, 1));
        assert_eq!(graph.task_name(TaskIx(0)), "do_a");
        let deps: Vec<_> = graph.deps_with_kinds(TaskIx(1)).collect();
        assert_eq!(deps, [(TaskIx(0), EdgeKinds::TASK.union(EdgeKinds::BUILD))]);
        assert_eq!(graph.targets, [TaskIx(1)]);
        assert_eq!(graph.find(&recipe, "do_b"), Some(TaskIx(1)));
    }

    #[test]
    fn order_has_dependencies_first_and_refuses_cycles() {
        let graph = drawn("c>b b>a d>a");
        let order = graph.topological_order().unwrap();
        let place = |name: &str| order.iter().position(|&t| graph.task_name(t) == name).unwrap();
        assert!(
            place("do_a") < place("do_b") && place("do_b") < place("do_c") && place("do_a") < place("do_d")
        );
        assert!(drawn("a>b b>a").topological_order().is_none());
    }

    proptest! {
        #[test]
        fn order_has_each_task_once_and_after_what_it_depends_on(edges in vec((0u32..40, 0u32..40), 0..120)) {
            let recipe: RecipeId = "/r.bb".parse().unwrap();
            let mut builder = GraphBuilder::default();
            let tasks: Vec<u32> = (0..40).map(|n| builder.add_task(&recipe, &format!("do_{n:02}"))).collect();
            // From higher numbers to lower ones: no circles.
            for (a, b) in edges.into_iter().filter(|(a, b)| a != b) {
                builder.add_edge(tasks[a.max(b) as usize], tasks[a.min(b) as usize], EdgeKinds::TASK);
            }
            let graph = builder.finish();
            let order = graph.topological_order().unwrap();
            let mut place = vec![None; graph.len()];
            for (at, task) in order.iter().enumerate() {
                prop_assert!(place[task.0 as usize].replace(at).is_none());
            }
            prop_assert_eq!(order.len(), graph.len());
            for task in graph.tasks() {
                for (dependency, _) in graph.deps_with_kinds(task) {
                    prop_assert!(place[dependency.0 as usize] < place[task.0 as usize]);
                }
            }
        }
    }

    #[test]
    fn a_subgraph_keeps_the_edges_between_what_is_kept() {
        let graph = drawn("c>b b>a c>a");
        let part = graph.subgraph(|t| graph.task_name(t) != "do_b");
        assert_eq!((part.len(), part.edge_count()), (2, 1));
    }
}
