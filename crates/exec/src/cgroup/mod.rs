//! Control groups by plain file access: version 2 where a group is delegated
//! to us, version 1 controllers where their directories are writable. Any
//! mixture of both is handled controller by controller.

mod detect;
mod group;

pub use detect::{Controller, Controllers, Version};
pub(crate) use group::{Group, GroupUse, Groups};
