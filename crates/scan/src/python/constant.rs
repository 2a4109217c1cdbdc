//! Literals among the arguments of a call.

use rustpython_ruff_python_ast::{Expr, Number};

/// The text of a string literal, joined ones included, f-strings excluded.
pub(super) fn text(expr: Option<&Expr>) -> Option<&str> {
    match expr? {
        Expr::StringLiteral(literal) => Some(literal.value.to_str()),
        _ => None,
    }
}

/// Whether Python's syntax tree has a `Constant` here.
pub(super) fn is_constant(expr: Option<&Expr>) -> bool {
    expr.is_some_and(Expr::is_literal_expr)
}

/// What `str()` makes of a literal; none for literals that name nothing.
pub(super) fn shown(expr: Option<&Expr>) -> Option<String> {
    match expr? {
        Expr::StringLiteral(literal) => Some(literal.value.to_str().to_owned()),
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(int) => Some(int.to_string()),
            _ => None,
        },
        Expr::BooleanLiteral(boolean) => Some(if boolean.value { "True" } else { "False" }.to_owned()),
        Expr::NoneLiteral(_) => Some("None".to_owned()),
        _ => None,
    }
}
