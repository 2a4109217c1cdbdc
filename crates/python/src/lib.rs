//! The extension module `_bitzel`: what our `bb` package needs of the engine.
//!
//! The system's python3 loads it; metadata is evaluated in that process. Everything
//! runs on one thread under the interpreter's lock, so stores are plain `Rc`s.
#![allow(missing_docs, reason = "names and signatures are those the `bb` package documents in bb/_native.py")]

mod convert;
mod datasmart;
mod evalhost;
mod failure;
mod fetch;
mod functions;
mod inline;
mod isolation;
mod loginfo;
mod prepared;
mod relay;
mod runner;
mod scanners;
mod scripts;
mod serve;
mod session;
mod siginfo;
mod signatures;
mod taskprocess;
mod texts;
mod views;

use pyo3::prelude::*;

/// For our side only: Python keeps its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Entry point that Python calls at import.
#[pymodule]
fn _bitzel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<datasmart::DataSmart>()?;
    module.add_class::<inline::VariableScope>()?;
    session::install(module)?;
    fetch::register(module)?;
    scanners::register(module)?;
    scripts::register(module)?;
    taskprocess::register(module)?;
    functions::register(module)
}
