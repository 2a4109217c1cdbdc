//! What the user asked of the run queue.

use globset::GlobSet;
use rustc_hash::FxHashMap;

/// How to go through the graph.
#[derive(Clone, Debug, Default)]
pub struct QueueOptions {
    /// `-k`: go on as far as possible after a failure.
    pub keep_going: bool,
    /// `--no-setscene`: restore nothing, what was restored before does not count.
    pub no_setscene: bool,
    /// `--skip-setscene`: restore nothing more.
    pub skip_setscene: bool,
    /// `--setscene-only`: run setscene tasks only.
    pub setscene_only: bool,
    /// BB_SETSCENE_ENFORCE with the globs of BB_SETSCENE_ENFORCE_IGNORE_TASKS (`PN:TASK`):
    /// no real task may run but these, and these are only gone through.
    pub enforce: Option<GlobSet>,
    /// Hash equivalence is on: hashes may change while tasks run, so nothing starts above a
    /// restored task before all below it is settled.
    pub equivalence: bool,
    /// `[number_threads]` by task name.
    pub task_limits: FxHashMap<String, usize>,
}
