//! The `kas` commands: a project's repositories checked out, its build
//! directory prepared, bitbake run in it.
//!
//! [`main`] is the whole program, `bitzel kas …` as well as `kas` by name;
//! [`prepare`] does what comes before a build and hands the build directory
//! to the caller. git and hg are run as programs, with the command lines of
//! kas, so that credentials, mirrors and signatures work as they do there.

mod args;
mod attestation;
mod buildtools;
mod cancel;
mod checkout;
mod commands;
mod context;
mod entry;
mod environ;
mod error;
mod fetch;
mod files;
mod glob;
mod gpg;
mod guard;
mod home;
mod log;
mod patches;
mod prepare;
mod process;
mod progress;
mod repository;
mod session;
mod signature;
mod ssh_agent;
mod ssh_keys;
mod steps;
mod tui;
mod vcs;

pub use cancel::Cancel;
pub use context::{Context, Invocation, Managed, RepoOptions};
pub use entry::main;
pub use error::KasError;
pub use log::{Level, Logger};
pub use prepare::{PrepareOptions, PreparedBuildDir, prepare};

/// The version of kas that is matched.
pub const KAS_VERSION: &str = "5.4";
