//! A parsed query.

use std::ops::Range;

/// An expression and the bytes of the query it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub node: ExprNode,
    /// Where it stands.
    pub span: Range<usize>,
}

/// The forms an expression has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprNode {
    /// A name or pattern, or a function's plain argument.
    Word(String),
    /// `$NAME`.
    Variable(String),
    /// `set(a b c)`.
    Set(Vec<Expr>),
    /// `let NAME = VALUE in BODY`.
    Let {
        /// Without `$`.
        name: String,
        /// What it stands for.
        value: Box<Expr>,
        /// Where it may be used.
        body: Box<Expr>,
    },
    /// Two sets joined.
    Binary {
        /// How.
        op: SetOp,
        /// First set.
        left: Box<Expr>,
        /// Second set.
        right: Box<Expr>,
    },
    /// `NAME(args)`.
    Call {
        /// The function.
        name: String,
        /// Its arguments.
        args: Vec<Expr>,
    },
}

/// Operators; all bind alike, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOp {
    /// `union`, `+`.
    Union,
    /// `intersect`, `^`.
    Intersect,
    /// `except`, `-`.
    Except,
}
