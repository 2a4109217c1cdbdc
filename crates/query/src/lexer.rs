//! A query as tokens.

use crate::error::{Problem, QueryError};
use std::ops::Range;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name, pattern or number; quotes taken off.
    Word {
        text: String,
        /// Quoted words are never keywords or operators.
        quoted: bool,
    },
    Open,
    Close,
    Comma,
    Equals,
    Plus,
    Minus,
    Caret,
    End,
}

impl Token {
    /// For messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Token::Word { text, .. } => format!("`{text}`"),
            Token::Open => "`(`".to_owned(),
            Token::Close => "`)`".to_owned(),
            Token::Comma => "`,`".to_owned(),
            Token::Equals => "`=`".to_owned(),
            Token::Plus => "`+`".to_owned(),
            Token::Minus => "`-`".to_owned(),
            Token::Caret => "`^`".to_owned(),
            Token::End => "the end".to_owned(),
        }
    }
}

/// A token and the bytes it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spanned {
    pub(crate) token: Token,
    pub(crate) span: Range<usize>,
}

/// Takes a query apart. The last token is [`Token::End`].
pub(crate) fn tokens(query: &str) -> Result<Vec<Spanned>, QueryError> {
    let mut out = Vec::new();
    let mut rest = query.char_indices().peekable();
    while let Some(&(at, c)) = rest.peek() {
        let single = match c {
            c if c.is_whitespace() => {
                rest.next();
                continue;
            }
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '=' => Token::Equals,
            '+' => Token::Plus,
            '-' => Token::Minus,
            '^' => Token::Caret,
            '"' | '\'' => {
                rest.next();
                let Some((end, _)) = rest.by_ref().find(|&(_, other)| other == c) else {
                    return Err(QueryError::new(Problem::OpenQuote, query, at..query.len()));
                };
                let text = query[at + 1..end].to_owned();
                out.push(Spanned { token: Token::Word { text, quoted: true }, span: at..end + 1 });
                continue;
            }
            c if in_word(c) => {
                let mut end = at;
                while let Some(&(next, c)) = rest.peek() {
                    // Names hold dashes, so a dash within a word belongs to it.
                    if !in_word(c) && c != '-' {
                        break;
                    }
                    end = next + c.len_utf8();
                    rest.next();
                }
                let text = query[at..end].to_owned();
                out.push(Spanned { token: Token::Word { text, quoted: false }, span: at..end });
                continue;
            }
            other => {
                return Err(QueryError::new(Problem::BadCharacter(other), query, at..at + other.len_utf8()));
            }
        };
        rest.next();
        out.push(Spanned { token: single, span: at..at + 1 });
    }
    out.push(Spanned { token: Token::End, span: query.len()..query.len() });
    Ok(out)
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || "*/@._:$~[]%?".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_belong_to_words_pluses_do_not() {
        let texts: Vec<String> =
            tokens("a-b - 'libstdc++'+c").unwrap().iter().map(|t| t.token.shown()).collect();
        assert_eq!(texts, ["`a-b`", "`-`", "`libstdc++`", "`+`", "`c`", "the end"]);
    }
}
