//! The module's functions; their contract is in `bb/_native.py`.

use crate::datasmart::DataSmart;
use crate::failure::OrRaise;
use crate::session::Session;
use bitzel_recipe::Variants;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet};
use std::rc::Rc;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(parse_file, module)?)?;
    module.add_function(wrap_pyfunction!(inherit, module)?)?;
    module.add_function(wrap_pyfunction!(inherit_defer, module)?)?;
    module.add_function(wrap_pyfunction!(add_task, module)?)?;
    module.add_function(wrap_pyfunction!(del_task, module)?)?;
    module.add_function(wrap_pyfunction!(expand_keys, module)?)?;
    module.add_function(wrap_pyfunction!(mark_dependency, module)?)?;
    module.add_function(wrap_pyfunction!(check_dependency, module)?)?;
    module.add_function(wrap_pyfunction!(set_context, module)?)?;
    module.add_function(wrap_pyfunction!(get_context, module)?)?;
    module.add_function(wrap_pyfunction!(insert_method, module)?)?;
    module.add_function(wrap_pyfunction!(crate::serve::serve, module)?)?;
    module.add_function(wrap_pyfunction!(crate::serve::config_data, module)?)?;
    module.add_function(wrap_pyfunction!(crate::serve::config_environment, module)?)?;
    module.add_function(wrap_pyfunction!(crate::serve::as_shown, module)?)?;
    module.add_function(wrap_pyfunction!(crate::serve::recipe_data, module)?)?;
    Ok(())
}

#[pyfunction]
fn version(py: Python<'_>) -> PyResult<&'static str> {
    Ok(Session::of(py)?.borrow().context.level().bitbake_version())
}

fn evaluator(py: Python<'_>) -> PyResult<Rc<bitzel_recipe::Evaluator>> {
    Ok(Session::of(py)?.borrow().evaluator.clone())
}

/// Variants as Python sees them: a dict from name to `d`.
pub(crate) fn variants_to_python<'py>(py: Python<'py>, variants: &Variants) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for bitzel_recipe::Variant { name, data: store, .. } in variants.iter() {
        dict.set_item(name, DataSmart::from(store.clone()))?;
    }
    Ok(dict)
}

#[pyfunction]
#[pyo3(signature = (fn_, d, include=0, baseconfig=false))]
fn parse_file<'py>(
    py: Python<'py>,
    fn_: &str,
    d: &Bound<'py, DataSmart>,
    include: i64,
    baseconfig: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let store = d.borrow().store.clone();
    let evaluator = evaluator(py)?;
    // Python code may have changed it, and files. A folder that is gone cannot be searched anyway.
    if let Ok(cwd) = std::env::current_dir() {
        evaluator.refresh(&cwd.to_string_lossy());
    }
    if fn_.ends_with(".conf") {
        evaluator.handle_conf(fn_, &store, include != 0, baseconfig).or_raise(py)?;
        return Ok(d.clone().into_any());
    }
    match evaluator.handle(fn_, &store, include != 0).or_raise(py)? {
        Some(variants) => Ok(variants_to_python(py, &variants)?.into_any()),
        None => Ok(d.clone().into_any()),
    }
}

#[pyfunction]
#[pyo3(signature = (files, fn_, lineno, d, deferred=false))]
fn inherit(
    py: Python<'_>,
    files: &str,
    fn_: &str,
    lineno: u32,
    d: &DataSmart,
    deferred: bool,
) -> PyResult<()> {
    evaluator(py)?.inherit(files, fn_, lineno, &d.store, deferred).or_raise(py)
}

#[pyfunction]
fn inherit_defer(py: Python<'_>, expression: &str, fn_: &str, lineno: u32, d: &DataSmart) -> PyResult<()> {
    evaluator(py)?.inherit_deferred(expression, fn_, lineno, &d.store);
    Ok(())
}

/// Words of a list or a text.
fn words(object: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Rc<str>>> {
    let Some(object) = object else { return Ok(Vec::new()) };
    if object.is_none() {
        return Ok(Vec::new());
    }
    if let Ok(text) = object.extract::<String>() {
        return Ok(text.split_whitespace().map(Rc::from).collect());
    }
    let mut list = Vec::new();
    for item in object.try_iter()? {
        list.push(Rc::from(item?.extract::<String>()?));
    }
    Ok(list)
}

#[pyfunction]
fn add_task(
    py: Python<'_>,
    task: &str,
    before: Option<&Bound<'_, PyAny>>,
    after: Option<&Bound<'_, PyAny>>,
    d: &DataSmart,
) -> PyResult<()> {
    bitzel_recipe::add_task(&d.store, task, &words(after)?, &words(before)?).or_raise(py)
}

#[pyfunction]
fn del_task(py: Python<'_>, task: &str, d: &DataSmart) -> PyResult<()> {
    bitzel_recipe::delete_task(&d.store, task).or_raise(py)
}

#[pyfunction]
fn expand_keys(py: Python<'_>, d: &DataSmart) -> PyResult<()> {
    bitzel_recipe::expand_keys(&d.store).or_raise(py)
}

#[pyfunction]
fn mark_dependency(py: Python<'_>, d: &DataSmart, fn_: &str) -> PyResult<()> {
    let cwd = evaluator(py)?.cwd();
    bitzel_recipe::mark_dependency(&d.store, fn_, &cwd);
    Ok(())
}

#[pyfunction]
fn check_dependency(d: &DataSmart, fn_: &str) -> bool {
    bitzel_recipe::dependencies(&d.store, "__depends").iter().any(|path| path == fn_)
}

#[pyfunction]
fn set_context(py: Python<'_>, context: Bound<'_, PyDict>) -> PyResult<()> {
    Session::of(py)?.borrow().host.set_namespace(context);
    Ok(())
}

#[pyfunction]
fn get_context(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    Ok(Session::of(py)?.borrow().host.namespace(py))
}

#[pyfunction]
fn insert_method(py: Python<'_>, _modulename: &str, code: &str, fn_: &str, lineno: u32) -> PyResult<()> {
    Session::of(py)?.borrow().host.run_definition(py, code, fn_, lineno)
}

/// A set of texts.
pub(crate) fn set_of<'py>(
    py: Python<'py>,
    items: impl IntoIterator<Item = impl AsRef<str>>,
) -> PyResult<Bound<'py, PySet>> {
    let set = PySet::empty(py)?;
    for item in items {
        set.add(item.as_ref())?;
    }
    Ok(set)
}
