//! What is wrong with a file, in BitBake's own words.

use std::fmt;
use std::sync::Arc;

/// What a diagnostic means for the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Logged; the file is used.
    Warning,
    /// BitBake: `ParseError`, which ends parsing; its text is `ParseError at FILE:LINE: MESSAGE`.
    Error,
    /// BitBake: logged as CRITICAL, then `BBHandledException`, which ends parsing.
    Fatal,
}

/// Kinds of diagnostics. Texts they hold are lines of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiagnosticKind {
    /// No statement.
    UnparsedLine(Arc<str>),
    /// An assignment to nothing (2.18).
    EmptyVariable(Arc<str>),
    /// The file ends in a continued statement: its lines as a Python list.
    UnparsedLines(Arc<str>),
    /// The file ends within a function: its body as a Python list.
    UnclosedBody(Arc<str>),
    /// The file ends behind the first line of the function of this name.
    UnclosedFunction(Arc<str>),
    /// A statement begins with a line that holds nothing but a backslash.
    EmptyContinuedLine,
    /// A comment within a continued statement.
    CommentInStatement(Arc<str>),
    /// A continued comment goes on as something else: its lines so far.
    ContinuedComment(Arc<str>),
    /// The same in a .conf file, where the lines are given as they stand.
    ContinuedConfComment(Arc<str>),
    /// No white space on one side of the operator (2.18).
    NoSpaceAroundOperator(Arc<str>),
    /// Python indented by tabs.
    TabIndent,
    /// `addtask` with something behind the task that is neither `after` nor `before` (2.8).
    AddTaskIgnored(Arc<str>),
    /// `addtask` with this keyword more than once (2.8).
    AddTaskRepeated(&'static str),
}

/// A finding and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Line that BitBake names, counted from 1. At the end of the file it is one more than the last.
    pub line: u32,
    /// What is wrong.
    pub kind: DiagnosticKind,
}

impl Diagnostic {
    /// What it means for the file.
    pub fn severity(&self) -> Severity {
        use DiagnosticKind::*;
        match self.kind {
            UnparsedLine(_) | EmptyVariable(_) | UnparsedLines(_) | UnclosedBody(_) => Severity::Error,
            UnclosedFunction(_) | EmptyContinuedLine => Severity::Error,
            CommentInStatement(_) | ContinuedComment(_) | ContinuedConfComment(_) => Severity::Fatal,
            NoSpaceAroundOperator(_) | TabIndent | AddTaskIgnored(_) | AddTaskRepeated(_) => {
                Severity::Warning
            }
        }
    }

    /// The message BitBake gives, where `file` is the name it knows the file by.
    pub fn message<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        Message { diagnostic: self, file }
    }
}

struct Message<'a> {
    diagnostic: &'a Diagnostic,
    file: &'a str,
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DiagnosticKind::*;
        let (file, line) = (self.file, self.diagnostic.line);
        match &self.diagnostic.kind {
            UnparsedLine(text) => write!(f, "unparsed line: '{text}'"),
            EmptyVariable(text) => write!(f, "Empty variable name in assignment: '{text}'"),
            UnparsedLines(lines) => write!(f, "Unparsed lines {file}: {lines}"),
            UnclosedBody(lines) => write!(f, "Unparsed lines from unclosed function {file}: {lines}"),
            // BitBake: says so of Python functions too.
            UnclosedFunction(name) => write!(f, "Shell function {name} is never closed"),
            EmptyContinuedLine => f.write_str("a statement begins with a line that is only a backslash"),
            CommentInStatement(text) => write!(
                f,
                "There is a comment on line {line} of file {file}:\n'''\n{text}\n'''\n\
                 which is in the middle of a multiline expression. This syntax is invalid, please correct it."
            ),
            ContinuedComment(text) => write!(
                f,
                "There is a confusing multiline partially commented expression on line {line} of file {file}:\n\
                 {text}\nPlease clarify whether this is all a comment or should be parsed."
            ),
            ContinuedConfComment(text) => write!(
                f,
                "There is a confusing multiline, partially commented expression starting on line {line} of file \
                 {file}:\n{text}\nPlease clarify whether this is all a comment or should be parsed."
            ),
            NoSpaceAroundOperator(text) => {
                write!(f, "{file}:{line} has a lack of whitespace around the assignment: '{text}'")
            }
            TabIndent => {
                write!(f, "python should use 4 spaces indentation, but found tabs in {file}, line {line}")
            }
            AddTaskIgnored(text) => write!(f, "addtask ignored: \"{text}\""),
            AddTaskRepeated(keyword) => {
                write!(f, "addtask contained multiple '{keyword}' keywords, only one is supported")
            }
        }
    }
}
