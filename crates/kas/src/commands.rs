//! The commands, one file each.

pub mod build;
pub mod checkout;
pub mod clean;
pub mod convert;
pub mod diff;
pub mod dump;
pub mod for_all_repos;
pub mod lock;
pub mod menu;
pub mod shell;
pub mod why;
