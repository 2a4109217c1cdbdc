//! What is kept of a build: which tasks ran, how long, with what result; and what follows
//! from that, the critical path and a trace for Chrome's viewer.

mod build_record;
mod critical_path;
mod recorder;
mod trace;

pub use build_record::{BuildRecord, TaskFate, TaskRecord, folder};
pub use recorder::Recorder;

/// Milliseconds as seconds, to show them.
pub fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
