//! The errors of this library. A task that fails is no error: see [`crate::TaskOutcome`].

use bitzel_base::ErrorKind;
use std::io;
use std::path::PathBuf;

/// What keeps a task from being run at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The description of a task is not usable.
    #[error("task `{task}`: {message}")]
    Spec {
        /// The task's name.
        task: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A step of building the sandbox failed; the task did not start.
    #[error("task `{task}`: sandbox: {step}: {source}{}", remedy_suffix(.remedy))]
    Setup {
        /// The task's name.
        task: String,
        /// What was tried, with the path concerned.
        step: String,
        /// The kernel's answer.
        source: io::Error,
        /// What the user can do; empty where nothing is known.
        remedy: String,
    },
    /// The task's program could not be executed.
    #[error("task `{task}`: cannot execute `{program}`: {source}")]
    Exec {
        /// The task's name.
        task: String,
        /// First word of the command.
        program: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Isolation was demanded and this host cannot give all of it.
    #[error("this host cannot isolate tasks as demanded: {0}; `bitzel doctor` tells how to enable it")]
    Unavailable(String),
    /// The sandbox helper process is gone or speaks another language.
    #[error("sandbox helper: {0}")]
    Helper(String),
    /// A sandbox policy file is wrong.
    #[error("{}:{line}: {message}", .file.display())]
    Policy {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A `BITZEL_*` variable or task flag holds something unusable.
    #[error("`{name} = \"{value}\"`: {message}")]
    Setting {
        /// Variable, or `task[flag]`.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A file or directory could not be read or written.
    #[error("{action} `{}`: {source}", .path.display())]
    Io {
        /// What was tried: `read`, `create`, ...
        action: &'static str,
        /// The path concerned.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
}

impl Error {
    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Spec { .. } | Error::Policy { .. } | Error::Setting { .. } => ErrorKind::Input,
            Error::Setup { .. } | Error::Exec { .. } | Error::Unavailable(_) | Error::Io { .. } => {
                ErrorKind::Environment
            }
            Error::Helper(_) => ErrorKind::Internal,
        }
    }
}

fn remedy_suffix(remedy: &str) -> String {
    if remedy.is_empty() { String::new() } else { format!("; {remedy}") }
}
