//! Configuration and recipes for scripts that run in the same process (`bb.tinfoil`).

use crate::failure::OrRaise;
use crate::functions::variants_to_python;
use crate::serve::evaluator;
use crate::session::Session;
use bitzel_recipe::{ConfigOptions, RecipeFile};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(configure, module)?)?;
    module.add_function(wrap_pyfunction!(recipe_variants, module)?)
}

/// Reads the base configuration with an environment. Gives for every configuration its
/// recipe files: (path, appends, layer, priority).
#[pyfunction]
fn configure<'py>(
    py: Python<'py>,
    env: BTreeMap<String, String>,
    tracking: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let options = ConfigOptions { env, track_history: tracking, ..Default::default() };
    let evaluator = evaluator(py)?;
    let configs = evaluator.base_configs(&options).or_raise(py)?;
    let result = PyDict::new(py);
    for config in &configs {
        let collected = evaluator.collect_checked(config).or_raise(py)?;
        let recipes = PyList::empty(py);
        for recipe in collected.recipes {
            recipes.append((recipe.path, recipe.appends, recipe.layer, recipe.priority))?;
        }
        result.set_item(&config.mc, recipes)?;
    }
    let session = Session::of(py)?;
    let session = session.borrow();
    session.context.seal_base();
    *session.configs.borrow_mut() = configs.into_iter().map(Rc::new).collect();
    Ok(result)
}

/// The variants of a recipe file by name, evaluated on a configuration's datastore.
#[pyfunction]
fn recipe_variants<'py>(
    py: Python<'py>,
    mc: &str,
    path: &str,
    appends: Vec<String>,
    layer: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let recipe = RecipeFile { path: path.to_owned(), appends, layer: layer.to_owned(), priority: 0 };
    let config = crate::serve::config(py, mc)?;
    let variants = evaluator(py)?.recipe(&config, &recipe, None).or_raise(py)?;
    variants_to_python(py, &variants)
}
