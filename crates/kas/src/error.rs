//! What can go wrong in a kas command, and the exit code that follows.

use bitzel_base::ErrorKind;
use bitzel_project::ProjectError;
use std::path::PathBuf;

/// A command that could not do its work. Where kas has a message for the same
/// case it is worded as kas words it.
#[derive(Debug, thiserror::Error)]
pub enum KasError {
    /// The project is wrong.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The arguments, the environment or the repositories are wrong.
    #[error("{0}")]
    User(String),
    /// A program answered with an error.
    #[error("Command \"{command}\" failed with error {code}")]
    Command {
        /// The program and its arguments.
        command: String,
        /// Its exit code, negative for a signal.
        code: i32,
        /// The exit code becomes that of the kas command (`shell`).
        forward: bool,
    },
    /// A program could not be started.
    #[error("`{program}` cannot be started in `{}`: {source}", dir.display())]
    Start {
        /// The program.
        program: String,
        /// Where it was to run.
        dir: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Something the command needs is not there.
    #[error("{0}")]
    Environment(String),
    /// SIGINT or SIGTERM.
    #[error("kas execution cancelled")]
    Cancelled,
}

impl KasError {
    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            KasError::Project(error) => error.kind(),
            KasError::User(_) | KasError::Command { .. } | KasError::Cancelled => ErrorKind::Input,
            KasError::Start { .. } | KasError::Io { .. } | KasError::Environment(_) => ErrorKind::Environment,
        }
    }

    /// The exit code, as kas has it: 2 for the user's errors and failed
    /// programs, 1 where the machine is in the way or kas ends in a
    /// traceback, 130 when interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            KasError::Cancelled => 130,
            KasError::Command { code, forward: true, .. } => (*code & 0xff) as u8,
            KasError::Project(ProjectError::Invalid { in_schema: true, .. }) => 1,
            _ if self.kind() == ErrorKind::Environment => 1,
            _ => 2,
        }
    }
}

/// Adds what was tried to an i/o error.
pub(crate) trait IoContext<T> {
    fn doing(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, KasError>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn doing(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, KasError> {
        self.map_err(|source| KasError::Io { action, path: path.into(), source })
    }
}
