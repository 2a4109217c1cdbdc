//! Project files to and from the JSON configurations of bitbake-setup.
//!
//! Each form has things the other has no word for; what is lost is told.

mod from_setup;
mod to_setup;

pub use from_setup::{SetupChoice, from_setup};
pub use to_setup::to_setup;
