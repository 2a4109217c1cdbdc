//! Inline expressions: compiled once per text, run with `d` and, where a name is
//! nothing else, with variables as names.

use crate::convert::option_to_python;
use crate::datasmart::DataSmart;
use crate::failure::OrRaise;
use bitzel_data::{DataStore, Lifetime};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PySet};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A compiled expression.
struct Compiled {
    code: Py<PyAny>,
    /// Names it loads that are neither `d` nor built in.
    names: Vec<String>,
    /// Holds comprehensions or lambdas: those see globals only.
    nested: bool,
}

/// Compiled expressions by text.
#[derive(Default)]
pub(crate) struct InlineCode {
    compiled: RefCell<HashMap<Rc<str>, Rc<Compiled>>>,
}

impl InlineCode {
    /// `str()` of the value of `code`.
    pub(crate) fn eval<'py>(
        &self,
        py: Python<'py>,
        globals: &Bound<'py, PyDict>,
        store: &DataStore,
        variable: Option<&str>,
        code: &str,
    ) -> PyResult<Rc<str>> {
        let compiled = self.compiled(py, variable, code)?;
        let d = Bound::new(py, DataSmart::from(store.clone()))?;
        let value = run(py, &compiled, globals, store, &d)?;
        if let Ok(text) = value.cast_exact::<pyo3::types::PyString>() {
            return crate::convert::text_of(text);
        }
        crate::convert::text_of(&value.str()?)
    }

    fn compiled(&self, py: Python<'_>, variable: Option<&str>, code: &str) -> PyResult<Rc<Compiled>> {
        if let Some(compiled) = self.compiled.borrow().get(code) {
            return Ok(compiled.clone());
        }
        let file = variable.map_or_else(|| "<expansion>".to_owned(), |name| format!("Var <{name}>"));
        let ast = py.import("ast")?;
        let builtins = py.import("builtins")?;
        let tree = ast.call_method1("parse", (code.trim(), &file, "eval"))?;
        let object = builtins.call_method1("compile", (&tree, &file, "eval"))?;
        let names = PySet::empty(py)?;
        let mut nested = false;
        let (name, load) = (ast.getattr("Name")?, ast.getattr("Load")?);
        let scopes: Vec<Bound<'_, PyAny>> = ["ListComp", "SetComp", "DictComp", "GeneratorExp", "Lambda"]
            .iter()
            .map(|scope| ast.getattr(*scope))
            .collect::<PyResult<_>>()?;
        for node in ast.call_method1("walk", (&tree,))?.try_iter()? {
            let node = node?;
            if node.is_instance(&name)? {
                if node.getattr("ctx")?.is_instance(&load)? {
                    names.add(node.getattr("id")?)?;
                }
            } else {
                for scope in &scopes {
                    nested |= node.is_instance(scope)?;
                }
            }
        }
        let mut loaded: Vec<String> = Vec::new();
        for name in names.iter() {
            let name: String = name.extract()?;
            if name != "d" && !builtins.hasattr(&*name)? {
                loaded.push(name);
            }
        }
        let compiled = Rc::new(Compiled { code: object.unbind(), names: loaded, nested });
        self.compiled.borrow_mut().insert(code.into(), compiled.clone());
        Ok(compiled)
    }
}

fn run<'py>(
    py: Python<'py>,
    compiled: &Compiled,
    globals: &Bound<'py, PyDict>,
    store: &DataStore,
    d: &Bound<'py, DataSmart>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut known = true;
    for name in &compiled.names {
        known &= globals.contains(name)?;
    }
    let globals = if compiled.nested {
        let copy = globals.copy()?;
        copy.set_item("d", d)?;
        copy
    } else {
        globals.clone()
    };
    if known {
        let locals = PyDict::new(py);
        locals.set_item("d", d)?;
        return eval_code(py, &compiled.code, &globals, locals.as_any());
    }
    let scope =
        VariableScope { store: store.clone(), d: d.clone().unbind(), globals: globals.clone().unbind() };
    let scope = Bound::new(py, scope)?;
    eval_code(py, &compiled.code, &globals, scope.as_any())
}

#[allow(unsafe_code)]
fn eval_code<'py>(
    py: Python<'py>,
    code: &Py<PyAny>,
    globals: &Bound<'py, PyDict>,
    locals: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: `code` is a code object made by `compile`, `globals` a dict and `locals` a
    // mapping, as PyEval_EvalCode demands; it answers with a new reference or NULL and an
    // exception set. There is no safe call for a compiled expression.
    unsafe {
        let result = pyo3::ffi::PyEval_EvalCode(code.as_ptr(), globals.as_ptr(), locals.as_ptr());
        Bound::from_owned_ptr_or_err(py, result)
    }
}

/// The local names of an expression: `d`, and variables whose names mean nothing else.
#[pyclass(unsendable)]
pub struct VariableScope {
    store: DataStore,
    d: Py<DataSmart>,
    globals: Py<PyDict>,
}

#[pymethods]
impl VariableScope {
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        if name == "d" {
            return Ok(self.d.bind(py).clone().into_any());
        }
        let taken = self.globals.bind(py).contains(name)? || py.import("builtins")?.hasattr(name)?;
        if !taken {
            let value = self.store.get(name).or_raise(py)?;
            if value.is_some() {
                return option_to_python(py, &value);
            }
        }
        Err(PyKeyError::new_err(name.to_owned()))
    }
}

/// Names that mean the same everywhere.
const MODULES: [&str; 4] = ["bb", "oe", "os", "time"];

/// What an expression's text must mention to look at more than variables.
const OUTSIDE: [&str; 14] = [
    "getpid",
    "time.",
    "random",
    "uuid",
    "exists",
    "isfile",
    "isdir",
    "listdir",
    "open(",
    "glob",
    "environ",
    "getcwd",
    "lockfile",
    "subprocess",
];

impl InlineCode {
    /// How long an expression's result may be kept: judged by what its text mentions, and
    /// by whether it uses names that metadata defines.
    pub(crate) fn lifetime(&self, py: Python<'_>, globals: &Bound<'_, PyDict>, code: &str) -> Lifetime {
        if OUTSIDE.iter().any(|word| code.contains(word)) {
            return Lifetime::UntilWrite;
        }
        let Ok(compiled) = self.compiled(py, None, code) else { return Lifetime::UntilWrite };
        let names: Vec<&str> =
            compiled.names.iter().map(String::as_str).filter(|name| !MODULES.contains(name)).collect();
        if names.is_empty() {
            return Lifetime::WhileInputsHold;
        }
        // An object that is neither function nor module may be another one at the next look.
        let changeable = |name: &&str| match globals.get_item(name) {
            Ok(Some(object)) => !(object.is_callable() || object.is_instance_of::<PyModule>()),
            _ => false,
        };
        if names.iter().any(changeable) { Lifetime::UntilWrite } else { Lifetime::WhileFunctionsHold }
    }
}
