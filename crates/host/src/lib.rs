//! Python host processes, seen from the command line: unpacking what they need,
//! starting them, asking them, and noticing when they die.
//!
//! Holds no metadata and links no Python.

mod error;
mod payload;
mod process;
mod spread;

pub use error::{Error, Result};
pub use payload::Payload;
pub use process::{Channel, HangUp, Host, HostOptions};
