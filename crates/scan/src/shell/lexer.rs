//! Shell text to tokens (POSIX shell, 2.3 token recognition).

use super::heredoc::skip_body;
use super::quoting::{Quoting, unquote};
use super::token::{Reserved, Token};
use crate::ScanError;
use std::borrow::Cow;

/// All tokens of `text`.
pub(super) fn tokenize(text: &str) -> Result<Vec<Token<'_>>, ScanError> {
    let mut lexer = Lexer { text, pos: 0, tokens: Vec::new(), bodies: Vec::new(), since_for: usize::MAX };
    lexer.run()?;
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    text: &'t str,
    pos: usize,
    tokens: Vec<Token<'t>>,
    /// Here-documents whose bodies are still to come: where their name is in
    /// `tokens`, delimiter, tabs to be stripped.
    bodies: Vec<(usize, String, bool)>,
    /// Tokens since the last `for` or `case`: `in` is reserved as the second.
    since_for: usize,
}

impl<'t> Lexer<'t> {
    fn run(&mut self) -> Result<(), ScanError> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.pos) {
            match byte {
                b' ' | b'\t' => self.pos += 1,
                b'\\' if bytes.get(self.pos + 1) == Some(&b'\n') => self.pos += 2,
                b'\n' => self.newline()?,
                b'#' => self.comment()?,
                b'&' | b'|' | b';' | b'(' | b')' | b'<' | b'>' => self.operator()?,
                _ => self.word()?,
            }
        }
        if self.bodies.is_empty() { Ok(()) } else { Err(ScanError::ShellUnterminated) }
    }

    fn push(&mut self, token: Token<'t>) {
        self.since_for = match token {
            Token::Reserved(Reserved::For | Reserved::Case) => 0,
            _ => self.since_for.saturating_add(1),
        };
        self.tokens.push(token);
    }

    /// BitBake: the text must not end in a comment, but it may end in `#`.
    fn comment(&mut self) -> Result<(), ScanError> {
        let rest = &self.text[self.pos..];
        self.pos += match rest.find('\n') {
            Some(len) => len,
            None if rest.len() == 1 => 1,
            None => return Err(ScanError::ShellUnterminated),
        };
        Ok(())
    }

    /// The bodies of here-documents follow the line that names them.
    fn newline(&mut self) -> Result<(), ScanError> {
        self.expect_here_name()?;
        self.pos += 1;
        for (index, delimiter, strip_tabs) in std::mem::take(&mut self.bodies) {
            let (pos, body) = skip_body(self.text, self.pos, &delimiter, strip_tabs);
            self.pos = pos;
            // BitBake: a body that reads like another kind of token is one.
            let has_body = !body.is_empty() && Reserved::from_text(body).is_none();
            self.tokens[index] = Token::HereName { has_body };
        }
        self.push(Token::Newline);
        Ok(())
    }

    fn operator(&mut self) -> Result<(), ScanError> {
        let rest = &self.text.as_bytes()[self.pos..];
        let (len, token) = match rest {
            [b'&', b'&', ..] | [b'|', b'|', ..] => (2, Token::AndOr),
            [b';', b';', ..] => (2, Token::DoubleSemicolon),
            [b'<', b'<', b'-', ..] => (3, Token::HereDoc { strip_tabs: true }),
            [b'<', b'<', ..] => (2, Token::HereDoc { strip_tabs: false }),
            [b'<', b'&' | b'>', ..] | [b'>', b'&' | b'>' | b'|', ..] => (2, Token::Redirect),
            [b'<' | b'>', ..] => (1, Token::Redirect),
            [b'&', ..] => (1, Token::Ampersand),
            [b'|', ..] => (1, Token::Pipe),
            [b';', ..] => (1, Token::Semicolon),
            [b'(', ..] => (1, Token::LeftParen),
            _ => (1, Token::RightParen),
        };
        self.expect_here_name()?;
        self.pos += len;
        self.push(token);
        Ok(())
    }

    /// Only a word may follow `<<`.
    fn expect_here_name(&self) -> Result<(), ScanError> {
        match self.tokens.last() {
            Some(Token::HereDoc { .. }) => Err(ScanError::ShellSyntax { near: "`<<`".into() }),
            _ => Ok(()),
        }
    }

    fn word(&mut self) -> Result<(), ScanError> {
        let start = self.pos;
        let mut quoting = Quoting::new(self.text, start);
        quoting.skip_word()?;
        self.pos = quoting.pos;
        let text = joined(self.text, start, self.pos, &quoting.joins);
        let next = self.text.as_bytes().get(self.pos);
        let token = match self.tokens.last() {
            Some(&Token::HereDoc { strip_tabs }) => {
                Quoting::new(&text, 0).skip_word()?;
                self.bodies.push((self.tokens.len(), unquote(&text), strip_tabs));
                Token::HereName { has_body: false }
            }
            _ if matches!(next, Some(b'<' | b'>')) && text.bytes().all(|b| b.is_ascii_digit()) => {
                Token::IoNumber
            }
            _ if self.since_for == 1 && text == "in" => Token::Reserved(Reserved::In),
            _ => match Reserved::from_text(&text) {
                Some(reserved) => Token::Reserved(reserved),
                None if next.is_none() && is_assignment(&text) => Token::Assignment(text),
                None => Token::Word(text),
            },
        };
        self.push(token);
        Ok(())
    }
}

/// A part of the text without the backslash-newline pairs at `joins`.
fn joined<'t>(text: &'t str, start: usize, end: usize, joins: &[usize]) -> Cow<'t, str> {
    if joins.is_empty() {
        return Cow::Borrowed(&text[start..end]);
    }
    let mut out = String::with_capacity(end - start);
    let mut from = start;
    for &join in joins {
        out.push_str(&text[from..join]);
        from = join + 2;
    }
    out.push_str(&text[from..end]);
    Cow::Owned(out)
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}
