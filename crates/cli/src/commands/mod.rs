//! One file for each command.

pub mod bitbake;
pub mod export;
pub mod getvar;
pub mod kas;
pub mod layers;
pub mod python;
