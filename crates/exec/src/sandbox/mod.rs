//! The sandbox: namespaces, file tree, hardening, and the process that holds
//! a task. Entry points are in `launch`.

mod attendant;
mod beside;
mod filter;
mod ground;
mod harden;
pub(crate) mod ids;
mod init;
mod launch;
mod mounts;
pub(crate) mod namespaces;
mod observe;
mod program;
mod run;
mod setup;
mod supervise;
pub(crate) mod sys;
mod syscalls;
mod watch;

pub use attendant::Attendant;
pub(crate) use attendant::Caller;
pub(crate) use launch::LANDLOCK_SCOPES;
pub use launch::{Sandbox, SandboxConfig, TaskIo};
pub use syscalls::refused_syscalls;
pub(crate) use syscalls::{Refused, When, refused};
