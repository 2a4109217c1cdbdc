//! The repositories of a project.

mod refs;
mod resolve;
mod spec;

pub use refs::looks_like_commit;
pub use resolve::{RepoSettings, resolve_repo};
pub use spec::{Layer, PatchEntry, RepoSpec, Vcs};
