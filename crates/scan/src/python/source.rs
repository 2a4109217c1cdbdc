//! Python text to a syntax tree.

use crate::ScanError;
use rustpython_ruff_python_ast::PySourceType;
use rustpython_ruff_python_ast::{ModModule, Stmt};
use rustpython_ruff_python_parser::{LexicalErrorType, ParseErrorType, Parsed, parse_unchecked_source};
use rustpython_ruff_text_size::Ranged;
use std::borrow::Cow;

/// Parsed text.
pub(super) struct Source<'t> {
    text: Cow<'t, str>,
    tree: Parsed<ModModule>,
}

impl Source<'_> {
    pub(super) fn body(&self) -> &[Stmt] {
        &self.tree.syntax().body
    }

    /// The text of a node.
    pub(super) fn text_of(&self, node: &impl Ranged) -> &str {
        let range = node.range();
        &self.text[range.start().to_usize()..range.end().to_usize()]
    }
}

/// Put before indented text, to make it a block.
const BLOCK: &str = "if 1:\n";

/// Brackets nested deeper are no Python (its own limit).
const MAX_BRACKETS: usize = 200;

/// Parses text that may be indented as a whole; none if it is blank.
pub(super) fn parse(text: &str) -> Result<Option<Source<'_>>, ScanError> {
    let Some(first) = text.lines().find(|line| !line.trim().is_empty()) else { return Ok(None) };
    check_brackets(text)?;
    let (text, shift) = if first.starts_with([' ', '\t']) {
        (Cow::Owned([BLOCK, text].concat()), BLOCK.len())
    } else {
        (Cow::Borrowed(text), 0)
    };
    let tree = parse_unchecked_source(&text, PySourceType::Python);
    let failed = tree.errors().iter().find(|e| !found_by_compiler(&e.error)).map(|error| {
        let offset = error.location.start().to_usize().saturating_sub(shift);
        match &error.error {
            ParseErrorType::Lexical(LexicalErrorType::UnclosedStringError) => {
                ScanError::PythonUnclosedString { offset }
            }
            other => ScanError::PythonSyntax { offset, message: other.to_string().into() },
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(Some(Source { text, tree })),
    }
}

/// Errors that Python finds only where it compiles the tree.
fn found_by_compiler(error: &ParseErrorType) -> bool {
    matches!(error, ParseErrorType::DuplicateKeywordArgumentError(_))
}

/// The parser works recursively; this keeps it from running out of stack.
fn check_brackets(text: &str) -> Result<(), ScanError> {
    let mut depth = 0usize;
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_BRACKETS {
            return Err(ScanError::PythonSyntax { offset, message: "too many nested brackets".into() });
        }
    }
    Ok(())
}
