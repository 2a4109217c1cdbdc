//! kas project files, lock files and build directories: read, checked, merged
//! and resolved into repositories, layers and configuration files.
//!
//! Reads files, runs nothing and writes nothing: cloning and checking out is
//! the caller's. kas (MIT, Siemens AG) defines the format; its schema is
//! shipped with its licence beside it.

mod compare;
mod conf;
mod config;
mod convert;
mod error;
mod file;
mod includes;
mod json;
mod kconfig;
mod key;
mod lock;
mod paths;
mod repo;
mod schema;
mod value;
mod yaml;

pub use compare::{Changes, Origin, changes, comparable, origins};
pub use conf::{bblayers_conf, local_conf};
pub use config::{BuildSystem, Config, Environment, Overrides};
pub use convert::{SetupChoice, from_setup, to_setup};
pub use error::{Note, ProjectError};
pub use file::{ConfigFile, Role, lock_path};
pub use includes::{Includes, Loaded, RepoRoots};
pub use json::{emit_json, from_json, parse_json, to_json};
pub use kconfig::{Entry, Kconfig, Kind, NodeId, SymId};
pub use key::Key;
pub use lock::{Floating, LOCK_VERSION, LockEvent, new_lock, update_lock};
pub use paths::{normalise, relative, resolve};
pub use repo::{Layer, PatchEntry, RepoSettings, RepoSpec, Vcs, looks_like_commit, resolve_repo};
pub use schema::{FORMAT_URL, FORMAT_VERSION, OLDEST_FORMAT_VERSION, Problem, Refuses, Schema, closest};
pub use value::{Map, Value, merge};
pub use yaml::{Document, EmitOptions, Locations, YamlError, emit, parse};
