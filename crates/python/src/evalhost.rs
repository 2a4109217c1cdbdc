//! Metadata's Python as the evaluator needs it: the namespace of metadata functions,
//! anonymous functions, handlers and events.

use crate::datasmart::DataSmart;
use crate::failure::to_data_error;
use crate::inline::InlineCode;
use bitzel_data::{DataStore, Interp, Lifetime, LogLevel, Value};
use bitzel_recipe::{EvalEvent, Handler, PythonHost, Result};
use pyo3::exceptions::PySyntaxError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// Text, file and line of a `def`.
type Definition = (Rc<str>, Rc<str>, u32);

/// The interpreter side of the process.
pub struct PyHost {
    /// The namespace of metadata Python: modules and `def` functions.
    namespace: RefCell<Py<PyDict>>,
    /// Identifies the sequence of definitions that made the namespace.
    version: Cell<u64>,
    versions: RefCell<HashMap<(u64, u64), u64>>,
    inline: InlineCode,
    /// Compiled definitions.
    definitions: RefCell<HashMap<Definition, Py<PyAny>>>,
}

/// What `save` keeps.
struct Saved {
    handlers: Py<PyAny>,
    namespace: Py<PyDict>,
    version: u64,
}

impl PyHost {
    pub(crate) fn new(py: Python<'_>) -> PyResult<PyHost> {
        let namespace = PyDict::new(py);
        // C code that imports while an expression runs looks for it here.
        namespace.set_item("__builtins__", py.import("builtins")?)?;
        for module in ["os", "time"] {
            namespace.set_item(module, py.import(module)?)?;
        }
        Ok(PyHost {
            namespace: RefCell::new(namespace.unbind()),
            version: Cell::new(0),
            versions: RefCell::default(),
            inline: InlineCode::default(),
            definitions: RefCell::default(),
        })
    }

    pub(crate) fn namespace<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.namespace.borrow().bind(py).clone()
    }

    /// Makes the package known to metadata; it cannot be there before it is imported.
    fn know_package(&self, py: Python<'_>) -> PyResult<()> {
        let namespace = self.namespace(py);
        if !namespace.contains("bb")? {
            namespace.set_item("bb", py.import("bb")?)?;
        }
        Ok(())
    }

    /// Takes another dict as the namespace.
    pub(crate) fn set_namespace(&self, namespace: Bound<'_, PyDict>) {
        *self.namespace.borrow_mut() = namespace.unbind();
    }

    /// Takes the namespace that was saved, itself: for processes that leave it as it is.
    pub(crate) fn reuse_functions(&self, py: Python<'_>, saved: &Rc<dyn Any>) {
        let Some(saved) = saved.downcast_ref::<Saved>() else { return };
        self.set_namespace(saved.namespace.bind(py).clone());
        self.version.set(saved.version);
    }

    fn advance(&self, text: &str) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut versions = self.versions.borrow_mut();
        let next = versions.len() as u64 + 1;
        self.version.set(*versions.entry((self.version.get(), hasher.finish())).or_insert(next));
    }

    /// Compiles and runs a definition, which follows line `line` of its file, in the namespace.
    pub(crate) fn run_definition(&self, py: Python<'_>, text: &str, file: &str, line: u32) -> PyResult<()> {
        self.advance(text);
        let key = (Rc::from(text), Rc::from(file), line);
        let known = self.definitions.borrow().get(&key).map(|code| code.clone_ref(py));
        let code = match known {
            Some(code) => code,
            None => {
                let padded = format!("{}{text}", "\n".repeat(line as usize));
                let code = py.import("builtins")?.call_method1("compile", (padded, file, "exec"))?.unbind();
                self.definitions.borrow_mut().insert(key, code.clone_ref(py));
                code
            }
        };
        py.import("builtins")?.call_method1("exec", (code, self.namespace(py)))?;
        Ok(())
    }

    fn fire_event(
        &self,
        py: Python<'_>,
        event: EvalEvent,
        file: &str,
        tasks: &[Rc<str>],
        d: &DataStore,
    ) -> PyResult<()> {
        let module = py.import("bb.event")?;
        let class = module.getattr(event.name())?;
        let object = match event {
            EvalEvent::ConfigParsed => class.call0()?,
            EvalEvent::MultiConfigParsed => class.call1((PyDict::new(py),))?,
            EvalEvent::RecipeTaskPreProcess => {
                let tasks = PyList::new(py, tasks.iter().map(|task| &**task))?;
                class.call1((file, tasks))?
            }
            EvalEvent::RecipePreDeferredInherits => {
                let classes = deferred_inherits(d);
                class.call1((file, PyList::new(py, classes.iter().map(|class| &**class))?))?
            }
            _ => class.call1((file,))?,
        };
        module.call_method1("fire", (object, DataSmart::from(d.clone())))?;
        Ok(())
    }
}

