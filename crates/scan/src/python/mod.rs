//! Python: which variables, flags and functions code refers to, found in its syntax tree.

mod calls;
mod constant;
mod expansion;
mod finds;
mod module;
mod source;

pub use finds::{CallFinds, CallVisitor, NoVisitor, PythonRefs, scan_python, scan_python_with};
pub use module::{ModuleFunction, scan_module};
