//! Why a siginfo file cannot be read or written.

use bitzel_base::ErrorKind;
use std::io;

/// Each variant names the file.
#[derive(Debug, thiserror::Error)]
pub enum SiginfoError {
    /// The file cannot be opened, read or written.
    #[error("`{path}`: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no zstd frame, or only the beginning of one.
    #[error(
        "`{path}` is no complete zstd file ({source}); siginfo files of BitBake before 2.0 cannot be read"
    )]
    NotZstd {
        /// The file.
        path: String,
        /// What the decoder says.
        source: io::Error,
    },
    /// The content has more bytes than any signature has.
    #[error("`{path}` unpacks to more than {limit} bytes, which no signature does")]
    TooLarge {
        /// The file.
        path: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// The content is no signature.
    #[error("`{path}` holds no signature: {source}")]
    Format {
        /// The file.
        path: String,
        /// Where and why.
        source: serde_json::Error,
    },
}

impl SiginfoError {
    /// Unreadable files are the environment's, foreign ones the user's.
    pub fn kind(&self) -> ErrorKind {
        match self {
            SiginfoError::Io { .. } => ErrorKind::Environment,
            _ => ErrorKind::Input,
        }
    }
}
