//! Kconfig menus: read, evaluated, and turned into a project file. The
//! language is that of the Linux kernel without commands: nothing is run.

mod condition;
mod eval;
mod lex;
mod menu;
mod parse;
mod tree;

pub use menu::Entry;
pub use tree::{Kconfig, Kind, NodeId, SymId};
