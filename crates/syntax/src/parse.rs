//! From text to statements.

use crate::addtask;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Severity};
use crate::scan::{Block, BlockKind, scan};
use crate::shape::{Dialect, Keyword, Simple, is_anonymous};
use crate::statement::{Statement, StatementKind};
use crate::text::Lines;
use crate::tree::{self, SyntaxNode};
use bitzel_base::CompatLevel;
use std::ops::Range;
use std::sync::Arc;

/// What may stand in a file. BitBake goes by the name's end alone, whoever includes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `.conf`: assignments, `include`, `require`, `export`, `unset` and the like.
    Conf,
    /// `.bb`, `.bbclass`, `.inc` and `.bbappend`: functions, `inherit` and tasks too.
    Recipe,
}

impl FileKind {
    /// The kind of a file of this name; `None` where BitBake says `not a BitBake file`. That it says
    /// of a `.bbappend` too, which it reads only as a part of its recipe.
    pub fn of_name(name: &str) -> Option<FileKind> {
        if name.ends_with(".conf") {
            return Some(FileKind::Conf);
        }
        // BitBake: dots that begin a name begin no ending.
        let base = name.rsplit('/').next().unwrap_or(name).trim_start_matches('.');
        let (_, ending) = base.rsplit_once('.')?;
        matches!(ending, "bb" | "bbclass" | "inc").then_some(FileKind::Recipe)
    }
}

/// A parsed file.
#[derive(Clone, Debug)]
pub struct Parse {
    text: Arc<str>,
    dialect: Dialect,
    statements: Arc<[Statement]>,
    diagnostics: Vec<Diagnostic>,
}

impl Parse {
    /// What the file says, in order. Lines that are errors are left out.
    pub fn statements(&self) -> &Arc<[Statement]> {
        &self.statements
    }

    /// What is wrong, in the order BitBake would come upon it if it went on after errors.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The finding at which BitBake gives up, if there is one.
    pub fn error(&self) -> Option<&Diagnostic> {
        self.diagnostics.iter().find(|d| d.severity() > Severity::Warning)
    }

    /// The lossless tree, made anew by each call; its text is the file's.
    pub fn syntax(&self) -> SyntaxNode {
        tree::build(&self.text, self.dialect)
    }
}

/// Parses a file. `base_config`: it is read as part of the base configuration, where `addpylib` is known.
pub fn parse(text: &str, kind: FileKind, level: CompatLevel, base_config: bool) -> Parse {
    let recipe = kind == FileKind::Recipe;
    let dialect = Dialect { level, recipe, pylib: base_config && !recipe };
    let builder = Builder { file: text, level };
    let mut statements = Vec::new();
    let diagnostics = scan(text, dialect, &mut |block, found| {
        let line = block.line;
        let report = &mut |kind| found.push(Diagnostic { line, kind });
        if let Some(kind) = builder.block(block, report) {
            statements.push(Statement { line, kind });
        }
    });
    Parse { text: text.into(), dialect, statements: statements.into(), diagnostics }
}

struct Builder<'a> {
    file: &'a str,
    level: CompatLevel,
}

