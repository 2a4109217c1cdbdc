//! The scanners, and what of the datastore signatures need, for `bb.codeparser` and `bb.data`.

use crate::datasmart::DataSmart;
use crate::failure::OrRaise;
use crate::functions::set_of;
use crate::session::Session;
use bitzel_scan::{NoVisitor, PythonRefs, ScanError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet, PyTuple};

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(scan_python, module)?)?;
    module.add_function(wrap_pyfunction!(scan_shell, module)?)?;
    module.add_function(wrap_pyfunction!(scan_module, module)?)?;
    module.add_function(wrap_pyfunction!(removes, module)?)?;
    Ok(())
}

fn raise(error: &ScanError) -> PyErr {
    match error {
        ScanError::PythonSyntax { .. } => pyo3::exceptions::PySyntaxError::new_err(error.to_string()),
        ScanError::ShellArithmetic => pyo3::exceptions::PyNotImplementedError::new_err(error.to_string()),
        _ => pyo3::exceptions::PyValueError::new_err(error.to_string()),
    }
}

fn refs_to_python<'py>(py: Python<'py>, refs: &PythonRefs) -> PyResult<[Bound<'py, PyAny>; 4]> {
    let contains = PyDict::new(py);
    for (name, words) in &refs.contains {
        contains.set_item(&**name, set_of(py, words)?)?;
    }
    Ok([
        set_of(py, &refs.references)?.into_any(),
        set_of(py, &refs.execs)?.into_any(),
        contains.into_any(),
        set_of(py, &refs.var_execs)?.into_any(),
    ])
}

/// What Python code refers to: (references, execs, contains, var_execs).
#[pyfunction]
fn scan_python<'py>(py: Python<'py>, code: &str) -> PyResult<Bound<'py, PyTuple>> {
    let level = Session::of(py)?.borrow().context.level();
    let refs = bitzel_scan::scan_python(code, level).map_err(|error| raise(&error))?;
    PyTuple::new(py, refs_to_python(py, &refs)?)
}

/// Commands a shell script runs that it does not define, and those it defines.
#[pyfunction]
fn scan_shell<'py>(py: Python<'py>, code: &str) -> PyResult<(Bound<'py, PySet>, Bound<'py, PySet>)> {
    let level = Session::of(py)?.borrow().context.level();
    let refs = bitzel_scan::scan_shell(code, level).map_err(|error| raise(&error))?;
    Ok((set_of(py, &refs.execs)?, set_of(py, &refs.functions)?))
}

/// The functions of a Python library: (name, references, execs, contains, var_execs, hash).
#[pyfunction]
fn scan_module<'py>(py: Python<'py>, code: &str, namespace: &str) -> PyResult<Bound<'py, PyList>> {
    let level = Session::of(py)?.borrow().context.level();
    let functions =
        bitzel_scan::scan_module(code, namespace, level, &NoVisitor).map_err(|error| raise(&error))?;
    let list = PyList::empty(py);
    for function in &functions {
        let [references, execs, contains, var_execs] = refs_to_python(py, &function.refs)?;
        list.append((&*function.name, references, execs, contains, var_execs, &*function.source_hash))?;
    }
    Ok(list)
}

/// Unexpanded texts of the removals that take something out of a variable's value.
#[pyfunction]
fn removes<'py>(py: Python<'py>, d: &DataSmart, var: &str) -> PyResult<Bound<'py, PySet>> {
    let unexpanded = d.store.get_unexpanded(var).or_raise(py)?;
    let list = d.store.effective_removes(&unexpanded, var).or_raise(py)?;
    set_of(py, &list)
}
