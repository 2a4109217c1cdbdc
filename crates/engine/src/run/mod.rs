//! Running the tasks of a plan: processes, orders, events.

mod build;
mod durations;
mod events;
mod interrupt;
mod lead;
mod orders;
mod queue_events;
mod runners;
mod server;
mod settings;
mod stale;
mod stamp;

pub use build::{Build, BuildOptions, Outcome, TaskFailure};
pub use durations::DurationStore;
pub use events::{BuildEvent, Observer};
pub use interrupt::Interrupt;
pub use orders::task_order;
