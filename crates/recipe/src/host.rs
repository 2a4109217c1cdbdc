//! What evaluation needs of Python beyond inline expressions: functions defined by
//! classes, anonymous functions, event handlers. One implementation, in the
//! extension module; tests may bring their own.

use crate::Result;
use bitzel_base::SourceLoc;
use bitzel_data::{DataStore, Interp};
use std::rc::Rc;

/// Events that evaluation fires, by the names metadata knows (`bb.event.NAME`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalEvent {
    /// The base configuration is read.
    ConfigParsed,
    /// All multiconfigs are read.
    MultiConfigParsed,
    /// Before deferred inherits of a recipe (2.18).
    RecipePreDeferredInherits,
    /// Statements are done.
    RecipePreFinalise,
    /// Names with `${}` are expanded.
    RecipePostKeyExpansion,
    /// Before tasks are collected.
    RecipeTaskPreProcess,
    /// The recipe is done.
    RecipeParsed,
}

impl EvalEvent {
    /// Name of the class in `bb.event`.
    pub fn name(self) -> &'static str {
        match self {
            EvalEvent::ConfigParsed => "ConfigParsed",
            EvalEvent::MultiConfigParsed => "MultiConfigParsed",
            EvalEvent::RecipePreDeferredInherits => "RecipePreDeferredInherits",
            EvalEvent::RecipePreFinalise => "RecipePreFinalise",
            EvalEvent::RecipePostKeyExpansion => "RecipePostKeyExpansion",
            EvalEvent::RecipeTaskPreProcess => "RecipeTaskPreProcess",
            EvalEvent::RecipeParsed => "RecipeParsed",
        }
    }
}

/// An event handler as `addhandler` makes it.
pub struct Handler<'a> {
    /// Its function's name.
    pub name: &'a str,
    /// The function's body.
    pub body: &'a str,
    /// Names of event classes; empty for all.
    pub mask: &'a [Rc<str>],
    /// Where the body stands.
    pub loc: SourceLoc,
}

/// Metadata's Python.
pub trait PythonHost: Interp {
    /// Runs a `def` (or the wrapper of an anonymous function), so that its name is
    /// known to all metadata code of this recipe. `line` is the one before the text.
    fn define(&self, text: &str, file: &str, line: u32) -> Result<()>;

    /// Calls the functions `names` one after the other with `d`.
    fn call_each(&self, names: &[Rc<str>], d: &DataStore) -> Result<()>;

    /// Makes a handler known.
    fn register_handler(&self, handler: &Handler, d: &DataStore) -> Result<()>;

    /// Runs all handlers whose mask admits the event. `file` is the recipe's;
    /// `tasks` is given with `RecipeTaskPreProcess`.
    fn fire(&self, event: EvalEvent, file: &str, tasks: &[Rc<str>], d: &DataStore) -> Result<()>;

    /// What handlers and functions are known now.
    fn save(&self) -> Rc<dyn std::any::Any>;

    /// Goes back to the handlers known at `save`.
    fn restore_handlers(&self, saved: &Rc<dyn std::any::Any>);

    /// Goes back to the functions known at `save`.
    fn restore_functions(&self, saved: &Rc<dyn std::any::Any>);

    /// `addpylib DIR NAMESPACE`.
    fn add_pylib(&self, dir: &str, namespace: &str, d: &DataStore) -> Result<()>;

    /// Imports the names of BB_GLOBAL_PYMODULES for metadata code.
    fn import_global(&self, modules: &str) -> Result<()>;
}
