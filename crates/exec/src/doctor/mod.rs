//! What this host can enforce, what it cannot, and how to enable the rest.

mod checks;
mod report;

pub use checks::examine;
pub use report::{Check, DoctorReport, State};
