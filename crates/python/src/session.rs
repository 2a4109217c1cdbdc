//! What belongs to the process: the shared context, the interpreter side and the
//! evaluator. Kept as an attribute of the module, found again through it.

use crate::evalhost::PyHost;
use crate::isolation::Isolator;
use crate::prepared::Prepared;
use bitzel_base::CompatLevel;
use bitzel_data::Context;
use bitzel_recipe::{BaseConfig, Evaluator};
use pyo3::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

/// One per process.
#[pyclass(unsendable, name = "Session")]
pub struct Session {
    pub(crate) context: Rc<Context>,
    pub(crate) host: Rc<PyHost>,
    pub(crate) evaluator: Rc<Evaluator>,
    /// The configurations read, default one first.
    pub(crate) configs: RefCell<Vec<Rc<BaseConfig>>>,
    /// Recipes whose tasks this process ran last, the latest first.
    pub(crate) prepared: RefCell<VecDeque<Rc<Prepared>>>,
    /// What tasks' isolation has in common.
    pub(crate) isolator: RefCell<Isolator>,
    /// Where events of the request that is being answered go to.
    pub(crate) listener: RefCell<Option<UnixStream>>,
    /// Stores that were left when garbage was collected last.
    left_stores: Cell<usize>,
}

/// How many stores may be garbage before it is worth looking for them. Each holds about half a MiB.
const STORES_OF_GARBAGE: usize = 16;

const ATTRIBUTE: &str = "_session";

pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let level = match std::env::var("BITZEL_COMPAT").as_deref() {
        Ok("2.8") => CompatLevel::V2_8,
        _ => CompatLevel::V2_18,
    };
    let cwd = std::env::current_dir()
        .map(|dir| dir.to_string_lossy().into_owned())
        .unwrap_or_else(|_| "/".to_owned());
    let host = Rc::new(PyHost::new(py)?);
    let context = Context::new(host.clone(), level);
    let evaluator = Rc::new(Evaluator::new(context.clone(), host.clone(), &cwd));
    let session = Session {
        context,
        host,
        evaluator,
        configs: RefCell::default(),
        prepared: RefCell::default(),
        isolator: RefCell::default(),
        listener: RefCell::default(),
        left_stores: Cell::default(),
    };
    module.add(ATTRIBUTE, Bound::new(py, session)?)
}

impl Session {
    /// Collects Python's garbage if it may hold many stores. Otherwise collecting is switched off;
    /// but functions that metadata nests in others may hold each other, and a store.
    pub(crate) fn collect_garbage(&self, py: Python<'_>) {
        if self.context.live_stores() <= self.left_stores.get() + STORES_OF_GARBAGE {
            return;
        }
        if let Err(error) = py.import("gc").and_then(|gc| gc.call_method0("collect")) {
            error.write_unraisable(py, None);
        }
        self.left_stores.set(self.context.live_stores());
    }

    /// The process's session.
    pub(crate) fn of(py: Python<'_>) -> PyResult<Bound<'_, Session>> {
        Ok(py.import("_bitzel")?.getattr(ATTRIBUTE)?.cast_into::<Session>()?)
    }
}
