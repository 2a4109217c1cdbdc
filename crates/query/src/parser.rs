//! From tokens to expressions: the grammar of Bazel's query.
//!
//! ```text
//! expr    := 'let' NAME '=' expr 'in' expr | operand (op operand)*
//! op      := 'union' | '+' | 'intersect' | '^' | 'except' | '-'
//! operand := WORD | '$'NAME | '(' expr ')' | 'set' '(' WORD* ')' | NAME '(' [expr (',' expr)*] ')'
//! ```

use crate::ast::{Expr, ExprNode, SetOp};
use crate::error::{Problem, QueryError};
use crate::lexer::{Spanned, Token, tokens};
use std::ops::Range;

/// Expressions within each other; deeper ones are no work of a person.
const MAX_DEPTH: usize = 200;

const KEYWORDS: [&str; 6] = ["let", "in", "union", "intersect", "except", "set"];

/// Parses a query.
///
/// # Errors
/// A [`QueryError`] that points at the first thing that is wrong.
pub fn parse(query: &str) -> Result<Expr, QueryError> {
    let mut parser = Parser { query, tokens: tokens(query)?, at: 0, depth: 0 };
    let expr = parser.expr()?;
    match parser.peek().token {
        Token::End => Ok(expr),
        _ => Err(parser.expected("an operator (`+`, `-`, `^`, union, except, intersect) or the end")),
    }
}

