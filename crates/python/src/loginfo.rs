//! Where a change of a variable comes from: what Python says of it, or the line it stands on.

use crate::convert::from_python;
use bitzel_base::SourceLoc;
use bitzel_data::{DataStore, SetInfo, Value};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::rc::Rc;

/// The keyword arguments that say where a change comes from.
#[derive(Default)]
pub(crate) struct LogInfo {
    parsing: bool,
    ignore: bool,
    file: Option<String>,
    line: Option<u32>,
    pub(crate) op: Option<String>,
    func: Option<String>,
    variable: Option<String>,
    pub(crate) detail: Option<Value>,
}

impl LogInfo {
    fn new(kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<LogInfo> {
        let mut info = LogInfo::default();
        let Some(kwargs) = kwargs else { return Ok(info) };
        for (key, value) in kwargs.iter() {
            if value.is_none() {
                continue;
            }
            match key.extract::<String>()?.as_str() {
                "parsing" => info.parsing = value.is_truthy()?,
                "ignore" => info.ignore = value.is_truthy()?,
                "file" => info.file = Some(value.str()?.to_string()),
                "line" => {
                    info.line = value.extract().ok().or_else(|| value.str().ok()?.to_string().parse().ok())
                }
                "op" => info.op = Some(value.str()?.to_string()),
                "func" => info.func = Some(value.str()?.to_string()),
                "variable" => info.variable = Some(value.str()?.to_string()),
                "detail" => info.detail = Some(from_python(&value)?),
                _ => {}
            }
        }
        Ok(info)
    }

    /// What the keywords say; without a file, where the calling code stands, if changes to
    /// `store` are recorded.
    pub(crate) fn of(
        py: Python<'_>,
        store: &DataStore,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<LogInfo> {
        let mut info = LogInfo::new(kwargs)?;
        if store.history().is_tracking() && info.file.is_none() && !info.ignore {
            let frame = py.import("sys")?.call_method1("_getframe", (0,))?;
            let code = frame.getattr("f_code")?;
            info.file = Some(code.getattr("co_filename")?.extract()?);
            info.line = frame.getattr("f_lineno")?.extract().ok();
            info.func = code.getattr("co_name")?.extract().ok();
        }
        Ok(info)
    }

    /// As the store wants it.
    pub(crate) fn set_info(&self) -> SetInfo<'_> {
        SetInfo {
            parsing: self.parsing,
            loc: self.file.as_ref().map(|file| SourceLoc::new(file.as_str(), self.line.unwrap_or(0))),
            op: self.op.as_deref(),
            detail: self.detail.clone(),
            shown_as: self.variable.as_deref(),
            func: self.func.as_deref().map(Rc::from),
            ignore: self.ignore,
        }
    }
}
