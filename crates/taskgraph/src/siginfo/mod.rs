//! Siginfo and sigdata files: everything a task's hashes were made of, and
//! what differs between two of them.

mod diff;
mod dump;
mod error;
mod file;
mod record;
mod textdiff;

pub use diff::{Color, compare};
pub use dump::dump;
pub use error::SiginfoError;
pub use file::{
    compress_siginfo, is_siginfo_of, read_siginfo, sigbasedata_path, sigdata_path, siginfo_from_bytes,
    siginfo_json, siginfo_to_bytes, write_siginfo,
};
pub use record::{SigRuntime, SigValue, Siginfo, TaskText};
