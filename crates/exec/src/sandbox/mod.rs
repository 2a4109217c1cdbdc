//! The sandbox: namespaces, file tree, hardening, and the process that holds
//! a task. Entry points are in `launch`.

mod filter;
mod ground;
mod harden;
pub(crate) mod ids;
mod init;
mod launch;
mod mounts;
mod observe;
mod program;
mod setup;
mod spawned;
mod supervise;
pub(crate) mod sys;
mod syscalls;
mod watch;

pub(crate) use init::Work;
pub(crate) use launch::{LANDLOCK_SCOPES, Running, Trailer, conclude};
pub use launch::{Sandbox, SandboxConfig, TaskIo};
pub use spawned::Spawned;
pub use syscalls::refused_syscalls;
pub(crate) use syscalls::{Refused, When, refused};
