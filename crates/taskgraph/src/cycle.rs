//! Tasks that wait for each other in a circle, and how to say so.

use crate::components::components;
use crate::graph::{TaskGraph, TaskIx};
use std::fmt;

/// The circles of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleReport {
    /// How many tasks can never start.
    pub unbuildable: usize,
    /// Shortest circles, one for each knot, at most ten; each task waits for
    /// the next, the last for the first.
    pub chains: Vec<Vec<String>>,
}

/// More than these help nobody.
const SHOWN: usize = 10;

impl fmt::Display for CycleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} unbuildable tasks were found because of circular dependencies", self.unbuildable)?;
        for (n, chain) in self.chains.iter().enumerate() {
            write!(f, "\ndependency loop #{} found:", n + 1)?;
            for (at, task) in chain.iter().enumerate() {
                write!(f, "\n  task {task} depends on {}", chain[(at + 1) % chain.len()])?;
            }
        }
        Ok(())
    }
}

impl TaskGraph {
    /// The circles of the graph, `None` if there is none.
    pub fn cycles(&self) -> Option<CycleReport> {
        if self.topological_order().is_some() {
            return None;
        }
        let (component, count) = components(self.len(), |n| self.dep_row(n));
        let mut knots: Vec<Vec<TaskIx>> = vec![Vec::new(); count as usize];
        self.tasks().for_each(|t| knots[component[t.0 as usize] as usize].push(t));
        let mut chains: Vec<Vec<String>> = knots
            .iter()
            .filter_map(|knot| self.shortest_circle(knot, &component))
            .map(|chain| chain.into_iter().map(|t| self.task_id(t).to_string()).collect())
            .collect();
        chains.sort();
        chains.truncate(SHOWN);
        Some(CycleReport { unbuildable: self.never_start(), chains })
    }

    /// The shortest way from the first task of a component back to itself.
    fn shortest_circle(&self, knot: &[TaskIx], component: &[u32]) -> Option<Vec<TaskIx>> {
        let start = *knot.first()?;
        let home = component[start.0 as usize];
        let mut came_from: Vec<Option<TaskIx>> = vec![None; self.len()];
        let mut queue = std::collections::VecDeque::from([start]);
        while let Some(task) = queue.pop_front() {
            for dep in self.deps(task).filter(|d| component[d.0 as usize] == home) {
                if dep == start {
                    let mut chain = vec![task];
                    while let Some(before) = came_from[chain[chain.len() - 1].0 as usize] {
                        chain.push(before);
                    }
                    chain.reverse();
                    return Some(chain);
                }
                if came_from[dep.0 as usize].is_none() {
                    came_from[dep.0 as usize] = Some(task);
                    queue.push_back(dep);
                }
            }
        }
        None
    }

    fn never_start(&self) -> usize {
        let dependents = self.reversed();
        let mut waiting: Vec<usize> = self.tasks().map(|t| self.deps(t).len()).collect();
        let mut ready: Vec<u32> = self.tasks().map(|t| t.0).filter(|&t| waiting[t as usize] == 0).collect();
        let mut started = 0;
        while let Some(task) = ready.pop() {
            started += 1;
            for &next in dependents.row(task) {
                waiting[next as usize] -= 1;
                if waiting[next as usize] == 0 {
                    ready.push(next);
                }
            }
        }
        self.len() - started
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::tests::drawn;

    #[test]
    fn a_circle_is_shown_as_a_chain() {
        assert!(drawn("a>b").cycles().is_none());
        let report = drawn("a>b b>c c>a x>a d>e e>e").cycles().unwrap();
        assert_eq!(report.unbuildable, 6);
        assert_eq!(report.chains, [vec!["/r.bb:do_a", "/r.bb:do_b", "/r.bb:do_c"], vec!["/r.bb:do_e"]]);
        assert!(report.to_string().contains("task /r.bb:do_c depends on /r.bb:do_a"));
    }
}
