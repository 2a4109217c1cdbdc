//! Signatures: the hash of a task over its own text, what it depends on and
//! the files it reads.

mod checksum;
mod filter;
mod hashes;
mod locked;
mod taint;
mod taskhash;
mod unihash;

pub use checksum::entries as checksum_entries;
pub(crate) use checksum::hex;
pub use checksum::{ChecksumWarning, FileChecksum, FileChecksums, InvalidFileFlag};
pub use filter::{DependencyFilter, DropReason, KeepAll, OeFilter, SignedEdge};
pub use hashes::{BaseHash, InvalidHash, TaskHash, UniHash};
pub use locked::{LockedMismatch, LockedSignatures, MalformedLock};
pub use taint::Taint;
pub(crate) use taskhash::pn_task;
pub use taskhash::{SignError, SignInputs, Signatures, TaskSignature, hash_task, sign};
pub use unihash::{NoEquivalence, UniHashQuery, UniHashSource};
