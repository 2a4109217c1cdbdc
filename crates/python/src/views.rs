//! What Python sees of a datastore as a whole: names, flags, histories.

use crate::convert::to_python;
use crate::failure::OrRaise;
use bitzel_data::{DataStore, IncludeNode, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet};

/// All names, in the order of a Python set that is filled as BitBake fills it, since metadata
/// puts the order into values. Hosts run with a fixed hash seed.
pub(crate) fn keys<'py>(py: Python<'py>, store: &DataStore) -> PyResult<Bound<'py, PyList>> {
    let (levels, replaced) = store.keys_by_origin();
    let mut all = PySet::empty(py)?;
    for level in levels.iter().rev() {
        let own = PySet::empty(py)?;
        for name in level {
            own.add(&**name)?;
        }
        own.call_method1("update", (&all,))?;
        all = own;
    }
    let last = PySet::empty(py)?;
    for name in &replaced {
        last.add(&**name)?;
    }
    let list = PyList::empty(py);
    for name in all.iter().chain(last.iter()) {
        list.append(name)?;
    }
    Ok(list)
}

/// A variable's flags as a dict, expanded where `expand` holds the flag's name; None without flags.
pub(crate) fn flags<'py>(
    py: Python<'py>,
    store: &DataStore,
    var: &str,
    expand: Option<&Bound<'py, PyAny>>,
    internal: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let flags = match internal {
        true => store.get_internal_flags(var),
        false => store.get_flags(var),
    };
    let Some(flags) = flags else { return Ok(py.None().into_bound(py)) };
    let dict = PyDict::new(py);
    for (flag, value) in flags {
        let expanded = match expand {
            Some(wanted) if wanted.is_truthy()? && wanted.contains(&*flag)? => {
                store.get_flag(var, &flag, true).or_raise(py)?.unwrap_or(Value::None)
            }
            _ => value,
        };
        dict.set_item(&*flag, to_python(py, &expanded)?)?;
    }
    Ok(dict.into_any())
}

/// The recorded changes of a variable, as dicts with the keys BitBake uses.
pub(crate) fn history<'py>(py: Python<'py>, store: &DataStore, var: &str) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for event in store.history().of(var) {
        let dict = PyDict::new(py);
        dict.set_item("variable", &*event.variable)?;
        dict.set_item("op", &*event.op)?;
        dict.set_item("detail", to_python(py, &event.detail)?)?;
        if let Some(loc) = &event.loc {
            dict.set_item("file", &*loc.file)?;
            dict.set_item("line", loc.line)?;
        }
        if let Some(func) = &event.func {
            dict.set_item("func", &**func)?;
        }
        if let Some(flag) = &event.flag {
            dict.set_item("flag", &**flag)?;
        }
        list.append(dict)?;
    }
    Ok(list)
}

/// Files and what they included: nested (file, children) pairs.
pub(crate) fn includes<'py>(py: Python<'py>, list: &[IncludeNode]) -> PyResult<Bound<'py, PyList>> {
    let result = PyList::empty(py);
    for node in list {
        result.append((&*node.file, includes(py, &node.children)?))?;
    }
    Ok(result)
}
