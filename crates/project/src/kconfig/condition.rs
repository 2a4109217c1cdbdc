//! Conditions of Kconfig statements: what follows `if` and `depends on`.

use super::lex::Token;
use super::parse::{MAX_DEPTH, Parser, Result};
use super::tree::Expr;

impl Parser<'_> {
    /// The words before `if`, and the condition after it.
    pub(super) fn split_if<'t>(&mut self, words: &'t [Token]) -> Result<(&'t [Token], Expr)> {
        match words.iter().position(|word| *word == Token::Word("if".to_owned())) {
            Some(at) => Ok((&words[..at], self.condition(&words[at + 1..])?)),
            None => Ok((words, Expr::Yes)),
        }
    }

    pub(super) fn condition(&mut self, words: &[Token]) -> Result<Expr> {
        let mut words = words;
        let expr = self.or(&mut words, 0)?;
        if words.is_empty() { Ok(expr) } else { self.fail("the condition does not end where it should") }
    }

    fn or(&mut self, words: &mut &[Token], depth: usize) -> Result<Expr> {
        let mut left = self.and(words, depth)?;
        while let [Token::Op("||"), rest @ ..] = *words {
            *words = rest;
            left = Expr::Or(Box::new(left), Box::new(self.and(words, depth)?));
        }
        Ok(left)
    }

    fn and(&mut self, words: &mut &[Token], depth: usize) -> Result<Expr> {
        let mut left = self.factor(words, depth)?;
        while let [Token::Op("&&"), rest @ ..] = *words {
            *words = rest;
            left = Expr::And(Box::new(left), Box::new(self.factor(words, depth)?));
        }
        Ok(left)
    }

    fn factor(&mut self, words: &mut &[Token], depth: usize) -> Result<Expr> {
        if depth > MAX_DEPTH {
            return self.fail("the condition is nested too deep");
        }
        match *words {
            [Token::Op("!"), rest @ ..] => {
                *words = rest;
                Ok(Expr::Not(Box::new(self.factor(words, depth + 1)?)))
            }
            [Token::Op("("), rest @ ..] => {
                *words = rest;
                let inner = self.or(words, depth + 1)?;
                let [Token::Op(")"), rest @ ..] = *words else { return self.fail("`)` is missing") };
                *words = rest;
                Ok(inner)
            }
            [first, Token::Op(op @ ("=" | "!=" | "<" | "<=" | ">" | ">=")), second, rest @ ..] => {
                *words = rest;
                let (a, b) = (self.operand(first)?, self.operand(second)?);
                Ok(Expr::Compare(op, Box::new(a), Box::new(b)))
            }
            [first, rest @ ..] => {
                *words = rest;
                self.operand(first)
            }
            [] => self.fail("a condition is missing"),
        }
    }

    pub(super) fn operand(&mut self, word: &Token) -> Result<Expr> {
        match word {
            Token::Text(text) => Ok(Expr::Const(text.clone())),
            Token::Word(word) if matches!(word.as_str(), "y" | "m" | "n") => Ok(Expr::Const(word.clone())),
            Token::Word(word) => Ok(Expr::Sym(self.out.symbol(word))),
            Token::Op(op) => self.fail(format!("`{op}` is not expected here")),
        }
    }
}
