//! Base hashes: what a recipe's tasks depend on within the recipe, and the hash of it all.
//!
//! BitBake: `generate_dependencies` and the base hash (feature: signatures). The texts
//! hashed are those before expansion, so that paths and dates do not count; what they
//! refer to counts in turn.

mod basehash;
mod dependencies;
mod filters;
mod finds;
mod known;
mod library;
mod references;
mod signatures;
#[cfg(test)]
mod tests;

pub(crate) use filters::FilterState;
pub use library::Library;
pub use signatures::{SignatureCache, Signatures, sign};
