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
    module.add_function(wrap_pyfunction!(configure, module)?)?;
    module.add_function(wrap_pyfunction!(config_data, module)?)?;
    module.add_function(wrap_pyfunction!(recipe_files, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(export_shard, module)?)?;
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
    for (name, store) in variants.iter() {
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
#[allow(dead_code)]
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

/// Reads the base configuration of the environment given; answers with the multiconfigs.
#[pyfunction]
fn configure(
    py: Python<'_>,
    env: std::collections::BTreeMap<String, String>,
    tracking: bool,
) -> PyResult<Vec<String>> {
    let options = bitzel_recipe::ConfigOptions { env, track_history: tracking, ..Default::default() };
    let configs = evaluator(py)?.base_configs(&options).or_raise(py)?;
    let session = Session::of(py)?;
    let session = session.borrow();
    session.context.seal_base();
    let names = configs.iter().map(|config| config.mc.clone()).collect();
    *session.configs.borrow_mut() = configs.into_iter().map(Rc::new).collect();
    Ok(names)
}

fn config(py: Python<'_>, mc: &str) -> PyResult<Rc<bitzel_recipe::BaseConfig>> {
    let session = Session::of(py)?;
    let session = session.borrow();
    let configs = session.configs.borrow();
    configs
        .iter()
        .find(|config| config.mc == mc)
        .cloned()
        .ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(format!("no multiconfig `{mc}`")))
}

/// The configuration's datastore.
#[pyfunction]
fn config_data(py: Python<'_>, mc: &str) -> PyResult<DataSmart> {
    Ok(DataSmart::from(config(py, mc)?.data.clone()))
}

/// Paths of all recipe files.
#[pyfunction]
fn recipe_files(py: Python<'_>, mc: &str) -> PyResult<Vec<String>> {
    let config = config(py, mc)?;
    let collected = evaluator(py)?.collect_checked(&config).or_raise(py)?;
    Ok(collected.recipes.into_iter().map(|recipe| recipe.path).collect())
}

/// The variants of one recipe file.
#[pyfunction]
fn evaluate<'py>(py: Python<'py>, mc: &str, path: &str) -> PyResult<Bound<'py, PyDict>> {
    let config = config(py, mc)?;
    let evaluator = evaluator(py)?;
    let collected = evaluator.collect_checked(&config).or_raise(py)?;
    let recipe = collected.recipes.into_iter().find(|recipe| recipe.path == path).ok_or_else(|| {
        pyo3::exceptions::PyKeyError::new_err(format!("no recipe file `{path}` in BBFILES"))
    })?;
    let variants = evaluator.recipe(&config, &recipe, None).or_raise(py)?;
    variants_to_python(py, &variants)
}

/// Writes the records of every `step`-th recipe file from `first` on, and of the
/// configuration if `first` is 0, as export shard `first` into the folder `out`.
#[pyfunction]
fn export_shard(
    py: Python<'_>,
    out: &str,
    first: usize,
    step: usize,
    env: std::collections::BTreeMap<String, String>,
) -> PyResult<usize> {
    use bitzel_recipe::export::{Blobs, LinesFile, Normaliser, Places, RecordKind, record};
    use std::path::Path;
    let io = |error: std::io::Error| {
        pyo3::exceptions::PyOSError::new_err(format!("cannot write to `{out}`: {error}"))
    };
    let session = Session::of(py)?;
    let configs = session.borrow().configs.borrow().clone();
    let evaluator = evaluator(py)?;
    let get = |name: &str| env.get(name).cloned().unwrap_or_default();
    let places = Places { bitbake: get("BITZEL_BITBAKEDIR"), home: get("HOME"), user: get("USER") };
    let stores: Vec<&bitzel_data::DataStore> = configs.iter().map(|c| &c.data).collect();
    let normaliser = Normaliser::new(&stores, &places).or_raise(py)?;
    let create = |name: &str| LinesFile::create(&Path::new(out).join(name), 3).map_err(io);
    if first == 0 {
        let mut blobs = Blobs::new(create("blobs-config.jsonl.zst")?);
        let mut file = create("config.jsonl.zst")?;
        for config in &configs {
            let d = config.data.create_copy();
            bitzel_recipe::expand_keys(&d).or_raise(py)?;
            let mcfn = if config.mc.is_empty() { String::new() } else { format!("mc:{}:", config.mc) };
            let json = record(&d, "", "", &mcfn, &RecordKind::Config, &normaliser, &mut blobs).map_err(io)?;
            file.line(&json).map_err(io)?;
        }
        file.finish().map_err(io)?;
        blobs.finish().map_err(io)?;
        let meta = serde_json::json!({"format": 2, "places": normaliser.places(), "raw": true, "sig": false, "normalised": true});
        std::fs::write(Path::new(out).join("meta.json"), meta.to_string()).map_err(io)?;
    }
    let mut file = create(&format!("recipes-{first}.jsonl.zst"))?;
    let mut blobs = Blobs::new(create(&format!("blobs-{first}.jsonl.zst"))?);
    let mut count = 0;
    for config in &configs {
        let collected = evaluator.collect_checked(config).or_raise(py)?;
        for recipe in collected.recipes.iter().skip(first).step_by(step) {
            let id = |variant: &str| {
                bitzel_base::RecipeId {
                    mc: config.mc.clone(),
                    variant: variant.to_owned(),
                    file: recipe.path.clone(),
                }
                .to_string()
            };
            match evaluator.recipe(config, recipe, None) {
                Err(error) => file
                    .line(&serde_json::json!({"mcfn": normaliser.text(&id("")), "fn": normaliser.text(&recipe.path),
                        "fatal": format!("{}: {error}", error.exception())}))
                    .map_err(io)?,
                Ok(variants) => {
                    for (name, d) in variants.iter() {
                        let kind = RecordKind::Recipe { appends: &recipe.appends };
                        let json = record(d, &recipe.path, name, &id(name), &kind, &normaliser, &mut blobs).map_err(io)?;
                        file.line(&json).map_err(io)?;
                        count += 1;
                    }
                }
            }
        }
    }
    file.finish().map_err(io)?;
    blobs.finish().map_err(io)?;
    Ok(count)
}
