//! Runs tasks: the [`Executor`] trait, a sandbox of Linux namespaces, limits
//! of resources, and the report of what a host can enforce.
//!
//! A task is described by a [`TaskSpec`] and ends as a [`TaskOutcome`]; a task
//! that fails is no error. Shell tasks go through [`LocalExecutor`], whose
//! small helper processes are the same program started with a private first
//! argument (see [`helper_main`]); a single-threaded runner that has forked
//! itself off uses [`Sandbox::call`]. Both run the same code.
//!
//! Nothing here reads environment variables or has state of its own.

mod cgroup;
mod doctor;
mod error;
mod executor;
mod helper;
mod limits;
mod oci;
mod outcome;
mod plan;
mod policy;
mod sandbox;
mod settings;
mod share;
mod spec;
mod view;

pub use cgroup::{Controller, Controllers, Version};
pub use doctor::{Check, DoctorReport, State, examine};
pub use error::Error;
pub use executor::{Cancel, Executor, LocalExecutor};
pub use helper::{HELPER_ARGUMENT, helper_main, run_in_terminal};
pub use limits::{Limits, Resource};
pub use oci::export_bundle;
pub use outcome::{ExitStatus, LimitHit, Refusal, RefusalKind, TaskOutcome, Usage};
pub use policy::{Exception, POLICY_FILE, Policy};
pub use sandbox::{Attendant, Sandbox, SandboxConfig, TaskIo, refused_syscalls};
pub use settings::{LIST_VARIABLES, MODE_VARIABLE, SandboxSettings};
pub use spec::{Access, Fakeroot, Identity, Mode, Network, TaskSpec};
pub use view::HostView;
