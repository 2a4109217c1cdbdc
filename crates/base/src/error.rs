//! Who has to act on an error. Every library error answers with one of these.

use serde::{Deserialize, Serialize};

/// Classifies an error by who must act on it; the exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorKind {
    /// The user's files or arguments are wrong.
    Input,
    /// The machine is: missing tools, permissions, a full disk, the network.
    Environment,
    /// A broken invariant of bitzel itself.
    Internal,
}
