//! What is found in Python code, and the entry points.

use super::calls::Calls;
use super::source::parse;
use crate::ScanError;
use bitzel_base::CompatLevel;
use std::collections::{BTreeMap, BTreeSet};

/// What Python code refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PythonRefs {
    /// Variables read, and flags as `VAR[flag]`.
    pub references: BTreeSet<Box<str>>,
    /// Dotted names of functions called, and those of `var_execs`. Which of
    /// them are variables or library functions is for the caller to know.
    pub execs: BTreeSet<Box<str>>,
    /// Functions run by `bb.build.exec_func` and `exec_task`.
    pub var_execs: BTreeSet<Box<str>>,
    /// Variable to the items that `bb.utils.contains` and its kin look for in it.
    pub contains: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
}

/// What a [`CallVisitor`] says a call refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFinds {
    /// As [`PythonRefs::execs`].
    pub execs: BTreeSet<Box<str>>,
    /// As [`PythonRefs::contains`].
    pub contains: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
}

/// Knows library functions that say themselves what a call of them refers to:
/// those with an attribute `visitorcode`, such as `oe.qa.handle_error` (level 2.18).
pub trait CallVisitor {
    /// What the call `call` (its text, all of it) of the function with the
    /// dotted name `function` refers to; none for functions without `visitorcode`.
    ///
    /// # Errors
    /// [`ScanError::Visitor`] where the `visitorcode` fails.
    fn visit(&self, function: &str, call: &str) -> Result<Option<CallFinds>, ScanError>;
}

/// No function has `visitorcode`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoVisitor;

impl CallVisitor for NoVisitor {
    fn visit(&self, _function: &str, _call: &str) -> Result<Option<CallFinds>, ScanError> {
        Ok(None)
    }
}

/// Finds what Python code refers to: a function's body, indented or not, or an
/// expression of `${@...}`. See [`scan_python_with`].
///
/// # Errors
/// Where the text is no Python, or calls a function that the scan knows with
/// arguments BitBake's scan fails on.
pub fn scan_python(text: &str, level: CompatLevel) -> Result<PythonRefs, ScanError> {
    scan_python_with(text, level, &NoVisitor)
}

/// Finds what Python code refers to, asking `visitor` about library functions.
///
/// BitBake: `PythonParser.parse_python` (feature map 1.20). Only calls count,
/// and only string literals as their arguments: `d.getVar("A" + x)` refers to
/// nothing, nor does a call on a value (`f().g()`).
///
/// # Errors
/// As [`scan_python`].
pub fn scan_python_with(
    text: &str,
    level: CompatLevel,
    visitor: &dyn CallVisitor,
) -> Result<PythonRefs, ScanError> {
    let Some(source) = parse(text)? else { return Ok(PythonRefs::default()) };
    let mut calls = Calls::new(&source, level, visitor);
    calls.read(source.body());
    calls.finish()
}
