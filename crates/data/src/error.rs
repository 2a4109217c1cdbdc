//! What can go wrong in the datastore.

use crate::context::PythonFailure;
use bitzel_base::ErrorKind;

/// Result of datastore operations.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors of reading and changing variables.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A value could not be expanded. Shown with the chain of variables.
    #[error("{}", expansion_text(.variable.as_deref(), .outer, .expression, .cause))]
    Expansion {
        /// The variable whose value failed; none for a text that is no variable's value.
        variable: Option<String>,
        /// The variables that led there, innermost first.
        outer: Vec<String>,
        /// The text that was being expanded.
        expression: String,
        /// What happened.
        cause: Box<Error>,
    },
    /// A variable needs its own value.
    #[error("variable {0} references itself!")]
    SelfReference(String),
    /// A substituted value is no text.
    #[error("sequence item {item}: expected str instance, {found} found")]
    NotText {
        /// Its place among the pieces that the text falls into.
        item: usize,
        /// Name of its type.
        found: &'static str,
    },
    /// A value that grows without end.
    #[error(
        "with ${{{variable}}} the value is longer than {longest} MiB: do its variables double one another?"
    )]
    TooLong {
        /// The variable with which it gets too long.
        variable: String,
        /// In MiB.
        longest: usize,
    },
    /// A variable that should become a part of itself.
    #[error(
        "cannot rename `{name}` to `{new}`: that is an override version of `{name}` and would move with it"
    )]
    RenameWithin {
        /// The variable.
        name: String,
        /// Its new name.
        new: String,
    },
    /// A modifier and the value it belongs to are not both text.
    #[error("{0}")]
    NotJoinable(String),
    /// Metadata's Python raised.
    #[error("{0}")]
    Python(PythonFailure),
    /// `_append` and relatives, gone since BitBake 1.52.
    #[error(
        "Variable {0} contains an operation using the old override syntax. Please convert this layer/metadata before attempting to use with a newer bitbake."
    )]
    OldOverrideSyntax(String),
    /// OVERRIDES did not settle; holds what it was after each round.
    #[error(
        "Overrides could not be expanded into a stable state after 5 iterations, overrides must be being referenced by other overridden variables in some recursive fashion. Please provide your configuration to bitbake-devel so we can laugh, er, I mean try and understand how to make it work. The list of failing override expansions: {0}"
    )]
    UnstableOverrides(String),
    /// Code that a signature stands on cannot be scanned.
    #[error("`{name}`: {error}")]
    Scan {
        /// The variable or function that holds the code.
        name: String,
        /// What is wrong with it.
        error: bitzel_scan::ScanError,
    },
    /// A word of a variable that should be a list of `NAME=value`.
    #[error("{variable}: `{item}` is not of the form NAME=value")]
    NotAssignment {
        /// The variable that holds the list.
        variable: &'static str,
        /// The word.
        item: String,
    },
    /// A flag that should say yes or no.
    #[error("{flag}: `{value}` is neither yes (y, yes, 1, true) nor no (n, no, 0, false)")]
    NotBoolean {
        /// `VARIABLE[flag]`.
        flag: String,
        /// What it holds.
        value: String,
    },
    /// A variable that has a new name.
    #[error("{0}")]
    Renamed(String),
}

impl Error {
    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }

    /// The Python failure at the bottom, if metadata's Python raised.
    pub fn python(&self) -> Option<&PythonFailure> {
        match self {
            Error::Python(failure) => Some(failure),
            Error::Expansion { cause, .. } => cause.python(),
            _ => None,
        }
    }

    /// Wraps `self` as a failure of expanding `variable`, or extends the chain.
    pub(crate) fn while_expanding(self, variable: Option<&str>, expression: &str) -> Error {
        let around = variable.map(str::to_owned);
        match self {
            Error::Expansion { variable, mut outer, expression, cause } => {
                outer.extend(around);
                Error::Expansion { variable, outer, expression, cause }
            }
            Error::Python(failure) if failure.passes_through => Error::Python(failure),
            cause => Error::Expansion {
                variable: around,
                outer: Vec::new(),
                expression: expression.to_owned(),
                cause: Box::new(cause),
            },
        }
    }
}

fn expansion_text(variable: Option<&str>, outer: &[String], expression: &str, cause: &Error) -> String {
    let (kind, message) = match cause {
        Error::Python(failure) => (failure.kind.clone(), failure.message.clone()),
        Error::NotText { .. } | Error::NotJoinable(_) => ("TypeError".to_owned(), cause.to_string()),
        _ => ("Exception".to_owned(), cause.to_string()),
    };
    let what = match variable {
        Some(variable) => format!("variable {variable}, expression was {expression}"),
        None => format!("expression {expression}"),
    };
    let chain: Vec<&str> =
        std::iter::once(variable.unwrap_or(expression)).chain(outer.iter().map(String::as_str)).collect();
    format!(
        "Failure expanding {what} which triggered exception {kind}: {message}\nThe variable dependency chain for the failure is: {}",
        chain.join(" -> ")
    )
}
