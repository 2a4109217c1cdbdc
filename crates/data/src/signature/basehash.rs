//! The names that tasks reach, and the hash over all that is hashed for them.

use super::dependencies::Node;
use super::signatures::hashed_text;
use crate::context::Context;
use crate::symbol::Sym;
use crate::value::Value;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::fmt::Write;
use std::rc::Rc;

/// All names that tasks reach, as ranks in their sorted order.
pub(crate) struct Closure {
    pub(crate) names: Vec<Rc<str>>,
    /// Of each name in turn, in no order, without names that do not count; some may be there twice.
    dependencies: Vec<u32>,
    /// Where those of each name begin, and where the last end.
    starts: Vec<u32>,
    pub(crate) values: Vec<Option<Value>>,
    pub(crate) tasks: Vec<u32>,
}

impl Closure {
    /// Of nodes in any order; `places` says where each is among them.
    pub(crate) fn new(nodes: Vec<(Sym, Node)>, places: &Places, tasks: &[Sym], context: &Context) -> Closure {
        let mut sorted: Vec<(u64, Rc<str>, Node, u32)> = Vec::with_capacity(nodes.len());
        let mut total = 0;
        for ((sym, node), place) in nodes.into_iter().zip(0..) {
            let name = context.name(sym);
            total += node.shared.len() + node.own.len();
            sorted.push((first_bytes(&name), name, node, place));
        }
        sorted.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let mut ranks = vec![0; sorted.len()];
        for ((.., place), rank) in sorted.iter().zip(0..) {
            ranks[*place as usize] = rank;
        }
        let rank = |sym: Sym| ranks[places.of(sym).expect("what is reached has a node") as usize];
        let mut closure = Closure {
            names: Vec::with_capacity(sorted.len()),
            dependencies: Vec::with_capacity(total),
            starts: Vec::with_capacity(sorted.len() + 1),
            values: Vec::with_capacity(sorted.len()),
            tasks: tasks.iter().map(|&task| rank(task)).collect(),
        };
        for (_, name, node, _) in sorted {
            closure.names.push(name);
            closure.begin();
            closure.dependencies.extend(node.dependencies().map(rank));
            closure.values.push(node.value);
        }
        closure.begin();
        closure
    }

    fn begin(&mut self) {
        self.starts.push(u32::try_from(self.dependencies.len()).expect("fewer than 2^32 dependencies"));
    }

    /// Ranks of the names that the one of this rank depends on, in no order; some may be there twice.
    pub(crate) fn dependencies(&self, rank: usize) -> &[u32] {
        &self.dependencies[self.starts[rank] as usize..self.starts[rank + 1] as usize]
    }
}

/// Numbers in the order of the names' first eight bytes: most comparisons need no more.
fn first_bytes(name: &str) -> u64 {
    let mut bytes = [0; 8];
    let length = name.len().min(8);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    u64::from_be_bytes(bytes)
}

/// Which names have been met, and where their nodes are. Kept between signings: a table of all names
/// of the process costs less than one made for each recipe.
#[derive(Default)]
pub(crate) struct Places(Vec<u32>);

impl Places {
    const UNKNOWN: u32 = u32::MAX;
    const MET: u32 = u32::MAX - 1;

    /// Notes a name. Was it not met before?
    pub(crate) fn meet(&mut self, sym: Sym) -> bool {
        let number = sym.0 as usize;
        if number >= self.0.len() {
            self.0.resize(number + 1, Places::UNKNOWN);
        }
        let unknown = self.0[number] == Places::UNKNOWN;
        if unknown {
            self.0[number] = Places::MET;
        }
        unknown
    }

    /// The node of a name that was met is at `place`.
    pub(crate) fn put(&mut self, sym: Sym, place: u32) {
        self.0[sym.0 as usize] = place;
    }

    /// Where a name's node is.
    fn of(&self, sym: Sym) -> Option<u32> {
        self.0.get(sym.0 as usize).copied().filter(|place| *place < Places::MET)
    }

    /// Forgets these names.
    pub(crate) fn forget<'s>(&mut self, syms: impl Iterator<Item = &'s Sym>) {
        for sym in syms {
            self.0[sym.0 as usize] = Places::UNKNOWN;
        }
    }
}

/// Base hashes of the tasks of a closure, in hex: the task's value, then name and value
/// of all it reaches, in sorted order; nothing for a value that is not there.
pub(crate) fn base_hashes(closure: &Closure) -> Vec<String> {
    // Names and values behind one another: neighbours are hashed in one go.
    let lengths = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map_or(0, |text| text.len());
    let total: usize =
        closure.names.iter().zip(&closure.values).map(|(name, value)| name.len() + lengths(value)).sum();
    let mut text = Vec::with_capacity(total);
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
    let mut hashes = Vec::with_capacity(closure.tasks.len());
    for tasks in closure.tasks.chunks(TASKS) {
        let reached = reached_by(closure, tasks);
        for (bit, &task) in tasks.iter().enumerate() {
            let own = task as usize;
            let mut hash = Sha256::new();
            hash.update(&text[values[own]..starts[own + 1]]);
            let mut rank = 0;
            while rank < reached.len() {
                let first = rank;
                while rank < reached.len() && reached[rank] >> bit & 1 == 1 {
                    rank += 1;
                }
                hash.update(&text[starts[first]..starts[rank]]);
                rank += 1;
            }
            hashes.push(hex(&hash.finalize()));
        }
    }
    hashes
}

/// How many tasks are followed at a time.
const TASKS: usize = 64;

/// For each rank, which of at most [`TASKS`] tasks reach it, a bit for each; themselves only by way of
/// others.
fn reached_by(closure: &Closure, tasks: &[u32]) -> Vec<u64> {
    let mut reached = vec![0; closure.names.len()];
    let mut waits = vec![false; closure.names.len()];
    // Who begins, and then all whose bits became more.
    let mut waiting: VecDeque<(u32, Option<u64>)> =
        tasks.iter().enumerate().map(|(bit, &task)| (task, Some(1 << bit))).collect();
    while let Some((rank, own)) = waiting.pop_front() {
        let bits = own.unwrap_or_else(|| {
            waits[rank as usize] = false;
            reached[rank as usize]
        });
        for &next in closure.dependencies(rank as usize) {
            let at = next as usize;
            if reached[at] | bits != reached[at] {
                reached[at] |= bits;
                if !std::mem::replace(&mut waits[at], true) {
                    waiting.push_back((next, None));
                }
            }
        }
    }
    reached
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
    }
    out
}
