//! What texts refer to, found once for each distinct text of the process.

use super::known::Lookup;
use crate::context::Context;
use crate::symbol::Sym;
use crate::{Error, Result};
use bitzel_scan::{CallVisitor, PythonRefs, scan_python_with, scan_shell};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// What a piece of code refers to, as symbols.
#[derive(Debug, Default)]
pub(crate) struct CodeFinds {
    /// Variables and flags, whether they exist or not.
    pub(crate) references: Vec<Sym>,
    /// Names that count if something of that name exists.
    pub(crate) execs: Vec<Sym>,
    /// Variable and the items looked for in it.
    pub(crate) contains: Vec<Lookup>,
}

/// Finds by text. Grows with the number of distinct texts.
#[derive(Default)]
pub(crate) struct FindCache {
    shell: FxHashMap<Rc<str>, Rc<[Sym]>>,
    python: FxHashMap<Rc<str>, Rc<CodeFinds>>,
}

impl FindCache {
    /// Names of the commands that shell text runs.
    pub(crate) fn shell(&mut self, text: &Rc<str>, context: &Context, name: &str) -> Result<Rc<[Sym]>> {
        if let Some(found) = self.shell.get(text) {
            return Ok(found.clone());
        }
        let refs = scan_shell(text, context.level()).map_err(|error| failed(name, error))?;
        let found: Rc<[Sym]> = refs.execs.iter().map(|exec| context.sym(exec)).collect();
        self.shell.insert(text.clone(), found.clone());
        Ok(found)
    }

    /// What Python code refers to.
    pub(crate) fn python(
        &mut self,
        code: &str,
        context: &Context,
        name: &str,
        visitor: &dyn CallVisitor,
    ) -> Result<Rc<CodeFinds>> {
        if let Some(found) = self.python.get(code) {
            return Ok(found.clone());
        }
        let refs = scan_python_with(code, context.level(), visitor).map_err(|error| failed(name, error))?;
        let found = Rc::new(CodeFinds::new(&refs, context));
        self.python.insert(code.into(), found.clone());
        Ok(found)
    }
}

impl CodeFinds {
    pub(crate) fn new(refs: &PythonRefs, context: &Context) -> CodeFinds {
        CodeFinds {
            references: refs.references.iter().map(|name| context.sym(name)).collect(),
            execs: refs.execs.iter().map(|name| context.sym(name)).collect(),
            contains: refs
                .contains
                .iter()
                .flat_map(|(variable, items)| {
                    let variable = context.sym(variable);
                    items.iter().map(move |item| (variable, context.sym(item)))
                })
                .collect(),
        }
    }
}

fn failed(name: &str, error: bitzel_scan::ScanError) -> Error {
    Error::Scan { name: name.to_owned(), error }
}
