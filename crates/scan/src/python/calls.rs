//! The calls in a syntax tree, and what each of them refers to.

use super::constant::{is_constant, shown, text};
use super::expansion::scan_expansion;
use super::finds::{CallVisitor, PythonRefs};
use super::source::Source;
use crate::ScanError;
use bitzel_base::CompatLevel;
use rustpython_ruff_python_ast::visitor::{
    Visitor, walk_comprehension, walk_except_handler, walk_expr, walk_interpolated_string_element,
    walk_keyword, walk_match_case, walk_parameter, walk_parameters, walk_pattern, walk_stmt, walk_with_item,
};
use rustpython_ruff_python_ast::{
    Comprehension, ExceptHandler, Expr, ExprCall, InterpolatedStringElement, Keyword, MatchCase, Parameter,
    Parameters, Pattern, Stmt, WithItem,
};
use std::collections::BTreeSet;

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
    /// Kept apart until all are known: a later answer of a visitor takes the place of what
    /// was looked for in the variable before, and BitBake goes through the tree level by level.
    contains: Vec<Contains>,
    /// Level of the node visited in the tree as Python has it.
    depth: usize,
    failed: Option<ScanError>,
}

/// Items looked for in a variable.
struct Contains {
    depth: usize,
    variable: Box<str>,
    items: BTreeSet<Box<str>>,
    replaces: bool,
}

impl<'s> Calls<'s> {
    pub(super) fn new(source: &'s Source<'s>, level: CompatLevel, visitor: &'s dyn CallVisitor) -> Calls<'s> {
        let refs = PythonRefs::default();
        Calls { source, level, visitor, refs, contains: Vec::new(), depth: 0, failed: None }
    }

    pub(super) fn read(&mut self, body: &'s [Stmt]) {
        self.visit_body(body);
    }

    pub(super) fn finish(mut self) -> Result<PythonRefs, ScanError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.contains.sort_by_key(|found| found.depth);
        for found in self.contains {
            let items = self.refs.contains.entry(found.variable).or_default();
            if found.replaces {
                items.clear();
            }
            items.extend(found.items);
        }
        Ok(self.refs)
    }

    fn add_contains(&mut self, variable: Box<str>, items: BTreeSet<Box<str>>, replaces: bool) {
        self.contains.push(Contains { depth: self.depth, variable, items, replaces });
    }

    /// Visits what is one level further down.
    fn below(&mut self, visit: impl FnOnce(&mut Self)) {
        self.depth += 1;
        visit(self);
        self.depth -= 1;
    }

    fn call(&mut self, call: &ExprCall) -> Result<(), ScanError> {
        let Some(name) = dotted_name(&call.func) else { return Ok(()) };
        let name = name.as_str();
        if self.level >= CompatLevel::V2_18
            && let Some(found) = self.visitor.visit(name, self.source.text_of(call))?
        {
            self.refs.execs.extend(found.execs);
            for (variable, items) in found.contains {
                self.add_contains(variable, items, true);
            }
            return Ok(());
        }
        let args = Arguments { name, args: &call.arguments.args };
        let ends_with = |names: &[&str]| names.iter().any(|end| name.ends_with(end));
        if ends_with(&READ) || CONTAINS.contains(&name) || CONTAINS_ANY.contains(&name) {
            self.read_variable(&args)
        } else if name.ends_with(".expand") {
            if let Some(value) = text(Some(args.get(0)?)) {
                let mut found = scan_expansion(value, self.level, self.visitor)?;
                for (variable, items) in std::mem::take(&mut found.contains) {
                    self.add_contains(variable, items, false);
                }
                self.refs.merge(found);
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
            let items = if one {
                BTreeSet::from([items.into()])
            } else {
                items.split_whitespace().map(Box::from).collect()
            };
            self.add_contains(variable.into(), items, false);
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
    fn visit_stmt(&mut self, stmt: &'s Stmt) {
        self.below(|calls| {
            let Stmt::If(branch) = stmt else { return walk_stmt(calls, stmt) };
            calls.visit_expr(&branch.test);
            calls.visit_body(&branch.body);
            let depth = calls.depth;
            for clause in &branch.elif_else_clauses {
                // In Python's tree an `elif` is an `if` inside of the `else` before it.
                if let Some(test) = &clause.test {
                    calls.depth += 1;
                    calls.visit_expr(test);
                }
                calls.visit_body(&clause.body);
            }
            calls.depth = depth;
        });
    }

    fn visit_expr(&mut self, expr: &'s Expr) {
        self.below(|calls| {
            if let Expr::Call(call) = expr
                && let Err(error) = calls.call(call)
            {
                calls.failed.get_or_insert(error);
            }
            walk_expr(calls, expr);
        });
    }

    fn visit_comprehension(&mut self, comprehension: &'s Comprehension) {
        self.below(|calls| walk_comprehension(calls, comprehension));
    }

    fn visit_except_handler(&mut self, handler: &'s ExceptHandler) {
        self.below(|calls| walk_except_handler(calls, handler));
    }

    fn visit_parameters(&mut self, parameters: &'s Parameters) {
        self.below(|calls| walk_parameters(calls, parameters));
    }

    fn visit_parameter(&mut self, parameter: &'s Parameter) {
        self.below(|calls| walk_parameter(calls, parameter));
    }

    fn visit_keyword(&mut self, keyword: &'s Keyword) {
        self.below(|calls| walk_keyword(calls, keyword));
    }

    fn visit_with_item(&mut self, item: &'s WithItem) {
        self.below(|calls| walk_with_item(calls, item));
    }

    fn visit_match_case(&mut self, case: &'s MatchCase) {
        self.below(|calls| walk_match_case(calls, case));
    }

    fn visit_pattern(&mut self, pattern: &'s Pattern) {
        self.below(|calls| walk_pattern(calls, pattern));
    }

    fn visit_interpolated_string_element(&mut self, element: &'s InterpolatedStringElement) {
        self.below(|calls| walk_interpolated_string_element(calls, element));
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
