//! kas commands run as a program on projects made on the fly: what they do is
//! compared with what kas 5.4 was recorded to do, and hostile projects are
//! refused without traces. git is needed, kas and the network are not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bitzel_only;
mod build_systems;
mod buildtools;
mod credentials;
mod hg;
mod hostile;
mod interruption;
mod menu;
mod provenance;
mod recorded;
mod repos;
mod signatures;
mod world;
