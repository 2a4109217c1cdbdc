//! Running a task, and writing signature files, in a process that holds the recipe.

use bitzel_recipe::protocol::{SignatureOrder, TaskEnd, TaskOrder};
use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;
use std::os::unix::net::UnixStream;

/// Runs a task in a process of its own; its events go to `stream`.
pub(crate) fn run(_py: Python<'_>, order: &TaskOrder, _stream: &UnixStream) -> PyResult<TaskEnd> {
    Err(PyNotImplementedError::new_err(format!("running {}", order.task)))
}

/// Writes the signature files of tasks of one recipe.
pub(crate) fn write_signatures(_py: Python<'_>, order: &SignatureOrder) -> PyResult<()> {
    Err(PyNotImplementedError::new_err(format!("signatures of {}", order.address.recipe.path)))
}
