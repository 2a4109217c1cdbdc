//! Library functions: the modules of `addpylib` and what their functions refer to.

use super::calls::Calls;
use super::constant::text;
use super::finds::{CallVisitor, PythonRefs};
use super::source::{Source, parse};
use crate::ScanError;
use bitzel_base::CompatLevel;
use rustpython_ruff_python_ast::{Decorator, Expr, Stmt};
use rustpython_ruff_text_size::Ranged;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;

/// A function or class of a library module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleFunction {
    /// Namespace and name: `oe.utils.conditional`.
    pub name: Box<str>,
    /// What it refers to. Calls of functions of the same module have the
    /// namespace before them; `bb.parse.vardeps` and `vardepsexclude` are applied.
    pub refs: PythonRefs,
    /// The value it has in signatures: sha256, in hex, of as many newlines as
    /// the number of its first line, and its source text with decorators.
    pub source_hash: Box<str>,
}

/// Finds what the functions and classes of a library module refer to.
///
/// BitBake: what `addpylib` registers of one module. Names that begin with `_`
/// and those imported are not registered, but calls of imported ones get the
/// namespace too. Decorators work with literal arguments only.
///
/// # Errors
/// As [`scan_python`](crate::scan_python).
pub fn scan_module(
    text: &str,
    namespace: &str,
    level: CompatLevel,
    visitor: &dyn CallVisitor,
) -> Result<Vec<ModuleFunction>, ScanError> {
    let Some(source) = parse(text)? else { return Ok(Vec::new()) };
    let mut definitions = Vec::new();
    let mut local = BTreeSet::new();
    collect(source.body(), &mut definitions, &mut local);
    let lines = LineTable::new(text);
    let mut functions = Vec::with_capacity(definitions.len());
    for definition in definitions {
        let mut calls = Calls::new(&source, level, visitor);
        calls.read(std::slice::from_ref(definition.statement));
        let mut refs = calls.finish()?;
        refs.execs = refs.execs.into_iter().map(|name| qualified(name, namespace, &local)).collect();
        if level >= CompatLevel::V2_18 {
            apply_decorators(definition.decorators, &mut refs);
        }
        functions.push(ModuleFunction {
            name: format!("{namespace}.{}", definition.name).into(),
            refs,
            source_hash: source_hash(&source, &lines, &definition),
        });
    }
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(functions)
}

struct Definition<'s> {
    name: &'s str,
    statement: &'s Stmt,
    decorators: &'s [Decorator],
    body: &'s [Stmt],
}

/// Definitions at module level, those in `if` and `try` included, and all names
/// that stand for functions of the module.
fn collect<'s>(body: &'s [Stmt], definitions: &mut Vec<Definition<'s>>, local: &mut BTreeSet<&'s str>) {
    let public = |name: &str| !name.starts_with('_');
    for statement in body {
        let (name, decorators, body) = match statement {
            Stmt::FunctionDef(def) => (def.name.as_str(), &def.decorator_list, &def.body),
            Stmt::ClassDef(def) => (def.name.as_str(), &def.decorator_list, &def.body),
            Stmt::ImportFrom(import) => {
                let names = import.names.iter().map(|n| n.asname.as_ref().unwrap_or(&n.name).as_str());
                local.extend(names.filter(|name| public(name)));
                continue;
            }
            Stmt::Assign(assign) => {
                // The name stands for something else from here on.
                let targets = assign.targets.iter().filter_map(Expr::as_name_expr);
                targets.for_each(|target| definitions.retain(|d| d.name != target.id.as_str()));
                continue;
            }
            Stmt::If(branch) => {
                collect(&branch.body, definitions, local);
                branch.elif_else_clauses.iter().for_each(|c| collect(&c.body, definitions, local));
                continue;
            }
            Stmt::Try(attempt) => {
                for body in [&attempt.body, &attempt.orelse, &attempt.finalbody] {
                    collect(body, definitions, local);
                }
                continue;
            }
            _ => continue,
        };
        if public(name) {
            local.insert(name);
            definitions.retain(|definition| definition.name != name);
            definitions.push(Definition { name, statement, decorators, body });
        }
    }
}

fn qualified(name: Box<str>, namespace: &str, local: &BTreeSet<&str>) -> Box<str> {
    if local.contains(&*name) { format!("{namespace}.{name}").into() } else { name }
}

/// Adds `vardeps`, then takes `vardepsexclude` away from the variables read.
fn apply_decorators(decorators: &[Decorator], refs: &mut PythonRefs) {
    let arguments = |of: &str| {
        let mut names = Vec::new();
        for decorator in decorators {
            if let Expr::Call(call) = &decorator.expression
                && super::calls::dotted_name(&call.func).as_deref() == Some(of)
            {
                names.extend(call.arguments.args.iter().filter_map(|arg| text(Some(arg))));
            }
        }
        names
    };
    refs.references.extend(arguments("bb.parse.vardeps").into_iter().map(Box::from));
    for name in arguments("bb.parse.vardepsexclude") {
        refs.references.remove(name);
    }
}

/// Offsets of the lines of a text.
struct LineTable<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> LineTable<'t> {
    fn new(text: &'t str) -> LineTable<'t> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        LineTable { text, starts }
    }

    /// Index of the line that holds the byte at `offset`.
    fn index(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) - 1
    }

    fn line(&self, index: usize) -> Option<&'t str> {
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        (start < self.text.len()).then(|| &self.text[start..end])
    }
}

fn source_hash(source: &Source<'_>, lines: &LineTable<'_>, definition: &Definition<'_>) -> Box<str> {
    let first = definition.decorators.first().map_or(definition.statement.range(), Ranged::range).start();
    let first = lines.index(first.to_usize());
    let last = last_line(source, lines, definition);
    let mut hash = Sha256::new();
    for _ in 0..=first {
        hash.update(b"\n");
    }
    for index in first..=last {
        hash.update(lines.line(index).unwrap_or_default());
    }
    if !lines.line(last).is_some_and(|line| line.ends_with('\n')) {
        hash.update(b"\n");
    }
    hex(&hash.finalize())
}

/// The last line of a definition, as Python's `inspect` sees it: comments
/// behind the body belong to it if they are indented at least as the body is.
fn last_line(source: &Source<'_>, lines: &LineTable<'_>, definition: &Definition<'_>) -> usize {
    let end = lines.index(definition.statement.range().end().to_usize());
    let header = lines.index(definition.statement.range().start().to_usize());
    let Some(first) = definition.body.first() else { return end };
    debug_assert!(!source.text_of(first).is_empty());
    let body = first.range().start().to_usize();
    let body_line = lines.index(body);
    let indent = body - lines.starts[body_line];
    let on_own_line = lines.line(body_line).is_some_and(|line| line[..indent].trim().is_empty());
    if body_line == header || !on_own_line {
        return end;
    }
    let mut last = end;
    for index in end + 1.. {
        let Some(line) = lines.line(index) else { break };
        let comment = line.trim_start();
        if comment.starts_with('#') {
            if line.len() - comment.len() >= indent {
                last = index;
            }
        } else if !comment.is_empty() {
            break;
        }
    }
    last
}

fn hex(bytes: &[u8]) -> Box<str> {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
    }
    out.into()
}
