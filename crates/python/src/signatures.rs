//! Signatures as a process of metadata computes them: library functions come from the
//! modules that `addpylib` imported, and some say themselves what calls of them refer to.

use crate::failure::OrRaise;
use bitzel_base::CompatLevel;
use bitzel_data::{DataStore, Library, SignatureCache};
use bitzel_scan::{CallFinds, CallVisitor, ScanError, scan_module};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::{BTreeSet, HashMap};

/// A cache that knows the libraries imported for the configuration `base`.
pub(crate) fn signature_cache(py: Python<'_>, base: &DataStore) -> PyResult<SignatureCache> {
    let level = base.context().level();
    let mut visitor = PythonVisitor::default();
    let mut functions = Vec::new();
    for module in library_modules(py)? {
        let name: String = module.getattr("__name__")?.extract()?;
        let file: String = module.getattr("__file__")?.extract()?;
        let text = std::fs::read_to_string(&file)?;
        let found = scan_module(&text, &name, level, &visitor)
            .map_err(|error| PyValueError::new_err(format!("{file}: {error}")))?;
        if level >= CompatLevel::V2_18 {
            visitor.add(&module, &found.iter().map(|f| &*f.name).collect::<Vec<_>>())?;
        }
        functions.extend(found);
    }
    let library = Library::new(functions, base).or_raise(py)?;
    SignatureCache::new(base, library, Box::new(visitor)).or_raise(py)
}

/// Modules named in the `BBIMPORTS` of imported packages, in that order.
fn library_modules(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let modules = py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
    let mut found = Vec::new();
    for (name, package) in modules.copy()? {
        let Ok(name) = name.extract::<String>() else { continue };
        let Some(imports) = package.getattr_opt("BBIMPORTS")? else { continue };
        for module in imports.try_iter()? {
            let module: String = module?.extract()?;
            found.extend(modules.get_item(format!("{name}.{module}"))?);
        }
    }
    Ok(found)
}

/// Asks `visitorcode` of library functions.
#[derive(Default)]
struct PythonVisitor {
    functions: HashMap<String, Py<PyAny>>,
}

impl PythonVisitor {
    fn add(&mut self, module: &Bound<'_, PyAny>, names: &[&str]) -> PyResult<()> {
        for name in names {
            let Some((_, own)) = name.rsplit_once('.') else { continue };
            let Some(function) = module.getattr_opt(own)? else { continue };
            if let Some(visitor) = function.getattr_opt("visitorcode")? {
                self.functions.insert((*name).to_owned(), visitor.unbind());
            }
        }
        Ok(())
    }
}

type Answer = (HashMap<String, Vec<String>>, Vec<String>);

impl CallVisitor for PythonVisitor {
    fn visit(&self, function: &str, call: &str) -> Result<Option<CallFinds>, ScanError> {
        let Some(visitor) = self.functions.get(function) else { return Ok(None) };
        Python::attach(|py| {
            let ask = || -> PyResult<Answer> {
                let tree = py.import("ast")?.call_method1("parse", (call.trim(), "<call>", "eval"))?;
                let args = tree.getattr("body")?.getattr("args")?;
                let answer = visitor.bind(py).call1((function, args))?;
                let mut contains = HashMap::new();
                for (name, items) in answer.get_item(0)?.cast_into::<PyDict>()? {
                    contains.insert(name.extract()?, strings(&items)?);
                }
                Ok((contains, strings(&answer.get_item(1)?)?))
            };
            let (contains, execs) = ask().map_err(|error| ScanError::Visitor {
                function: function.into(),
                call: call.trim().into(),
                message: error.to_string().into(),
            })?;
            let set = |items: Vec<String>| items.into_iter().map(Box::from).collect::<BTreeSet<_>>();
            let contains = contains.into_iter().map(|(name, items)| (Box::from(name), set(items))).collect();
            Ok(Some(CallFinds { execs: set(execs), contains }))
        })
    }
}

fn strings(items: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    items.try_iter()?.map(|item| item?.extract()).collect()
}
