//! What can go wrong with host processes.

use bitzel_base::ErrorKind;
use bitzel_recipe::protocol::Failure;
use std::path::PathBuf;

/// Result of talking to hosts.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors of starting and asking hosts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No interpreter.
    #[error("no `python3` in PATH; metadata needs Python 3.9 or newer (Debian: apt-get install python3)")]
    NoPython,
    /// The interpreter ended at once: it is older than 3.9.
    #[error("this `python3` is too old; metadata needs Python 3.9 or newer: put one first in PATH")]
    OldPython,
    /// The interpreter does not start.
    #[error("cannot start `{program}`: {cause}")]
    Start {
        /// What was to be run.
        program: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// What hosts need cannot be unpacked.
    #[error("cannot write `{path}`: {cause}; set XDG_CACHE_HOME to a folder that can be written to")]
    Unpack {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The process is gone.
    #[error("the Python host process ended unexpectedly ({0}); run again, and report it if it happens again")]
    Died(String),
    /// The host answered with an error.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// The host answered something else than was asked.
    #[error("the Python host process gave an unexpected answer")]
    Confused,
    /// A thread that watches a process panicked.
    #[error("a thread that watches a Python host process panicked; report it with the text above")]
    Panicked,
}

impl Error {
    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Failed(failure) => failure.kind,
            Error::Confused | Error::Panicked => ErrorKind::Internal,
            _ => ErrorKind::Environment,
        }
    }
}
