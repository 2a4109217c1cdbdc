//! .conf, .bb, .bbclass, .inc and .bbappend files: lossless, error-resilient
//! trees, and the statements they hold.

mod statement;

pub use statement::{AssignOp, Statement, StatementKind};
