//! Errors between the engine and Python: exceptions of metadata pass through the
//! engine unchanged, errors of the engine become the exceptions metadata knows.

use bitzel_data::PythonFailure;
use pyo3::exceptions::{PyException, PyFileNotFoundError, PyRuntimeError, PySyntaxError};
use pyo3::prelude::*;
use std::rc::Rc;

/// An exception as the engine carries it.
pub(crate) fn failure(py: Python<'_>, error: PyErr) -> PythonFailure {
    let value = error.value(py);
    let kind = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    let message = value.str().map(|text| text.to_string()).unwrap_or_default();
    let skip = value
        .get_type()
        .mro()
        .iter()
        .any(|class| class.getattr("__name__").is_ok_and(|name| name.eq("SkipRecipe").unwrap_or(false)));
    let handled = kind == "BBHandledException";
    let ordinary = error.is_instance_of::<PyException>(py);
    let unterminated = error.is_instance_of::<PySyntaxError>(py)
        && value.getattr("msg").ok().and_then(|msg| msg.extract::<String>().ok()).is_some_and(|msg| {
            msg == "EOL while scanning string literal" || msg.starts_with("unterminated string literal")
        });
    PythonFailure {
        kind: if skip { "SkipRecipe".to_owned() } else { kind },
        message,
        passes_through: skip || handled || !ordinary,
        unterminated_string: unterminated,
        exception: Some(Rc::new(error)),
    }
}

/// The engine's error for an exception.
pub(crate) fn to_data_error(py: Python<'_>, error: PyErr) -> bitzel_data::Error {
    bitzel_data::Error::Python(failure(py, error))
}

/// The exception for a datastore error.
pub(crate) fn from_data_error(py: Python<'_>, error: &bitzel_data::Error) -> PyErr {
    make_data_exception(py, error).unwrap_or_else(|error| error)
}

fn make_data_exception(py: Python<'_>, error: &bitzel_data::Error) -> PyResult<PyErr> {
    use bitzel_data::Error as E;
    Ok(match error {
        E::Python(failure) => original(py, failure),
        E::Expansion { variable, outer, expression, cause } => {
            expansion_error(py, variable.as_deref(), outer, expression, cause)?
        }
        E::NotText { .. } | E::NotJoinable(_) => pyo3::exceptions::PyTypeError::new_err(error.to_string()),
        E::SelfReference(_) | E::TooLong { .. } | E::RenameWithin { .. } => {
            PyException::new_err(error.to_string())
        }
        _ => {
            py.import("bb")?.getattr("mainlogger")?.call_method1("critical", ("%s", error.to_string()))?;
            handled(py, &error.to_string())?
        }
    })
}

fn original(py: Python<'_>, failure: &PythonFailure) -> PyErr {
    match failure.exception.as_ref().and_then(|e| e.downcast_ref::<PyErr>()) {
        Some(error) => error.clone_ref(py),
        None => PyRuntimeError::new_err(failure.to_string()),
    }
}

/// `bb.data_smart.ExpansionError`, with the chain of variables.
fn expansion_error(
    py: Python<'_>,
    variable: Option<&str>,
    outer: &[String],
    expression: &str,
    cause: &bitzel_data::Error,
) -> PyResult<PyErr> {
    let cause = from_data_error(py, cause);
    let class = py.import("bb.data_smart")?.getattr("ExpansionError")?;
    let value = cause.value(py);
    let error = if value.is_instance(&class)? {
        value.call_method1("addVar", (variable,))?;
        value.clone().into_any()
    } else {
        class.call1((variable, expression, value))?
    };
    for name in outer {
        error.call_method1("addVar", (name,))?;
    }
    Ok(PyErr::from_value(error))
}

fn handled(py: Python<'_>, message: &str) -> PyResult<PyErr> {
    let class = py.import("bb")?.getattr("BBHandledException")?;
    Ok(PyErr::from_value(class.call1((message,))?))
}

/// The exception for an error of evaluation.
pub(crate) fn from_recipe_error(py: Python<'_>, error: bitzel_recipe::Error) -> PyErr {
    make_recipe_exception(py, error).unwrap_or_else(|error| error)
}

fn make_recipe_exception(py: Python<'_>, error: bitzel_recipe::Error) -> PyResult<PyErr> {
    use bitzel_recipe::Error as E;
    Ok(match &error {
        E::Data { cause, .. } => from_data_error(py, cause),
        E::Skip(reason) => {
            let class = py.import("bb.parse")?.getattr("SkipRecipe")?;
            PyErr::from_value(class.call1((reason,))?)
        }
        E::Parse { message, loc } => {
            let class = py.import("bb.parse")?.getattr("ParseError")?;
            let (file, line) = loc.as_ref().map_or(("", 0), |loc| (&*loc.file, loc.line));
            PyErr::from_value(class.call1((message, file, line))?)
        }
        E::Fatal(message) => {
            py.import("bb")?.getattr("mainlogger")?.call_method1("critical", ("%s", message))?;
            handled(py, message)?
        }
        E::Refused(message) | E::Handled(message) => handled(py, message)?,
        E::NotFound { .. } => PyFileNotFoundError::new_err((2, error.to_string())),
        E::Unreadable { .. } | E::NotUtf8 { .. } => pyo3::exceptions::PyOSError::new_err(error.to_string()),
    })
}

/// Turns results of the engine into Python's.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for bitzel_data::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| from_data_error(py, &error))
    }
}

impl<T> OrRaise<T> for bitzel_recipe::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| from_recipe_error(py, error))
    }
}
