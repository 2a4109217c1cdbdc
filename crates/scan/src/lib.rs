//! Which variables and functions a piece of shell or Python code refers to.
//!
//! What is found goes into signatures, so the rule is not "what the code really
//! refers to" but "what BitBake finds", blind spots included. Both scanners are
//! pure functions of a text and a [`CompatLevel`](bitzel_base::CompatLevel);
//! whoever calls them keeps results by text.

mod error;
mod python;
mod shell;

pub use error::ScanError;
pub use python::{
    CallFinds, CallVisitor, ModuleFunction, NoVisitor, PythonRefs, scan_module, scan_python, scan_python_with,
};
pub use shell::{ShellRefs, scan_shell};
