//! What text cannot be scanned.

use bitzel_base::ErrorKind;

/// Why text cannot be scanned. BitBake refuses such text too, and the recipe with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// `$((`: BitBake's shell parser does not know arithmetic.
    #[error("shell arithmetic `$((` is not supported: use `expr` or move it into a script")]
    ShellArithmetic,
    /// A construct BitBake's shell parser knows but does not take.
    #[error("not supported in shell text: {what}")]
    ShellUnsupported {
        /// The construct.
        what: &'static str,
    },
    /// Quotes, a comment or a here-document that the text ends in.
    #[error("shell text ends inside of quotes, a substitution, a comment or a here-document")]
    ShellUnterminated,
    /// Not shell syntax.
    #[error("shell syntax error near {near}")]
    ShellSyntax {
        /// The token that does not fit.
        near: Box<str>,
    },
    /// Nesting beyond any real text.
    #[error("shell text is nested too deeply")]
    ShellTooDeep,
    /// Not Python syntax.
    #[error("python syntax error at byte {offset}: {message}")]
    PythonSyntax {
        /// Where in the text given, in bytes.
        offset: usize,
        /// What is wrong.
        message: Box<str>,
    },
    /// Python text that ends inside of a string: BitBake takes inline code like
    /// that as plain text.
    #[error("python syntax error at byte {offset}: the string has no end")]
    PythonUnclosedString {
        /// Where in the text given, in bytes.
        offset: usize,
    },
    /// A call that the scan cannot make sense of; neither can BitBake's.
    #[error("call of `{function}`: argument {position} is missing or no text")]
    PythonArgument {
        /// Dotted name of the function called.
        function: Box<str>,
        /// Counted from 1.
        position: usize,
    },
    /// A library function's `visitorcode` raised.
    #[error("`visitorcode` of `{function}`, asked about the call `{call}`: {message}")]
    Visitor {
        /// Dotted name of the function called.
        function: Box<str>,
        /// The call's text.
        call: Box<str>,
        /// Type and text of the exception.
        message: Box<str>,
    },
}

impl ScanError {
    /// Metadata is wrong.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}
