//! Values between the store and Python.

use crate::datasmart::DataSmart;
use bitzel_data::{DataStore, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString};
use std::any::Any;
use std::rc::Rc;

/// A Python object in the store.
pub(crate) struct Held(pub(crate) Py<PyAny>);

/// The object metadata sees. Containers are fresh copies.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::None => py.None().into_bound(py),
        Value::Str(text) => PyString::new(py, text).into_any(),
        Value::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any(),
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::List(items) => {
            let list = PyList::empty(py);
            for item in items.iter() {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Map(items) => {
            let dict = PyDict::new(py);
            for (key, item) in items.iter() {
                dict.set_item(&**key, to_python(py, item)?)?;
            }
            dict.into_any()
        }
        Value::Object(object) => {
            if let Some(held) = object.downcast_ref::<Held>() {
                py.import("copy")?.call_method1("copy", (held.0.bind(py),))?
            } else if let Some(store) = object.downcast_ref::<DataStore>() {
                Bound::new(py, DataSmart::from(store.clone()))?.into_any()
            } else {
                py.None().into_bound(py)
            }
        }
    })
}

/// `value`, or None where there is none.
pub(crate) fn option_to_python<'py>(py: Python<'py>, value: &Option<Value>) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Some(value) => to_python(py, value),
        None => Ok(py.None().into_bound(py)),
    }
}

/// Name of an object's type.
pub(crate) fn type_name(py: Python<'_>, object: &Rc<dyn Any>) -> String {
    let held = object.downcast_ref::<Held>().and_then(|held| held.0.bind(py).get_type().name().ok());
    held.map_or_else(|| "object".to_owned(), |name| name.to_string())
}

/// The value the store keeps of an object.
pub(crate) fn from_python(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(text) = object.cast_exact::<PyString>() {
        return Ok(Value::Str(text_of(text)?));
    }
    if object.is_none() {
        return Ok(Value::None);
    }
    if let Ok(truth) = object.cast_exact::<PyBool>() {
        return Ok(Value::Bool(truth.is_true()));
    }
    if object.is_exact_instance_of::<PyInt>()
        && let Ok(number) = object.extract::<i64>()
    {
        return Ok(Value::Int(number));
    }
    if let Ok(list) = object.cast_exact::<PyList>() {
        let items = list.iter().map(|item| from_python(&item)).collect::<PyResult<Vec<Value>>>()?;
        if !items.iter().any(|item| matches!(item, Value::Object(_))) {
            return Ok(Value::List(Rc::new(items)));
        }
    }
    if let Ok(dict) = object.cast_exact::<PyDict>()
        && let Some(map) = plain_map(dict)?
    {
        return Ok(map);
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Value::Str(text_of(text)?));
    }
    Ok(Value::Object(Rc::new(Held(object.clone().unbind()))))
}

fn plain_map(dict: &Bound<'_, PyDict>) -> PyResult<Option<Value>> {
    let mut items: Vec<(Rc<str>, Value)> = Vec::new();
    for (key, item) in dict.iter() {
        let Ok(key) = key.cast_exact::<PyString>() else { return Ok(None) };
        let item = from_python(&item)?;
        if matches!(item, Value::Object(_)) {
            return Ok(None);
        }
        items.push((text_of(key)?, item));
    }
    Ok(Some(Value::Map(Rc::new(items))))
}

/// Anything, as Python's `if` sees it: metadata passes 1, True or a text for a switch.
pub(crate) struct Truth(pub(crate) bool);

impl<'a, 'py> FromPyObject<'a, 'py> for Truth {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Truth> {
        object.is_truthy().map(Truth)
    }
}

/// The text of a Python string.
pub(crate) fn text_of(text: &Bound<'_, PyString>) -> PyResult<Rc<str>> {
    let text: std::borrow::Cow<'_, str> = text.extract()?;
    Ok(Rc::from(&*text))
}
