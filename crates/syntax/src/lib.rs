//! .conf, .bb, .bbclass, .inc and .bbappend files: lossless, error-resilient
//! trees, and the statements they hold.
//!
//! [`parse`] gives a file's statements and everything that is wrong with it. Nothing is expanded
//! and no other file is read. Names and values are as written; line numbers and messages are those
//! of BitBake. The rules are in the BitBake User Manual, chapter "Syntax and Operators"; where the
//! manual is silent, they are what BitBake was seen to do.
//!
//! A file is read once from top to bottom: `scan` takes it apart into blocks of lines, `shape` says
//! what statement a line is, and from these `parse` makes statements and `tree` makes trees.

mod addtask;
mod assign;
mod diagnostic;
mod parse;
mod scan;
mod shape;
mod statement;
mod text;
mod tree;

pub use diagnostic::{Diagnostic, DiagnosticKind, Severity};
pub use parse::{FileKind, Parse, parse};
pub use statement::{AssignOp, Statement, StatementKind};
pub use tree::{BitBakeLanguage, SyntaxKind, SyntaxNode, SyntaxToken};