struct Parser<'a> {
    query: &'a str,
    tokens: Vec<Spanned>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Spanned {
        &self.tokens[self.at]
    }

    fn next(&mut self) -> Spanned {
        let token = self.tokens[self.at].clone();
        // The end stays.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn expected(&self, what: &str) -> QueryError {
        let found = self.peek();
        let problem = Problem::Expected { expected: what.to_owned(), found: found.token.shown() };
        QueryError::new(problem, self.query, found.span.clone())
    }

    /// Whether an unquoted word stands here.
    fn at_word(&self, word: &str) -> bool {
        matches!(&self.peek().token, Token::Word { text, quoted: false } if text == word)
    }

    fn take(&mut self, token: &Token) -> Result<Range<usize>, QueryError> {
        if self.peek().token == *token { Ok(self.next().span) } else { Err(self.expected(&token.shown())) }
    }

    fn take_word(&mut self, word: &str) -> Result<(), QueryError> {
        if self.at_word(word) {
            self.next();
            Ok(())
        } else {
            Err(self.expected(&format!("`{word}`")))
        }
    }

    fn expr(&mut self) -> Result<Expr, QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let span = self.peek().span.clone();
            return Err(QueryError::new(Problem::TooDeep(MAX_DEPTH), self.query, span));
        }
        let expr = if self.at_word("let") { self.binding() } else { self.chain() };
        self.depth -= 1;
        expr
    }

    fn binding(&mut self) -> Result<Expr, QueryError> {
        let start = self.next().span.start;
        let name = match &self.peek().token {
            Token::Word { text, quoted: false } if is_name(text) => text.clone(),
            _ => return Err(self.expected("the name of a variable")),
        };
        self.next();
        self.take(&Token::Equals)?;
        let value = Box::new(self.expr()?);
        self.take_word("in")?;
        let body = Box::new(self.expr()?);
        let span = start..body.span.end;
        Ok(Expr { node: ExprNode::Let { name, value, body }, span })
    }

    fn chain(&mut self) -> Result<Expr, QueryError> {
        let mut left = self.operand()?;
        while let Some(op) = self.operator() {
            self.next();
            let right = self.operand()?;
            let span = left.span.start..right.span.end;
            left = Expr { node: ExprNode::Binary { op, left: Box::new(left), right: Box::new(right) }, span };
        }
        Ok(left)
    }

    fn operator(&self) -> Option<SetOp> {
        match &self.peek().token {
            Token::Plus => Some(SetOp::Union),
            Token::Minus => Some(SetOp::Except),
            Token::Caret => Some(SetOp::Intersect),
            Token::Word { text, quoted: false } => match text.as_str() {
                "union" => Some(SetOp::Union),
                "except" => Some(SetOp::Except),
                "intersect" => Some(SetOp::Intersect),
                _ => None,
            },
            _ => None,
        }
    }

    fn operand(&mut self) -> Result<Expr, QueryError> {
        match self.peek().token.clone() {
            Token::Open => {
                let start = self.next().span.start;
                let inner = self.expr()?;
                let end = self.take(&Token::Close)?.end;
                Ok(Expr { node: inner.node, span: start..end })
            }
            Token::Word { text, quoted } => self.word(text, quoted),
            _ => Err(self.expected("a name, a function or `(`")),
        }
    }

    fn word(&mut self, text: String, quoted: bool) -> Result<Expr, QueryError> {
        if !quoted && text == "set" {
            return self.set();
        }
        if !quoted && KEYWORDS.contains(&text.as_str()) {
            return Err(self.expected("a name, a function or `(`"));
        }
        let span = self.next().span;
        if !quoted && self.peek().token == Token::Open {
            return self.call(text, span);
        }
        let node = match text.strip_prefix('$') {
            Some(name) if !quoted && is_name(name) => ExprNode::Variable(name.to_owned()),
            _ => ExprNode::Word(text),
        };
        Ok(Expr { node, span })
    }

    fn set(&mut self) -> Result<Expr, QueryError> {
        let start = self.next().span.start;
        self.take(&Token::Open)?;
        let mut items = Vec::new();
        while let Token::Word { text, quoted } = self.peek().token.clone() {
            let span = self.next().span;
            let node = match text.strip_prefix('$') {
                Some(name) if !quoted && is_name(name) => ExprNode::Variable(name.to_owned()),
                _ => ExprNode::Word(text),
            };
            items.push(Expr { node, span });
        }
        if self.peek().token != Token::Close {
            return Err(self.expected("a name or `)`"));
        }
        let end = self.next().span.end;
        Ok(Expr { node: ExprNode::Set(items), span: start..end })
    }

    fn call(&mut self, name: String, span: Range<usize>) -> Result<Expr, QueryError> {
        self.take(&Token::Open)?;
        let mut args = Vec::new();
        if self.peek().token != Token::Close {
            loop {
                args.push(self.expr()?);
                match self.peek().token {
                    Token::Comma => {
                        self.next();
                    }
                    Token::Close => break,
                    _ => return Err(self.expected("`,` or `)`")),
                }
            }
        }
        let end = self.next().span.end;
        Ok(Expr { node: ExprNode::Call { name, args }, span: span.start..end })
    }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expr: &Expr) -> String {
        match &expr.node {
            ExprNode::Word(text) => text.clone(),
            ExprNode::Variable(name) => format!("${name}"),
            ExprNode::Set(items) => format!("{{{}}}", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            ExprNode::Let { name, value, body } => format!("let {name}={} in {}", shown(value), shown(body)),
            ExprNode::Binary { op, left, right } => format!("({} {op:?} {})", shown(left), shown(right)),
            ExprNode::Call { name, args } => {
                format!("{name}({})", args.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
        }
    }

    #[test]
    fn operators_bind_alike_from_left_to_right() {
        assert_eq!(shown(&parse("a + b - c ^ d").unwrap()), "(((a Union b) Except c) Intersect d)");
        assert_eq!(shown(&parse("a except (b union c)").unwrap()), "(a Except (b Union c))");
        assert_eq!(
            shown(&parse("let x = deps(a, 2) in $x - set(a 'in' b)").unwrap()),
            "let x=deps(a, 2) in ($x Except {a in b})"
        );
    }

    fn error(query: &str) -> String {
        parse(query).unwrap_err().to_string()
    }

    #[test]
    fn errors_have_a_caret_below_the_place() {
        assert_eq!(
            error("deps(busybox"),
            "expected `,` or `)`, found the end\n  query, line 1, column 13:\n  deps(busybox\n              ^"
        );
        assert_eq!(
            error("a +\n  union"),
            "expected a name, a function or `(`, found `union`\n  query, line 2, column 3:\n    union\n    ^^^^^"
        );
        assert_eq!(error("a b").lines().last().unwrap(), "    ^");
        assert!(error("'a").starts_with("the quoted word is not closed"));
        assert!(error("a & b").starts_with("unexpected `&`"));
        assert!(error("let 1 = a in b").starts_with("expected the name of a variable"));
        assert!(error(&"(".repeat(5000)).starts_with("more than 200"));
        assert!(error("").starts_with("expected a name"));
    }
}
