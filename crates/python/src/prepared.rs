//! Evaluated recipes that a runner keeps: the datastore, the metadata functions that
//! belong to it, and what its tasks' signatures stand on.

use crate::datasmart::DataSmart;
use crate::failure::{OrRaise, from_recipe_error};
use crate::serve::{evaluator, signing_config};
use crate::session::Session;
use crate::siginfo::TaskTexts;
use bitzel_data::{DataStore, SetInfo, Value};
use bitzel_recipe::protocol::RecipeAddress;
use bitzel_recipe::{PythonHost, Variant};
use pyo3::prelude::*;
use std::any::Any;
use std::rc::Rc;

/// How many recipes a runner keeps: those whose tasks it ran last.
const KEPT: usize = 4;

/// A recipe's variant, evaluated.
pub(crate) struct Prepared {
    address: RecipeAddress,
    pub(crate) store: DataStore,
    functions: Rc<dyn Any>,
    texts: TaskTexts,
}

/// The recipe at an address, evaluated at most once while it is kept; its functions are
/// those that metadata's Python sees from now on.
pub(crate) fn prepared(py: Python<'_>, address: &RecipeAddress) -> PyResult<Rc<Prepared>> {
    let session = Session::of(py)?;
    let session = session.borrow();
    let known = {
        let mut kept = session.prepared.borrow_mut();
        let place = kept.iter().position(|recipe| recipe.address == *address);
        place.and_then(|place| kept.remove(place))
    };
    let recipe = match known {
        Some(recipe) => {
            session.host.reuse_functions(py, &recipe.functions);
            session.host.restore_handlers(&recipe.functions);
            recipe
        }
        None => {
            drop(session);
            Rc::new(evaluate(py, address)?)
        }
    };
    let session = Session::of(py)?;
    let session = session.borrow();
    let mut kept = session.prepared.borrow_mut();
    kept.push_front(recipe.clone());
    kept.truncate(KEPT);
    Ok(recipe)
}

fn evaluate(py: Python<'_>, address: &RecipeAddress) -> PyResult<Prepared> {
    let config = signing_config(py, &address.mc)?;
    if config.data.peek("BB_WORKERCONTEXT", |_| ()).is_none() {
        // BitBake: set where tasks run, so that metadata can tell.
        config.data.set("BB_WORKERCONTEXT", Value::str("1"), &SetInfo::default()).or_raise(py)?;
    }
    let logger = py.import("bitzel_host.task")?;
    let quiet = logger.call_method0("quiet")?;
    // What the recipe's text has to be warned about was said when it was evaluated first.
    let variants = evaluator(py)?.recipe(&config, &address.recipe, Some(&address.variant));
    logger.call_method1("loud", (quiet,))?;
    let variants = variants.map_err(|error| from_recipe_error(py, error))?;
    let Some(Variant { data, signatures, .. }) = variants.take(&address.variant) else {
        let message = format!("`{}` has no variant `{}`", address.recipe.path, address.variant);
        return Err(pyo3::exceptions::PyKeyError::new_err(message));
    };
    let Some(signatures) = signatures else {
        let message = format!("`{}` is skipped: it has no tasks", address.recipe.path);
        return Err(pyo3::exceptions::PyKeyError::new_err(message));
    };
    let texts = TaskTexts::new(py, &config.data, signatures)?;
    logger.call_method0("share_globals")?;
    let session = Session::of(py)?;
    let functions = PythonHost::save(&*session.borrow().host);
    Ok(Prepared { address: address.clone(), store: data, functions, texts })
}

impl Prepared {
    /// `d`.
    pub(crate) fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(Bound::new(py, DataSmart::from(self.store.clone()))?.into_any())
    }

    /// What signature files say of the text of its tasks.
    pub(crate) fn texts(&self) -> &TaskTexts {
        &self.texts
    }
}
