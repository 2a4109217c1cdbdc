//! The query language over recipes and tasks: Bazel's grammar and functions,
//! asked of BitBake's metadata.
//!
//! [`query`] answers a text about anything that implements [`QueryEnv`];
//! [`RecipeEnv`] and [`TaskEnv`] do for recipes and tasks; [`print`] shows the answer.

mod ast;
mod details;
mod env;
mod error;
mod eval;
mod functions;
mod lexer;
mod nodes;
mod output;
mod parser;
mod patterns;
mod recipes;
mod tasks;
mod walk;

pub use ast::{Expr, ExprNode, SetOp};
pub use details::{InfoDetails, RecipeDetails};
pub use env::{Flavour, QueryEnv};
pub use error::{Problem, QueryError};
pub use eval::query;
pub use nodes::{Node, NodeSet, ResultSet};
pub use output::{Output, UnknownOutput, print};
pub use parser::parse;
pub use recipes::RecipeEnv;
pub use tasks::{TaskDetails, TaskEnv};
