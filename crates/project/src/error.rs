//! What can be wrong with a project. Where kas has a message for the same
//! case it is worded as kas words it: people search logs for it.

use crate::schema::Problem;
use bitzel_base::ErrorKind;
use std::path::PathBuf;

/// A project that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A project file that cannot be read or parsed.
    #[error("{problem}: {}", file.display())]
    Load {
        /// The project file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A project file that breaks the schema, or that nothing can be made of though it does not.
    #[error("Error(s) occured while validating the config file: {}", file.display())]
    Invalid {
        /// The project file.
        file: PathBuf,
        /// Everything that is wrong with it, in the order of the file.
        problems: Vec<Problem>,
        /// Whether the schema takes it: kas then ends in a traceback.
        in_schema: bool,
    },
    /// An include that cannot be followed.
    #[error("{0}")]
    Include(String),
    /// A repository entry that cannot be used.
    #[error("{0}")]
    Repo(String),
    /// A Kconfig file that cannot be used.
    #[error("{}:{line}: {problem}", file.display())]
    Kconfig {
        /// The Kconfig file.
        file: PathBuf,
        /// Counted from 1.
        line: u32,
        /// What is wrong.
        problem: String,
    },
    /// A bitbake-setup configuration or a conversion that cannot be done.
    #[error("{0}")]
    Convert(String),
}

impl ProjectError {
    /// Who has to act: always the author of the project.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }

    /// The same error with its project file called `name`.
    pub fn with_file_named(self, name: &str) -> ProjectError {
        match self {
            ProjectError::Load { problem, .. } => ProjectError::Load { file: name.into(), problem },
            ProjectError::Invalid { problems, in_schema, .. } => {
                ProjectError::Invalid { file: name.into(), problems, in_schema }
            }
            other => other,
        }
    }
}

/// Something worth telling that is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Shown by default.
    Info(String),
    /// Shown by default, marked.
    Warning(String),
}
