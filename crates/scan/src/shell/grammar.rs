//! The POSIX shell grammar (2.10), as far as BitBake's parser follows it.

use super::finds::Finds;
use super::token::{Reserved, Token};
use crate::ScanError;
use std::borrow::Cow;

/// Nested compound commands beyond this are refused: they only cost stack.
const MAX_DEPTH: usize = 200;

/// BitBake: the last command of such a list must not end in `&`, others may.
const BACKGROUND: ScanError = ScanError::ShellUnsupported { what: "`&` at the end of a compound command" };

/// Reads a program and reports its commands to `finds`.
pub(super) fn read_program(tokens: &[Token<'_>], finds: &mut Finds) -> Result<(), ScanError> {
    let mut reader = Reader { tokens, pos: 0, depth: 0, finds };
    reader.skip_newlines();
    while reader.pos < tokens.len() {
        reader.complete_command()?;
        reader.skip_newlines();
    }
    Ok(())
}

struct Reader<'a, 't> {
    tokens: &'a [Token<'t>],
    pos: usize,
    depth: usize,
    finds: &'a mut Finds,
}

impl<'a, 't> Reader<'a, 't> {
    fn peek(&self) -> Option<&'a Token<'t>> {
        self.tokens.get(self.pos)
    }

    fn eat(&mut self, token: &Token<'_>) -> bool {
        let found = self.peek() == Some(token);
        self.pos += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token<'_>) -> Result<(), ScanError> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn expect_reserved(&mut self, word: Reserved) -> Result<(), ScanError> {
        self.expect(&Token::Reserved(word))
    }

    fn unexpected(&self) -> ScanError {
        let near = match self.peek() {
            None => "the end of the text".into(),
            Some(Token::Word(text) | Token::Assignment(text)) => format!("`{text}`").into(),
            Some(other) => format!("{other:?}").into(),
        };
        ScanError::ShellSyntax { near }
    }

    fn skip_newlines(&mut self) -> bool {
        let start = self.pos;
        while self.eat(&Token::Newline) {}
        self.pos > start
    }

    /// A list up to the end of its line.
    ///
    /// BitBake: commands may also follow one another with nothing in between,
    /// outside of compound commands: `(a) b` and `a { b; }` are two commands.
    fn complete_command(&mut self) -> Result<(), ScanError> {
        loop {
            self.and_or()?;
            if !self.eat(&Token::Ampersand) && !self.semicolons() {
                return Ok(());
            }
            if matches!(self.peek(), None | Some(Token::Newline)) {
                return Ok(());
            }
        }
    }

    /// `;`, and BitBake lets `; ;` pass too.
    fn semicolons(&mut self) -> bool {
        let found = self.eat(&Token::Semicolon);
        if found {
            self.eat(&Token::Semicolon);
        }
        found
    }

    fn and_or(&mut self) -> Result<(), ScanError> {
        self.pipeline()?;
        while self.eat(&Token::AndOr) {
            self.skip_newlines();
            self.pipeline()?;
        }
        Ok(())
    }

    fn pipeline(&mut self) -> Result<(), ScanError> {
        self.eat(&Token::Reserved(Reserved::Bang));
        self.command()?;
        while self.eat(&Token::Pipe) {
            self.skip_newlines();
            self.command()?;
        }
        Ok(())
    }

    fn command(&mut self) -> Result<(), ScanError> {
        match (self.peek(), self.tokens.get(self.pos + 1)) {
            (Some(Token::Word(name)), Some(Token::LeftParen)) => self.function(name),
            (Some(Token::Word(_) | Token::Assignment(_)), _) => self.simple_command(),
            (Some(Token::IoNumber | Token::Redirect | Token::HereDoc { .. }), _) => self.simple_command(),
            _ => {
                self.compound_command()?;
                self.redirects().map(|_| ())
            }
        }
    }

    fn function(&mut self, name: &str) -> Result<(), ScanError> {
        self.finds.function(name);
        self.pos += 2;
        self.expect(&Token::RightParen)?;
        self.skip_newlines();
        self.compound_command()?;
        if self.redirects()? {
            Err(ScanError::ShellUnsupported { what: "a redirected function" })
        } else {
            Ok(())
        }
    }

