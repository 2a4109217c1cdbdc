//! YAML as PyYAML reads and writes it: YAML 1.1 scalars, merge keys, the last
//! of two equal keys wins, and PyYAML's layout on the way out.

mod compose;
mod construct;
mod emit;
mod represent;
mod scalar;
mod style;
mod write;

pub use compose::{Document, Locations, MAX_BYTES, YamlError, parse};
pub use emit::{EmitOptions, emit};
