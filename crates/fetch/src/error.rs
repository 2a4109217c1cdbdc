//! What can go wrong while downloading.

use bitzel_base::ErrorKind;
use std::path::PathBuf;
use thiserror::Error;

/// An error of a download. Texts hold no credentials.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL cannot be used.
    #[error("`{url}` is no URL that can be downloaded: {reason}")]
    BadUrl {
        /// As given, without credentials.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server answered with a failure.
    #[error("`{url}` answered {status}{hint}")]
    Status {
        /// Asked for, after redirections.
        url: String,
        /// HTTP status.
        status: u16,
        /// What to do about it, empty or beginning with a colon.
        hint: &'static str,
    },
    /// No answer, or one that broke off.
    #[error("`{url}` could not be read: {reason}")]
    Network {
        /// Asked for, after redirections.
        url: String,
        /// The cause.
        reason: String,
    },
    /// More redirections than a server has reason for.
    #[error("`{url}` redirects too often")]
    Redirects {
        /// Where it began.
        url: String,
    },
    /// The settings of the connection make no sense.
    #[error("{what}: {reason}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The content is not what was expected.
    #[error("`{path}` has {kind} checksum {found}, expected {expected}")]
    Mismatch {
        /// Where it was put aside.
        path: PathBuf,
        /// `md5`, `sha256`, ...
        kind: &'static str,
        /// Of the content.
        found: String,
        /// Of the recipe.
        expected: String,
        /// All checksums of the content.
        computed: Box<crate::Checksums>,
    },
    /// The file system refused.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Somebody asked to stop.
    #[error("the download was interrupted")]
    Interrupted,
}

impl FetchError {
    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            FetchError::BadUrl { .. } | FetchError::Mismatch { .. } | FetchError::Setting { .. } => {
                ErrorKind::Input
            }
            FetchError::Status { .. }
            | FetchError::Network { .. }
            | FetchError::Redirects { .. }
            | FetchError::Io { .. }
            | FetchError::Interrupted => ErrorKind::Environment,
        }
    }

    /// Whether trying again may help: broken connections and overloaded servers, not refusals.
    pub fn is_transient(&self) -> bool {
        match self {
            FetchError::Network { .. } => true,
            FetchError::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> FetchError {
        let path = path.into();
        move |source| FetchError::Io { action, path, source }
    }
}
