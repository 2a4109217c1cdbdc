//! What can be wrong with a query, and where.

use bitzel_base::ErrorKind;
use std::fmt;
use std::ops::Range;

/// A query that has no answer. Shown with the query and a caret below the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// What is wrong.
    pub problem: Problem,
    /// The query.
    pub query: String,
    /// Bytes of the query it is about.
    pub span: Range<usize>,
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What should stand here.
        expected: String,
        /// What does.
        found: String,
    },
    /// A quote without its counterpart.
    #[error("the quoted word is not closed")]
    OpenQuote,
    /// A character no word may hold unquoted.
    #[error("unexpected `{0}`; put names that hold it into quotes")]
    BadCharacter(char),
    /// Parentheses within parentheses, too many.
    #[error("more than {0} expressions within each other")]
    TooDeep(usize),
    /// No function of that name.
    #[error("unknown function `{name}`{}", hint(.close))]
    UnknownFunction {
        /// As written.
        name: String,
        /// Functions with a similar name.
        close: Vec<String>,
    },
    /// A function that other flavours of query have.
    #[error("`{name}` is a function of {flavour}")]
    OtherFlavour {
        /// The function.
        name: String,
        /// Where it may be used.
        flavour: &'static str,
    },
    /// Too few or too many arguments.
    #[error("`{name}` takes {expected}, found {found}")]
    ArgumentCount {
        /// The function.
        name: String,
        /// The forms it has.
        expected: &'static str,
        /// How many were given.
        found: usize,
    },
    /// `$NAME` without `let NAME`.
    #[error("undefined variable `${0}`")]
    UnknownVariable(String),
    /// A name nothing has.
    #[error("no recipe or task matches `{name}`{}", hint(.close))]
    UnknownName {
        /// As written.
        name: String,
        /// Names that look alike.
        close: Vec<String>,
    },
    /// A text that is no regular expression.
    #[error("`{pattern}` is no regular expression: {reason}")]
    BadRegex {
        /// As written.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A text that should be a number.
    #[error("expected a number, found `{0}`")]
    BadNumber(String),
    /// A kind of dependency that does not exist.
    #[error("unknown kind of dependency `{0}`; there is build, runtime, task, recursive and mc")]
    BadEdgeKind(String),
}

impl QueryError {
    pub(crate) fn new(problem: Problem, query: &str, span: Range<usize>) -> QueryError {
        QueryError { problem, query: query.to_owned(), span }
    }

    /// It is for the user to mend.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.query[..self.span.start].rfind('\n').map_or(0, |at| at + 1);
        let end =
            self.query[self.span.start..].find('\n').map_or(self.query.len(), |at| self.span.start + at);
        let line_number = self.query[..start].matches('\n').count() + 1;
        let column = self.query[start..self.span.start].chars().count();
        let carets =
            self.query[self.span.start..self.span.end.clamp(self.span.start, end)].chars().count().max(1);
        writeln!(f, "{}", self.problem)?;
        writeln!(f, "  query, line {line_number}, column {}:", column + 1)?;
        writeln!(f, "  {}", self.query[start..end].replace('\t', " "))?;
        write!(f, "  {}{}", " ".repeat(column), "^".repeat(carets))
    }
}

impl std::error::Error for QueryError {}

fn hint(close: &[String]) -> String {
    if close.is_empty() { String::new() } else { format!("; close matches: {}", close.join(", ")) }
}
