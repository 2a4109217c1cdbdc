//! Tokens of shell text.

use std::borrow::Cow;

/// A word or an operator of shell text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// Text with quotes and substitutions kept, continuation lines joined.
    Word(Cow<'t, str>),
    /// `NAME=value`, seen as such only where the text ends right behind it.
    Assignment(Cow<'t, str>),
    /// Digits right before a redirection.
    IoNumber,
    /// The delimiter of a here-document, and whether its body holds anything.
    HereName { has_body: bool },
    /// End of a line.
    Newline,
    /// `;`
    Semicolon,
    /// `;;`
    DoubleSemicolon,
    /// `&`
    Ampersand,
    /// `&&` or `||`
    AndOr,
    /// `|`
    Pipe,
    /// `(`
    LeftParen,
    /// `)`
    RightParen,
    /// `<<` or `<<-`
    HereDoc { strip_tabs: bool },
    /// Any other redirection.
    Redirect,
    /// A reserved word; they are recognised wherever they stand as a word.
    Reserved(Reserved),
}

/// The reserved words of the POSIX shell (2.4), plus `!`, `{` and `}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reserved {
    If,
    Then,
    Else,
    Elif,
    Fi,
    Do,
    Done,
    Case,
    Esac,
    While,
    Until,
    For,
    In,
    Bang,
    LeftBrace,
    RightBrace,
}

/// All but `in`: whether that is reserved depends on what is before.
const RESERVED: [(&str, Reserved); 15] = [
    ("if", Reserved::If),
    ("then", Reserved::Then),
    ("else", Reserved::Else),
    ("elif", Reserved::Elif),
    ("fi", Reserved::Fi),
    ("do", Reserved::Do),
    ("done", Reserved::Done),
    ("case", Reserved::Case),
    ("esac", Reserved::Esac),
    ("while", Reserved::While),
    ("until", Reserved::Until),
    ("for", Reserved::For),
    ("!", Reserved::Bang),
    ("{", Reserved::LeftBrace),
    ("}", Reserved::RightBrace),
];

impl Reserved {
    /// The reserved word `text` is, `in` excepted.
    pub(super) fn from_text(text: &str) -> Option<Reserved> {
        RESERVED.iter().find(|(name, _)| *name == text).map(|(_, word)| *word)
    }

    /// As written.
    pub(super) fn text(self) -> &'static str {
        RESERVED.iter().find(|(_, word)| *word == self).map_or("in", |(name, _)| name)
    }

    /// Whether the word may stand among the arguments of a command.
    ///
    /// BitBake: `echo if` passes, `echo else` does not, and where a group or a
    /// `case` may follow, `echo {` begins one.
    pub(super) fn is_argument(self) -> bool {
        use Reserved::{Bang, Do, Done, Fi, For, If, Then, Until};
        matches!(self, If | Then | Fi | Do | Done | Until | For | Bang)
    }
}
