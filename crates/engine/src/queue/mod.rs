//! The run queue: which task may start next, and what follows from its end.

mod current;
mod follow;
mod job;
mod numbers;
mod options;
mod order;
mod rehash;
mod run_queue;
mod scene;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod world;

pub use job::{Ended, Job, Skip, Step};
pub use numbers::Numbers;
pub use options::QueueOptions;
pub use order::{Durations, Scheduler};
pub use run_queue::RunQueue;
pub use state::State;
pub use table::TaskTable;
pub use world::World;
