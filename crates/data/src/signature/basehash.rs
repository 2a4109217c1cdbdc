//! The names that tasks reach, and the hash over all that is hashed for them.

use super::dependencies::Node;
use super::signatures::hashed_text;
use crate::context::Context;
use crate::symbol::Sym;
use crate::value::Value;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::rc::Rc;

/// All names that tasks reach, as ranks in their sorted order.
pub(crate) struct Closure {
    pub(crate) names: Vec<Rc<str>>,
    /// Sorted, without names that do not count.
    pub(crate) dependencies: Vec<Vec<u32>>,
    pub(crate) values: Vec<Option<Value>>,
    pub(crate) tasks: Vec<u32>,
}

impl Closure {
    pub(crate) fn new(nodes: FxHashMap<Sym, Node>, tasks: &[Sym], context: &Context) -> Closure {
        let mut sorted: Vec<(Rc<str>, Sym, Node)> =
            nodes.into_iter().map(|(sym, node)| (context.name(sym), sym, node)).collect();
        sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let ranks: FxHashMap<Sym, u32> =
            sorted.iter().zip(0u32..).map(|((_, sym, _), rank)| (*sym, rank)).collect();
        let mut closure = Closure {
            names: Vec::with_capacity(sorted.len()),
            dependencies: Vec::with_capacity(sorted.len()),
            values: Vec::with_capacity(sorted.len()),
            tasks: tasks.iter().map(|task| ranks[task]).collect(),
        };
        for (name, _, node) in sorted {
            let mut dependencies: Vec<u32> = node.dependencies.iter().map(|dep| ranks[dep]).collect();
            dependencies.sort_unstable();
            closure.names.push(name);
            closure.dependencies.push(dependencies);
            closure.values.push(node.value);
        }
        closure
    }
}

/// Base hashes of the tasks of a closure, in hex: the task's value, then name and value
/// of all it reaches, in sorted order; nothing for a value that is not there.
pub(crate) fn base_hashes(closure: &Closure) -> Vec<String> {
    // Names and values behind one another: neighbours are hashed in one go.
    let mut text = Vec::new();
    let mut starts = Vec::with_capacity(closure.names.len() + 1);
    let mut values = Vec::with_capacity(closure.names.len());
    for (name, value) in closure.names.iter().zip(&closure.values) {
        starts.push(text.len());
        text.extend_from_slice(name.as_bytes());
        values.push(text.len());
        if let Some(value) = value {
            text.extend_from_slice(hashed_text(value).as_bytes());
        }
    }
    starts.push(text.len());
    let mut reach = Reach::new(closure);
    closure
        .tasks
        .iter()
        .map(|&task| {
            let own = task as usize;
            let mut hash = Sha256::new();
            hash.update(&text[values[own]..starts[own + 1]]);
            let reached = reach.of(task);
            let mut rank = 0;
            while rank < reached.len() {
                if !reached[rank] {
                    rank += 1;
                    continue;
                }
                let first = rank;
                while rank < reached.len() && reached[rank] {
                    rank += 1;
                }
                hash.update(&text[starts[first]..starts[rank]]);
            }
            hex(&hash.finalize())
        })
        .collect()
}

/// Finds what a task reaches.
struct Reach<'c> {
    closure: &'c Closure,
    reached: Vec<bool>,
    waiting: Vec<u32>,
}

impl<'c> Reach<'c> {
    fn new(closure: &'c Closure) -> Reach<'c> {
        Reach { closure, reached: vec![false; closure.names.len()], waiting: Vec::new() }
    }

    /// For each rank, whether `task` reaches it; itself only by way of others.
    fn of(&mut self, task: u32) -> &[bool] {
        self.reached.fill(false);
        self.waiting.push(task);
        while let Some(name) = self.waiting.pop() {
            for &dependency in &self.closure.dependencies[name as usize] {
                if !std::mem::replace(&mut self.reached[dependency as usize], true) {
                    self.waiting.push(dependency);
                }
            }
        }
        &self.reached
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
    }
    out
}
