//! Helper processes: small and single-threaded, each runs one task at a time on
//! behalf of a large one, so that starting a task costs the same whatever the
//! memory and the threads of the program that builds.
//!
//! The helper is the same program, started anew with [`HELPER_ARGUMENT`] first.

mod client;
mod server;
mod terminal;
mod wire;

pub(crate) use client::{Helper, outcome};
pub use server::helper_main;
pub use terminal::run_in_terminal;

/// First argument that makes a program call [`helper_main`] with the rest.
pub const HELPER_ARGUMENT: &str = "__sandbox";
