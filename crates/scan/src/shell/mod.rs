//! Shell: a parser of the POSIX grammar with exactly the habits of the one
//! BitBake uses, because what it finds goes into signatures.

mod finds;
mod grammar;
mod heredoc;
mod lexer;
mod quoting;
mod token;

pub use finds::{ShellRefs, scan_shell};
