//! What can go wrong with a build beyond failing tasks, which are results.

use bitzel_base::ErrorKind;

/// Result of the engine's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a build cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Python host failed or died.
    #[error(transparent)]
    Host(#[from] bitzel_host::Error),
    /// The build directory.
    #[error(transparent)]
    Workspace(#[from] bitzel_workspace::Error),
    /// A host's answer to a question about tasks cannot be read.
    #[error("unexpected answer of `{function}`: {problem}")]
    Answer {
        /// The function asked.
        function: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A variable's value has no meaning.
    #[error("{variable} is `{value}`: {problem}")]
    Setting {
        /// Its name.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong, and what is allowed.
        problem: String,
    },
    /// A file or folder of the build cannot be written.
    #[error("cannot write `{path}`: {cause}")]
    Write {
        /// Its path.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Threads or signals cannot be had.
    #[error("cannot {what}: {cause}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Tasks are left that nothing will ever start.
    #[error("the run queue came to a halt with `{0}` not decided")]
    Stuck(String),
}

impl Error {
    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Host(error) => error.kind(),
            Error::Workspace(error) => error.kind(),
            Error::Setting { .. } => ErrorKind::Input,
            Error::Write { .. } | Error::System { .. } => ErrorKind::Environment,
            Error::Answer { .. } | Error::Stuck(_) => ErrorKind::Internal,
        }
    }
}