/// What the deferred `inherit` statements of a recipe name, unexpanded.
fn deferred_inherits(d: &DataStore) -> Vec<Rc<str>> {
    let first = |entry: &Value| entry.as_list()?.first()?.as_str().cloned();
    let queue = d.peek("__BBDEFINHERITS", |queue| queue.as_list().cloned()).flatten().unwrap_or_default();
    let classes: Vec<Rc<str>> = queue.iter().filter_map(first).collect();
    // BitBake: without any there is one without a name.
    if classes.is_empty() { vec!["".into()] } else { classes }
}

/// An exception of a metadata function, told to the user; those that say something to the
/// evaluator pass as they are.
fn reported(py: Python<'_>, doing: &str, error: PyErr) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let bb = py.import("bb")?;
        let handled = bb.getattr("BBHandledException")?;
        let value = error.value(py);
        let passes = [
            handled.clone(),
            py.import("bb.parse")?.getattr("SkipRecipe")?,
            py.import("bb.data_smart")?.getattr("ExpansionError")?,
        ];
        for class in &passes {
            if value.is_instance(class)? {
                return Ok(error.clone_ref(py));
            }
        }
        if !error.is_instance_of::<pyo3::exceptions::PyException>(py) {
            return Ok(error.clone_ref(py));
        }
        // PyO3 keeps the traceback beside the exception.
        value.setattr("__traceback__", error.traceback(py))?;
        let text = py.import("bitzel_host.errors")?.call_method1("describe", (value,))?;
        let message = format!("Error {doing}:\n\n{}: {text}", value.get_type().name()?);
        bb.getattr("mainlogger")?.call_method1("error", ("%s", &message))?;
        Ok(PyErr::from_value(handled.call1((message,))?))
    };
    make().unwrap_or_else(|error| error)
}

fn data<T>(py: Python<'_>, result: PyResult<T>) -> bitzel_data::Result<T> {
    result.map_err(|error| to_data_error(py, error))
}

fn recipe<T>(py: Python<'_>, result: PyResult<T>) -> Result<T> {
    Ok(data(py, result)?)
}

impl Interp for PyHost {
    fn eval_inline(
        &self,
        store: &DataStore,
        variable: Option<&str>,
        code: &str,
    ) -> bitzel_data::Result<Rc<str>> {
        Python::attach(|py| {
            let value = self
                .know_package(py)
                .and_then(|()| self.inline.eval(py, &self.namespace(py), store, variable, code));
            data(py, value)
        })
    }

    fn lifetime(&self, code: &str) -> Lifetime {
        Python::attach(|py| self.inline.lifetime(py, &self.namespace(py), code))
    }

    fn functions_version(&self) -> u64 {
        self.version.get()
    }

    fn filter(&self, value: &str, expressions: &[Rc<str>]) -> bitzel_data::Result<Rc<str>> {
        Python::attach(|py| {
            let run = || {
                let filters = PyList::new(py, expressions.iter().map(|e| &**e))?;
                let result = py.import("bb.filter")?.call_method1("apply_filters", (value, filters))?;
                crate::convert::text_of(&result.str()?)
            };
            data(py, run())
        })
    }

    fn type_name(&self, object: &Rc<dyn Any>) -> String {
        Python::attach(|py| crate::convert::type_name(py, object))
    }

    fn log(&self, level: LogLevel, message: &str) {
        let function = match level {
            LogLevel::Debug => "debug",
            LogLevel::Note => "info",
            LogLevel::Warning => "warning",
            LogLevel::Error => "error",
        };
        Python::attach(|py| {
            let logged = py
                .import("bb")
                .and_then(|bb| bb.getattr("mainlogger"))
                .and_then(|logger| logger.call_method1(function, ("%s", message)));
            if let Err(error) = logged {
                error.write_unraisable(py, None);
            }
        });
    }
}

