//! Asking who knows which tasks give the same output.

use crate::graph::TaskIx;
use crate::sign::hashes::{TaskHash, UniHash};

/// A task whose unihash is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniHashQuery {
    /// The task.
    pub task: TaskIx,
    /// Its hash.
    pub task_hash: TaskHash,
}

/// Knows which tasks give the same output: a hash equivalence server.
pub trait UniHashSource {
    /// The unihash of each task, `None` where none is known. As many answers as
    /// questions, in their order. A source that fails answers `None`.
    fn unihashes(&mut self, queries: &[UniHashQuery]) -> Vec<Option<UniHash>>;
}

/// No hash equivalence: every unihash is the task hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEquivalence;

impl UniHashSource for NoEquivalence {
    fn unihashes(&mut self, queries: &[UniHashQuery]) -> Vec<Option<UniHash>> {
        vec![None; queries.len()]
    }
}
