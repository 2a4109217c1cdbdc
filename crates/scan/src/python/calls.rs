//! The calls in a syntax tree, and what each of them refers to.

use super::constant::{is_constant, shown, text};
use super::expansion::scan_expansion;
use super::finds::{CallVisitor, PythonRefs};
use super::source::Source;
use crate::ScanError;
use bitzel_base::CompatLevel;
use rustpython_ruff_python_ast::visitor::{Visitor, walk_expr};
use rustpython_ruff_python_ast::{Expr, ExprCall, Stmt};

/// Their first argument is a variable that is read. Matched at the end of a name.
const READ: [&str; 4] = [".getVar", ".appendVar", ".prependVar", "oe.utils.conditional"];
/// Variable and flag. Matched at the end of a name.
const READ_FLAG: [&str; 3] = [".getVarFlag", ".appendVarFlag", ".prependVarFlag"];
/// Looks for one item, spaces and all, in a variable.
const CONTAINS: [&str; 2] = ["bb.utils.contains", "base_contains"];
/// Looks for words in a variable.
const CONTAINS_ANY: [&str; 2] = ["bb.utils.contains_any", "bb.utils.filter"];
/// Runs a function of the metadata.
const EXEC: [&str; 2] = ["bb.build.exec_func", "bb.build.exec_task"];

/// Collects what the calls of a tree refer to.
pub(super) struct Calls<'s> {
    source: &'s Source<'s>,
    level: CompatLevel,
    visitor: &'s dyn CallVisitor,
    refs: PythonRefs,
    failed: Option<ScanError>,
}

impl<'s> Calls<'s> {
    pub(super) fn new(source: &'s Source<'s>, level: CompatLevel, visitor: &'s dyn CallVisitor) -> Calls<'s> {
        Calls { source, level, visitor, refs: PythonRefs::default(), failed: None }
    }

    pub(super) fn read(&mut self, body: &'s [Stmt]) {
        self.visit_body(body);
    }

    pub(super) fn finish(self) -> Result<PythonRefs, ScanError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.refs),
        }
    }

    fn call(&mut self, call: &ExprCall) -> Result<(), ScanError> {
        let Some(name) = dotted_name(&call.func) else { return Ok(()) };
        let name = name.as_str();
        if self.level >= CompatLevel::V2_18
            && let Some(found) = self.visitor.visit(name, self.source.text_of(call))
        {
            self.refs.execs.extend(found.execs);
            for (variable, items) in found.contains {
                self.refs.contains.entry(variable).or_default().extend(items);
            }
            return Ok(());
        }
        let args = Arguments { name, args: &call.arguments.args };
        let ends_with = |names: &[&str]| names.iter().any(|end| name.ends_with(end));
        if ends_with(&READ) || CONTAINS.contains(&name) || CONTAINS_ANY.contains(&name) {
            self.read_variable(&args)
        } else if name.ends_with(".expand") {
            if let Some(value) = text(Some(args.get(0)?)) {
                self.refs.merge(scan_expansion(value, self.level, self.visitor)?);
            }
            Ok(())
        } else if EXEC.contains(&name) {
            self.exec(&args)
        } else if ends_with(&READ_FLAG) {
            self.read_flag(&args)
        } else {
            self.refs.execs.insert(name.into());
            Ok(())
        }
    }

    fn read_variable(&mut self, args: &Arguments<'_>) -> Result<(), ScanError> {
        let Some(variable) = text(Some(args.get(0)?)) else { return Ok(()) };
        let one = CONTAINS.contains(&args.name);
        if (one || CONTAINS_ANY.contains(&args.name)) && is_constant(Some(args.get(1)?)) {
            let items = text(Some(args.get(1)?)).ok_or_else(|| args.wrong(1))?;
            let found = self.refs.contains.entry(variable.into()).or_default();
            if one {
                found.insert(items.into());
            } else {
                found.extend(items.split_whitespace().map(Box::from));
            }
        } else {
            self.refs.references.insert(variable.into());
        }
        Ok(())
    }

    fn read_flag(&mut self, args: &Arguments<'_>) -> Result<(), ScanError> {
        let Some(variable) = text(Some(args.get(0)?)) else { return Ok(()) };
        if is_constant(Some(args.get(1)?)) {
            let flag = shown(Some(args.get(1)?)).ok_or_else(|| args.wrong(1))?;
            self.refs.references.insert(format!("{variable}[{flag}]").into());
        }
        Ok(())
    }

    fn exec(&mut self, args: &Arguments<'_>) -> Result<(), ScanError> {
        let function = args.get(0)?;
        if let Some(function) = text(Some(function)) {
            self.refs.var_execs.insert(function.into());
            self.refs.execs.insert(function.into());
            Ok(())
        } else if is_constant(Some(function)) {
            Err(args.wrong(0))
        } else {
            Ok(())
        }
    }
}

impl<'s> Visitor<'s> for Calls<'s> {
    fn visit_expr(&mut self, expr: &'s Expr) {
        if let Expr::Call(call) = expr
            && let Err(error) = self.call(call)
        {
            self.failed.get_or_insert(error);
        }
        walk_expr(self, expr);
    }
}

impl PythonRefs {
    /// Adds what another piece of code refers to.
    pub(super) fn merge(&mut self, other: PythonRefs) {
        self.references.extend(other.references);
        self.execs.extend(other.execs);
        self.var_execs.extend(other.var_execs);
        for (variable, items) in other.contains {
            self.contains.entry(variable).or_default().extend(items);
        }
    }
}

/// Positional arguments of a call the scan knows.
struct Arguments<'a> {
    name: &'a str,
    args: &'a [Expr],
}

impl<'a> Arguments<'a> {
    fn get(&self, index: usize) -> Result<&'a Expr, ScanError> {
        self.args.get(index).ok_or_else(|| self.wrong(index))
    }

    fn wrong(&self, index: usize) -> ScanError {
        ScanError::PythonArgument { function: self.name.into(), position: index + 1 }
    }
}

/// `a.b.c` for attributes of a name; none for any other expression.
pub(super) fn dotted_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => {
            let mut name = dotted_name(&attribute.value)?;
            name.push('.');
            name.push_str(attribute.attr.as_str());
            Some(name)
        }
        _ => None,
    }
}
