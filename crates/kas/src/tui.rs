//! The menu on the terminal.

mod draw;
mod state;

pub use state::{Action, show};
