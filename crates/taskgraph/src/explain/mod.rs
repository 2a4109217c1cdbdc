//! Answers in words: why a task runs again, what a change would make run.

mod affected;
mod why;

pub use affected::{Affected, Reason, Rebuild, affected_recipes, rebuilds, tasks_reading, tasks_using};
pub use why::{Cause, Change, SigFinder, Why, why};