    fn compound_command(&mut self) -> Result<(), ScanError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ScanError::ShellTooDeep);
        }
        let first = self.peek();
        self.pos += 1;
        match first {
            Some(Token::LeftParen) => self.list_until(&Token::RightParen)?,
            Some(Token::Reserved(Reserved::LeftBrace)) => {
                self.list_until(&Token::Reserved(Reserved::RightBrace))?;
            }
            Some(Token::Reserved(Reserved::If)) => self.if_clause()?,
            Some(Token::Reserved(Reserved::While | Reserved::Until)) => {
                self.compound_list()?;
                self.do_group()?;
            }
            Some(Token::Reserved(Reserved::For)) => self.for_clause()?,
            Some(Token::Reserved(Reserved::Case)) => self.case_clause()?,
            _ => {
                self.pos -= 1;
                return Err(self.unexpected());
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn list_until(&mut self, end: &Token<'_>) -> Result<(), ScanError> {
        self.compound_list()?;
        self.expect(end)
    }

    /// Commands inside of a compound command: at least one.
    fn compound_list(&mut self) -> Result<(), ScanError> {
        self.skip_newlines();
        loop {
            self.and_or()?;
            let background = self.eat(&Token::Ampersand);
            let mut separated = background || self.semicolons();
            separated |= self.skip_newlines();
            if !separated || self.at_list_end() {
                return if background { Err(BACKGROUND) } else { Ok(()) };
            }
        }
    }

    fn at_list_end(&self) -> bool {
        use Reserved::{Do, Done, Elif, Else, Esac, Fi, RightBrace, Then};
        matches!(
            self.peek(),
            None | Some(
                Token::RightParen
                    | Token::DoubleSemicolon
                    | Token::Reserved(Then | Else | Elif | Fi | Do | Done | Esac | RightBrace)
            )
        )
    }

    fn if_clause(&mut self) -> Result<(), ScanError> {
        loop {
            self.compound_list()?;
            self.expect_reserved(Reserved::Then)?;
            self.compound_list()?;
            if !self.eat(&Token::Reserved(Reserved::Elif)) {
                break;
            }
        }
        if self.eat(&Token::Reserved(Reserved::Else)) {
            self.compound_list()?;
        }
        self.expect_reserved(Reserved::Fi)
    }

    fn do_group(&mut self) -> Result<(), ScanError> {
        self.expect_reserved(Reserved::Do)?;
        self.compound_list()?;
        self.expect_reserved(Reserved::Done)
    }

    fn for_clause(&mut self) -> Result<(), ScanError> {
        self.plain_word()?;
        if !self.eat(&Token::Reserved(Reserved::In)) {
            return Err(ScanError::ShellUnsupported { what: "`for` without `in`" });
        }
        while !matches!(self.peek(), Some(Token::Semicolon | Token::Newline)) {
            let item = self.plain_word()?;
            self.finds.word(&item)?;
        }
        self.eat(&Token::Semicolon);
        self.skip_newlines();
        self.do_group()
    }

    /// BitBake: the word a `case` is about is never looked at.
    fn case_clause(&mut self) -> Result<(), ScanError> {
        self.plain_word()?;
        self.expect_reserved(Reserved::In)?;
        self.skip_newlines();
        while !self.eat(&Token::Reserved(Reserved::Esac)) {
            self.eat(&Token::LeftParen);
            self.patterns()?;
            self.skip_newlines();
            let ends = [Token::DoubleSemicolon, Token::Reserved(Reserved::Esac)];
            if !self.peek().is_some_and(|token| ends.contains(token)) {
                self.compound_list()?;
            }
            if !self.eat(&Token::DoubleSemicolon) {
                return self.expect_reserved(Reserved::Esac);
            }
            self.skip_newlines();
        }
        Ok(())
    }

    /// BitBake: of alternatives only the first is looked at.
    fn patterns(&mut self) -> Result<(), ScanError> {
        let first = self.plain_word()?;
        self.finds.word(&first)?;
        while self.eat(&Token::Pipe) {
            self.plain_word()?;
        }
        self.expect(&Token::RightParen)
    }

    /// A word, or `fi`, which passes as one.
    fn plain_word(&mut self) -> Result<Cow<'t, str>, ScanError> {
        let word = match self.peek() {
            Some(Token::Word(text)) => text.clone(),
            Some(Token::Reserved(Reserved::Fi)) => Cow::Borrowed("fi"),
            _ => return Err(self.unexpected()),
        };
        self.pos += 1;
        Ok(word)
    }

    /// Words, assignments and redirections, the latter never looked at.
    fn simple_command(&mut self) -> Result<(), ScanError> {
        let mut words: Vec<&str> = Vec::new();
        loop {
            match self.peek() {
                Some(Token::Word(text)) => words.push(text),
                Some(Token::Assignment(text)) if words.is_empty() => self.finds.assignment(text)?,
                Some(Token::Assignment(text)) => words.push(text),
                Some(Token::Reserved(Reserved::Fi)) if words.is_empty() => words.push("fi"),
                Some(Token::Reserved(word)) if word.is_argument() && !words.is_empty() => {
                    words.push(word.text());
                }
                _ if self.redirects()? => continue,
                _ => break,
            }
            self.pos += 1;
        }
        self.finds.command(&words)
    }

    /// Steps over redirections; whether there were any.
    fn redirects(&mut self) -> Result<bool, ScanError> {
        let start = self.pos;
        loop {
            let number = self.eat(&Token::IoNumber);
            match self.peek() {
                Some(Token::Redirect) => {
                    self.pos += 1;
                    match self.peek() {
                        Some(Token::Word(_)) => self.pos += 1,
                        _ => return Err(self.unexpected()),
                    }
                }
                Some(Token::HereDoc { .. }) => {
                    self.pos += 1;
                    // BitBake: a here-document without a body is an error.
                    self.expect(&Token::HereName { has_body: true })?;
                }
                _ if number => return Err(self.unexpected()),
                _ => return Ok(self.pos > start),
            }
        }
    }
}
