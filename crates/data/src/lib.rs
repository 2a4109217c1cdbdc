//! The datastore: variables with overrides, modifiers and flags, their expansion,
//! and where each value came from.
//!
//! Values are cached together with the variables they were computed from, so a
//! write invalidates what depends on it and nothing else. The store runs no Python
//! itself: `${@...}` goes through the [`Interp`] it was given. It never touches
//! files or the network.

mod cache;
mod context;
mod digest;
mod error;
mod expand;
mod flags;
mod history;
mod modify;
mod overrides;
mod read;
mod renamed;
mod signature;
mod store;
mod symbol;
mod template;
mod value;
mod var;

pub use context::{Context, Interp, Lifetime, LogLevel, NoPython, PythonFailure};
pub use error::{Error, Result};
pub use history::{History, HistoryEvent, IncludeHistory, IncludeNode};
pub use modify::SetInfo;
pub use read::{ReadOptions, Unexpanded};
pub use signature::{Library, SignatureCache, Signatures, sign};
pub use store::DataStore;
pub use symbol::Sym;
pub use value::Value;
