//! Providers, task graph, signatures and siginfo files.
//!
//! Pure functions over evaluated recipes: which recipe provides a name
//! ([`ProviderIndex`]), which recipes targets need ([`Resolution`]), which
//! tasks have to run in which order ([`TaskGraph`]), and with which hashes.

mod choose;
mod components;
mod config;
mod conflict;
mod cycle;
mod dot;
mod edges;
mod error;
mod explain;
mod graph;
mod index;
mod names;
mod prune;
mod recursion;
mod resolve;
mod siginfo;
mod sign;
mod similar;
mod target;
mod version;
mod words;

pub use choose::{Choice, ProviderNotice};
pub use components::components;
pub use config::{ConfigVars, MapConfig};
pub use cycle::CycleReport;
pub use dot::{pn_buildlist, task_depends, task_label};
pub use edges::GraphOptions;
pub use error::{Conflict, ConflictingProvider, GraphError, Missing};
pub use explain::{
    Affected, Cause, Change, Reason, Rebuild, SigFinder, Why, affected_recipes, rebuilds, tasks_reading,
    tasks_using, why,
};
pub use graph::{EdgeKinds, GraphBuilder, Rows, TaskGraph, TaskIx};
pub use index::{ProviderIndex, Recipe, RecipeIx};
pub use names::Names;
pub use resolve::{Resolution, ResolveOptions};
pub use siginfo::{
    Color, SigRuntime, SigValue, Siginfo, SiginfoError, TaskText, compare, compress_siginfo, dump,
    is_siginfo_of, read_siginfo, sigbasedata_path, sigdata_path, siginfo_from_bytes, siginfo_json,
    siginfo_to_bytes, write_siginfo,
};
pub use sign::{
    BaseHash, ChecksumWarning, DependencyFilter, DropReason, FileChecksum, FileChecksums, InvalidFileFlag,
    InvalidHash, KeepAll, LockedMismatch, LockedSignatures, MalformedLock, NoEquivalence, OeFilter,
    SignError, SignInputs, Signatures, SignedEdge, Taint, TaskHash, TaskSignature, UniHash, UniHashQuery,
    UniHashSource, checksum_entries, hash_task, sign,
};
pub use similar::close_matches;
pub use target::{Target, task_name};
pub use version::{Version, compare_part, matches_wanted};