impl Builder<'_> {
    fn block(&self, block: Block<'_>, report: &mut dyn FnMut(DiagnosticKind)) -> Option<StatementKind> {
        let line = block.line;
        Some(match block.kind {
            BlockKind::Blank | BlockKind::Comment | BlockKind::Bad => return None,
            BlockKind::Line { joined, shape } => self.line(joined.text, shape, report),
            BlockKind::Function { joined, name, python, fakeroot, body } => {
                let name = &joined.text[name];
                StatementKind::Function {
                    name: if is_anonymous(name) { "" } else { name }.into(),
                    python,
                    fakeroot,
                    body: self.lines(body).into(),
                    body_line: line - block.body_lines - 1,
                }
            }
            BlockKind::Def { joined, name, body } => {
                let mut text = joined.text.to_owned();
                if block.body_lines > 0 {
                    text.push('\n');
                    text.push_str(&self.lines(body));
                    text.pop();
                }
                let body_line = line - block.body_lines - 2;
                StatementKind::Def { name: joined.text[name].into(), text: text.into(), body_line }
            }
        })
    }

    /// The lines of a range without trailing white space, each ended by a newline.
    fn lines(&self, range: Range<usize>) -> String {
        let mut out = String::with_capacity(range.len());
        for line in Lines::new(&self.file[range]) {
            out.push_str(line.text);
            out.push('\n');
        }
        out
    }

    fn line(&self, text: &str, shape: Simple, report: &mut dyn FnMut(DiagnosticKind)) -> StatementKind {
        let part = |range: Range<usize>| Arc::from(&text[range]);
        match shape {
            Simple::Assign(found) => {
                if !found.spaced && self.level >= CompatLevel::V2_18 {
                    report(DiagnosticKind::NoSpaceAroundOperator(text.into()));
                }
                StatementKind::Assign {
                    export: found.export,
                    name: part(found.name),
                    flag: found.flag.map(part),
                    op: found.op,
                    value: part(found.value),
                }
            }
            Simple::AddTask(rest) => {
                let (statement, diagnostics) = addtask::statement(&text[rest], self.level);
                diagnostics.into_iter().for_each(report);
                statement
            }
            Simple::Keyword(keyword, rest) => keyword_statement(keyword, part(rest)),
            Simple::UnsetFlag { name, flag } => StatementKind::UnsetFlag(part(name), part(flag)),
            Simple::AddPyLib([dir, namespace]) => StatementKind::AddPyLib(part(dir), part(namespace)),
            Simple::AddFragments([prefix, variable, flagged, builtins]) => StatementKind::AddFragments {
                prefix: part(prefix),
                variable: part(variable),
                flagged: part(flagged),
                builtins: part(builtins),
            },
        }
    }
}

fn keyword_statement(keyword: Keyword, rest: Arc<str>) -> StatementKind {
    match keyword {
        Keyword::ExportFunctions => StatementKind::ExportFunctions(rest),
        Keyword::DelTask => StatementKind::DelTask(rest),
        Keyword::AddHandler => StatementKind::AddHandler(rest),
        Keyword::Inherit => StatementKind::Inherit(rest),
        Keyword::InheritDefer => StatementKind::InheritDefer(rest),
        Keyword::Include => StatementKind::Include { what: rest, required: false },
        Keyword::Require => StatementKind::Include { what: rest, required: true },
        Keyword::IncludeAll => StatementKind::IncludeAll(rest),
        Keyword::Export => StatementKind::Export(rest),
        Keyword::Unset => StatementKind::Unset(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_name_says_what_may_be_in_a_file() {
        for name in ["a.conf", "d/.conf", "..conf"] {
            assert_eq!(FileKind::of_name(name), Some(FileKind::Conf), "{name}");
        }
        for name in ["a.bb", "a.bbclass", "a.inc", "a.conf.bb", "a.b.inc"] {
            assert_eq!(FileKind::of_name(name), Some(FileKind::Recipe), "{name}");
        }
        for name in ["a", "a.", ".bb", "d/..inc", "a.bbappend", "a.BB", "a.conf.in", "d.bb/a", ""] {
            assert_eq!(FileKind::of_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_first_error_ends_what_bitbake_would_read() {
        let parsed = parse("A=\"b\"\nB\nC = 'd'\n}\n", FileKind::Recipe, CompatLevel::V2_18, false);
        let error = parsed.error().expect("there is one");
        assert_eq!((error.line, error.message("x.bb").to_string()), (2, "unparsed line: 'B'".to_owned()));
        assert_eq!(parsed.diagnostics().len(), 3);
        assert_eq!(parsed.statements().len(), 2);
    }
}