impl PythonHost for PyHost {
    fn define(&self, text: &str, file: &str, line: u32) -> Result<()> {
        Python::attach(|py| {
            let result = self.run_definition(py, text, file, line);
            recipe(
                py,
                result.map_err(|error| {
                    let own = error.value(py).getattr("lineno").and_then(|own| own.extract::<u32>());
                    let line =
                        if error.is_instance_of::<PySyntaxError>(py) { own.unwrap_or(line) } else { line };
                    reported(py, &format!("in compiling python function in {file}, line {line}"), error)
                }),
            )
        })
    }

    fn call_each(&self, names: &[Rc<str>], d: &DataStore) -> Result<()> {
        Python::attach(|py| {
            let run = || -> PyResult<()> {
                let d = Bound::new(py, DataSmart::from(d.clone()))?;
                let namespace = self.namespace(py);
                for name in names {
                    if let Some(function) = namespace.get_item(&**name)? {
                        let result = function.call1((&d,));
                        result
                            .map_err(|error| reported(py, "executing a python function in <code>", error))?;
                    }
                }
                Ok(())
            };
            recipe(py, run())
        })
    }

    fn register_handler(&self, handler: &Handler, d: &DataStore) -> Result<()> {
        Python::attach(|py| {
            let run = || -> PyResult<()> {
                let mask = PyList::new(py, handler.mask.iter().map(|name| &**name))?;
                py.import("bb.event")?.call_method1(
                    "register",
                    (
                        handler.name,
                        handler.body,
                        mask,
                        &*handler.loc.file,
                        handler.loc.line,
                        DataSmart::from(d.clone()),
                    ),
                )?;
                Ok(())
            };
            recipe(py, run())
        })
    }

    fn fire(&self, event: EvalEvent, file: &str, tasks: &[Rc<str>], d: &DataStore) -> Result<()> {
        Python::attach(|py| recipe(py, self.fire_event(py, event, file, tasks, d)))
    }

    fn save(&self) -> Rc<dyn Any> {
        Python::attach(|py| {
            let handlers = py
                .import("bb.event")
                .and_then(|module| module.call_method0("get_class_handlers"))
                .and_then(|handlers| handlers.call_method0("copy"))
                .unwrap_or_else(|_| PyDict::new(py).into_any());
            Rc::new(Saved {
                handlers: handlers.unbind(),
                namespace: self.namespace.borrow().clone_ref(py),
                version: self.version.get(),
            }) as Rc<dyn Any>
        })
    }

    fn restore_handlers(&self, saved: &Rc<dyn Any>) {
        let Some(saved) = saved.downcast_ref::<Saved>() else { return };
        Python::attach(|py| {
            let restored = saved
                .handlers
                .bind(py)
                .call_method0("copy")
                .and_then(|copy| py.import("bb.event")?.call_method1("set_class_handlers", (copy,)));
            if let Err(error) = restored {
                error.write_unraisable(py, None);
            }
        });
    }

    fn restore_functions(&self, saved: &Rc<dyn Any>) {
        let Some(saved) = saved.downcast_ref::<Saved>() else { return };
        Python::attach(|py| {
            if let Ok(copy) = saved.namespace.bind(py).copy() {
                self.set_namespace(copy);
                self.version.set(saved.version);
            }
        });
    }

    fn add_pylib(&self, dir: &str, namespace: &str, _d: &DataStore) -> Result<()> {
        Python::attach(|py| {
            let run = || -> PyResult<()> {
                let path = py.import("sys")?.getattr("path")?;
                if !path.contains(dir)? {
                    path.call_method1("append", (dir,))?;
                }
                let module = py.import(namespace)?;
                self.namespace(py).set_item(namespace, &module)?;
                py.import("builtins")?.setattr(namespace, &module)?;
                self.advance(namespace);
                if module.hasattr("BBIMPORTS")? {
                    for name in module.getattr("BBIMPORTS")?.try_iter()? {
                        let name: String = name?.extract()?;
                        py.import(format!("{namespace}.{name}").as_str())?;
                    }
                }
                Ok(())
            };
            recipe(py, run())
        })
    }

    fn import_global(&self, modules: &str) -> Result<()> {
        Python::attach(|py| {
            let run = || -> PyResult<()> {
                for name in modules.split_whitespace() {
                    self.namespace(py).set_item(name, py.import(name)?)?;
                }
                Ok(())
            };
            recipe(py, run())
        })
    }
}
