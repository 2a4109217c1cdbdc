//! From an expression to the set it stands for.

use crate::ast::{Expr, ExprNode, SetOp};
use crate::env::{Flavour, QueryEnv};
use crate::error::{Problem, QueryError};
use crate::nodes::{Node, NodeSet, ResultSet};
use crate::parser::parse;
use crate::walk::Edges;
use bitzel_taskgraph::EdgeKinds;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// Answers a query.
///
/// # Errors
/// [`QueryError`]: what is wrong with the query, and where.
pub fn query(env: &dyn QueryEnv, text: &str) -> Result<ResultSet, QueryError> {
    let expr = parse(text)?;
    Evaluation { env, text, edges: RefCell::default(), variables: Vec::new() }.expr(&expr)
}

/// One query being answered.
pub(crate) struct Evaluation<'a> {
    pub(crate) env: &'a dyn QueryEnv,
    text: &'a str,
    /// Edges by kinds; most queries need one set of them.
    edges: RefCell<BTreeMap<u8, Rc<Edges>>>,
    variables: Vec<(String, ResultSet)>,
}

impl Evaluation<'_> {
    pub(crate) fn error(&self, problem: Problem, span: &Range<usize>) -> QueryError {
        QueryError::new(problem, self.text, span.clone())
    }

    pub(crate) fn edges(&self, kinds: EdgeKinds) -> Rc<Edges> {
        let mut known = self.edges.borrow_mut();
        known.entry(kinds.0).or_insert_with(|| Rc::new(Edges::of(self.env, kinds))).clone()
    }

    pub(crate) fn expr(&mut self, expr: &Expr) -> Result<ResultSet, QueryError> {
        match &expr.node {
            ExprNode::Word(word) => self.word(word, &expr.span),
            ExprNode::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                let unknown = || self.error(Problem::UnknownVariable(name.clone()), &expr.span);
                found.map(|(_, value)| value.clone()).ok_or_else(unknown)
            }
            ExprNode::Set(items) => {
                let mut all = ResultSet::default();
                for item in items {
                    all = all.union(&self.expr(item)?);
                }
                Ok(all)
            }
            ExprNode::Let { name, value, body } => {
                let value = self.expr(value)?;
                self.variables.push((name.clone(), value));
                let result = self.expr(body);
                self.variables.pop();
                result
            }
            ExprNode::Binary { op, left, right } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                Ok(match op {
                    SetOp::Union => left.union(&right),
                    SetOp::Intersect => left.intersect(&right),
                    SetOp::Except => left.except(&right),
                })
            }
            ExprNode::Call { name, args } => self.call(name, args, &expr.span),
        }
    }

    fn word(&self, word: &str, span: &Range<usize>) -> Result<ResultSet, QueryError> {
        let nodes: NodeSet = self.env.resolve(word).into_iter().collect();
        // A pattern may match nothing, a name that stands for nothing is a mistake.
        if nodes.is_empty() && !word.contains('*') {
            let problem = Problem::UnknownName { name: word.to_owned(), close: self.env.similar(word) };
            return Err(self.error(problem, span));
        }
        Ok(ResultSet::of_nodes(nodes))
    }

    /// Checks that a function is there for this flavour of query.
    pub(crate) fn only_for(
        &self,
        flavours: &[Flavour],
        name: &str,
        span: &Range<usize>,
    ) -> Result<(), QueryError> {
        if flavours.contains(&self.env.flavour()) {
            return Ok(());
        }
        let flavour = match flavours {
            [Flavour::Aquery] => "aquery",
            _ => "cquery and aquery",
        };
        Err(self.error(Problem::OtherFlavour { name: name.to_owned(), flavour }, span))
    }

    pub(crate) fn filter_nodes(&self, set: ResultSet, keep: impl Fn(Node) -> bool) -> ResultSet {
        ResultSet::of_nodes(set.nodes.iter().filter(|&node| keep(node)).collect())
    }
}
