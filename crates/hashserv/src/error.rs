//! What can go wrong between client and server.

use crate::address::{Address, InvalidAddress};
use bitzel_base::ErrorKind;
use std::io;

/// Names the server or the database where there is one.
#[derive(Debug, thiserror::Error)]
pub enum HashservError {
    /// No connection.
    #[error("hash equivalence server {address}: {source}")]
    Connect {
        /// The server.
        address: Address,
        /// What the system says.
        source: io::Error,
    },
    /// The connection broke.
    #[error("connection to the hash equivalence server: {0}")]
    Io(#[from] io::Error),
    /// The connection ended before the answer.
    #[error("the hash equivalence server closed the connection")]
    Closed,
    /// The other side says something the protocol does not have.
    #[error("unexpected message in the hash equivalence protocol: {0}")]
    Protocol(String),
    /// The server refuses.
    #[error("the hash equivalence server refuses: {0}")]
    Refused(String),
    /// The database cannot be used.
    #[error("hash equivalence database: {0}")]
    Database(#[from] rusqlite::Error),
    /// An address that is none.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
}

impl HashservError {
    /// Refusals and addresses are for the user, the rest for the environment.
    pub fn kind(&self) -> ErrorKind {
        match self {
            HashservError::Refused(_) | HashservError::Address(_) => ErrorKind::Input,
            _ => ErrorKind::Environment,
        }
    }
}
