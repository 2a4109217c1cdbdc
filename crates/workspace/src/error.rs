//! Why a build directory cannot be used.

use bitzel_base::ErrorKind;

/// The crate's results.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a build directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The working directory cannot be read.
    #[error("the working directory is gone: {0}; change to a build directory")]
    NoDirectory(std::io::Error),
    /// A host said no or died.
    #[error(transparent)]
    Host(#[from] bitzel_host::Error),
}

impl Error {
    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::NoDirectory(_) => ErrorKind::Environment,
            Error::Host(error) => error.kind(),
        }
    }
}
