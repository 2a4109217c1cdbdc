//! What the run queue asks of the world around it. Tests bring their own.

use crate::Result;
use crate::queue::table::TaskTable;
use bitzel_taskgraph::TaskIx;
use std::time::SystemTime;

/// Stamps on disk and the metadata's own functions.
pub trait World {
    /// When a stamp was written; `None` if it is not there.
    fn modified(&mut self, stamp: &str) -> Option<SystemTime>;

    /// Which of these tasks can be restored (BB_HASHCHECK_FUNCTION). `current` is how many
    /// setscene tasks need no restoring.
    fn restorable(&mut self, table: &TaskTable<'_>, tasks: &[TaskIx], current: usize) -> Result<Vec<bool>>;

    /// Whether a restorable task is not needed where all of `dependents` are restored
    /// (BB_SETSCENE_DEPVALID). `not_needed` are those found not to be needed so far.
    fn dispensable(
        &mut self,
        table: &TaskTable<'_>,
        task: TaskIx,
        dependents: &[TaskIx],
        not_needed: &[TaskIx],
    ) -> Result<bool>;
}
