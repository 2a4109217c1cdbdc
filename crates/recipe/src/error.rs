//! What can go wrong while evaluating metadata.

use bitzel_base::{ErrorKind, SourceLoc};
use std::path::PathBuf;

/// Result of evaluation.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors of evaluating configuration and recipes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file does not say what it should (BitBake: ParseError).
    #[error("{}{message}", at(.loc))]
    Parse {
        /// What is wrong.
        message: String,
        /// Where, if known.
        loc: Option<SourceLoc>,
    },
    /// Reported already, or so wrong that parsing ends at once (BitBake: BBHandledException).
    #[error("{0}")]
    Fatal(String),
    /// The recipe takes itself out (SkipRecipe). Not a failure.
    #[error("{0}")]
    Skip(String),
    /// The configuration or its layers cannot be used; whoever reads them tells it.
    #[error("{0}")]
    Refused(String),
    /// Told to the user already, in all detail.
    #[error("{0}")]
    Handled(String),
    /// A file is not there.
    #[error("file {file} not found{}", .searched.as_ref().map(|path| format!(" in {path}")).unwrap_or_default())]
    NotFound {
        /// Its name as given.
        file: String,
        /// The folders it was looked for in, for a relative name.
        searched: Option<String>,
    },
    /// A file cannot be read.
    #[error("cannot read `{path}`: {cause}; check that it exists and is readable{way}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
        /// The statements that include it, a line for each.
        way: String,
    },
    /// A file is not UTF-8.
    #[error("`{path}` is not valid UTF-8 (line {line}); convert it, for example with iconv{way}")]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first line that is not.
        line: usize,
        /// The statements that include it, a line for each.
        way: String,
    },
    /// A variable cannot be read or set.
    #[error("{}{cause}", at(.loc))]
    Data {
        /// What happened.
        cause: bitzel_data::Error,
        /// The statement, if one was being run.
        loc: Option<SourceLoc>,
    },
}

fn at(loc: &Option<SourceLoc>) -> String {
    loc.as_ref().map(|loc| format!("{loc}: ")).unwrap_or_default()
}

impl Error {
    /// A ParseError at `loc`.
    pub fn parse(message: impl Into<String>, loc: impl Into<Option<SourceLoc>>) -> Error {
        Error::Parse { message: message.into(), loc: loc.into() }
    }

    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Unreadable { .. } => ErrorKind::Environment,
            _ => ErrorKind::Input,
        }
    }

    /// Name of the exception BitBake raises for it.
    pub fn exception(&self) -> String {
        match self {
            Error::Parse { .. } => "ParseError".to_owned(),
            Error::Fatal(_) | Error::Refused(_) | Error::Handled(_) => "BBHandledException".to_owned(),
            Error::Skip(_) => "SkipRecipe".to_owned(),
            Error::NotFound { .. } => "FileNotFoundError".to_owned(),
            Error::Unreadable { .. } => "OSError".to_owned(),
            Error::NotUtf8 { .. } => "UnicodeDecodeError".to_owned(),
            Error::Data { cause, .. } => match cause {
                bitzel_data::Error::Expansion { .. } => "ExpansionError".to_owned(),
                bitzel_data::Error::Python(failure) => failure.kind.clone(),
                _ => "BBHandledException".to_owned(),
            },
        }
    }

    /// Says by which statement the file was pulled in where it happened. Of long chains only
    /// the inner part is told.
    pub(crate) fn included_from(mut self, file: &str, line: u32) -> Error {
        const BY: &str = "\n  included from ";
        if let Error::Parse { message: way, .. } | Error::Unreadable { way, .. } | Error::NotUtf8 { way, .. } =
            &mut self
            && way.matches(BY).count() < 8
        {
            *way += &format!("{BY}{file}:{line}");
        }
        self
    }

    pub(crate) fn at(self, file: &str, line: u32) -> Error {
        match self {
            Error::Data { cause, loc: None } => Error::Data { cause, loc: Some(SourceLoc::new(file, line)) },
            Error::Parse { message, loc: None } => {
                Error::Parse { message, loc: Some(SourceLoc::new(file, line)) }
            }
            other => other,
        }
    }
}

impl From<bitzel_data::Error> for Error {
    fn from(cause: bitzel_data::Error) -> Error {
        if let bitzel_data::Error::Python(failure) = &cause
            && failure.kind == "SkipRecipe"
        {
            return Error::Skip(failure.message.clone());
        }
        Error::Data { cause, loc: None }
    }
}
