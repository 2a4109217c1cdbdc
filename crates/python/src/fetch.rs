//! Downloads for `bb.fetch2`: jobs and answers go as JSON, the interpreter is free meanwhile.

use bitzel_fetch::{Job, Options, Progress, download_all};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use std::time::Duration;

/// How often Python is told, and may interrupt.
const INTERVAL: Duration = Duration::from_millis(200);

/// `fetch_files(jobs, options, progress) -> answers`: downloads a JSON list of jobs at the same time.
///
/// `progress` is called with a JSON list of the downloads going on and returns whether to go on.
/// Raises ValueError for texts that are no jobs, OSError for settings that make no sense,
/// and whatever `progress` or a signal raises.
#[pyfunction]
fn fetch_files(py: Python<'_>, jobs: &str, options: &str, progress: Py<PyAny>) -> PyResult<String> {
    let jobs: Vec<Job> = serde_json::from_str(jobs).map_err(invalid)?;
    let options: Options = serde_json::from_str(options).map_err(invalid)?;
    let mut raised = None;
    let outcomes = py.detach(|| {
        download_all(&jobs, &options, INTERVAL, |going| {
            raised.is_none()
                && Python::attach(|py| tell(py, &progress, going)).unwrap_or_else(|error| {
                    raised = Some(error);
                    false
                })
        })
    });
    if let Some(error) = raised {
        return Err(error);
    }
    let outcomes = outcomes.map_err(|error| PyOSError::new_err(error.to_string()))?;
    serde_json::to_string(&outcomes).map_err(invalid)
}

fn tell(py: Python<'_>, progress: &Py<PyAny>, going: &[Progress]) -> PyResult<bool> {
    py.check_signals()?;
    let text = serde_json::to_string(going).map_err(invalid)?;
    progress.call1(py, (text,))?.is_truthy(py)
}

fn invalid(error: serde_json::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(fetch_files, module)?)
}
