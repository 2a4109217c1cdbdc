//! Functions of Python libraries (`addpylib`): names like those of variables.

use super::finds::CodeFinds;
use crate::Result;
use crate::context::Context;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use bitzel_scan::ModuleFunction;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// A library function: what it refers to, and the hash of its source text.
pub(crate) struct LibraryFunction {
    pub(crate) finds: CodeFinds,
    pub(crate) source_hash: Rc<str>,
}

/// The library functions that signatures know.
#[derive(Default)]
pub struct Library {
    functions: FxHashMap<Sym, LibraryFunction>,
}

impl Library {
    /// Takes in what modules hold. `base` is the base configuration: its flags
    /// `FUNCTION[vardepsexclude]` take names away from what a function refers to.
    ///
    /// # Errors
    /// If such a flag cannot be expanded.
    pub fn new(functions: Vec<ModuleFunction>, base: &DataStore) -> Result<Library> {
        let context: &Context = base.context();
        let mut library = Library::default();
        for function in functions {
            let mut refs = function.refs;
            if let Some(Value::Str(excluded)) = base.get_flag(&function.name, "vardepsexclude", true)? {
                for name in excluded.split_whitespace() {
                    refs.references.remove(name);
                    refs.execs.remove(name);
                }
            }
            let finds = CodeFinds::new(&refs, context);
            let source_hash = Rc::from(&*function.source_hash);
            library.functions.insert(context.sym(&function.name), LibraryFunction { finds, source_hash });
        }
        Ok(library)
    }

    pub(crate) fn get(&self, name: Sym) -> Option<&LibraryFunction> {
        self.functions.get(&name)
    }
}
