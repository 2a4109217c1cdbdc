//! The functions of the language.

use crate::ast::{Expr, ExprNode};
use crate::env::Flavour;
use crate::error::{Problem, QueryError};
use crate::eval::Evaluation;
use crate::nodes::{Node, NodeSet, ResultSet};
use bitzel_taskgraph::{EdgeKinds, close_matches};
use regex::{Regex, RegexBuilder};
use std::collections::BTreeSet;
use std::ops::Range;

/// Every function and the forms of its arguments.
const FUNCTIONS: [(&str, usize, usize, &str); 20] = [
    ("allpaths", 2, 2, "(from, to)"),
    ("allrdeps", 1, 7, "(set[, depth][, edge kinds])"),
    ("attr", 3, 3, "(variable, regex, set)"),
    ("buildfiles", 1, 1, "(set)"),
    ("config", 2, 2, "(set, multiconfig)"),
    ("deps", 1, 7, "(set[, depth][, edge kinds])"),
    ("filter", 2, 2, "(regex, set)"),
    ("inputs", 2, 2, "(regex, set)"),
    ("kind", 2, 2, "(regex, set)"),
    ("labels", 2, 2, "(variable, set)"),
    ("loadfiles", 1, 1, "(set)"),
    ("mnemonic", 2, 2, "(regex, set)"),
    ("outputs", 2, 2, "(regex, set)"),
    ("owner", 1, usize::MAX, "(file, ...)"),
    ("rbuildfiles", 1, usize::MAX, "(file, ...)"),
    ("rdeps", 2, 8, "(universe, set[, depth][, edge kinds])"),
    ("same_pkg_direct_rdeps", 1, 1, "(set)"),
    ("siblings", 1, 1, "(set)"),
    ("some", 1, 2, "(set[, count])"),
    ("somepath", 2, 2, "(from, to)"),
];

/// More would stop the machine, not the pattern's author.
const REGEX_LIMIT: usize = 1 << 20;

impl Evaluation<'_> {
    pub(crate) fn call(
        &mut self,
        name: &str,
        args: &[Expr],
        span: &Range<usize>,
    ) -> Result<ResultSet, QueryError> {
        let name_span = span.start..span.start + name.len();
        let Some(&(_, least, most, form)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            let close = close_matches(name, FUNCTIONS.iter().map(|(known, ..)| *known));
            return Err(self.error(Problem::UnknownFunction { name: name.to_owned(), close }, &name_span));
        };
        if args.len() < least || args.len() > most {
            let problem = Problem::ArgumentCount { name: name.to_owned(), expected: form, found: args.len() };
            return Err(self.error(problem, span));
        }
        match name {
            "deps" | "allrdeps" => {
                let set = self.expr(&args[0])?;
                let (depth, kinds) = self.reach_args(&args[1..])?;
                let edges = self.edges(kinds);
                let nodes = if name == "deps" {
                    edges.forward(&set.nodes, depth)
                } else {
                    edges.backward(&set.nodes, depth, None)
                };
                Ok(ResultSet { nodes, files: set.files, path: Vec::new() })
            }
            "rdeps" => {
                let (universe, set) = (self.expr(&args[0])?, self.expr(&args[1])?);
                let (depth, kinds) = self.reach_args(&args[2..])?;
                let edges = self.edges(kinds);
                let within = edges.forward(&universe.nodes, usize::MAX);
                Ok(ResultSet::of_nodes(edges.backward(&set.nodes, depth, Some(&within))))
            }
            "somepath" | "allpaths" => self.paths(name, &args[0], &args[1]),
            "kind" | "filter" | "mnemonic" | "inputs" | "outputs" => self.matching(name, args, &name_span),
            "attr" => self.attr(&args[0], &args[1], &args[2]),
            "config" => {
                self.only_for(&[Flavour::Cquery, Flavour::Aquery], name, &name_span)?;
                let set = self.expr(&args[0])?;
                let wanted = self.plain(&args[1])?;
                let wanted = if wanted == "default" { "" } else { wanted };
                Ok(self.filter_nodes(set, |node| self.env.config(node) == wanted))
            }
            "labels" => {
                let attr = self.plain(&args[0])?;
                let set = self.expr(&args[1])?;
                Ok(ResultSet::of_nodes(
                    set.nodes.iter().flat_map(|node| self.env.labels(node, attr)).collect(),
                ))
            }
            "some" => self.some(args),
            "buildfiles" | "loadfiles" => {
                let set = self.expr(&args[0])?;
                let mut files: BTreeSet<String> =
                    set.nodes.iter().flat_map(|node| self.env.build_files(node)).collect();
                if name == "loadfiles" {
                    // What is loaded is what is read beside the defining files.
                    set.nodes.iter().for_each(|node| {
                        files.remove(self.env.file(node));
                    });
                }
                Ok(ResultSet::of_files(files))
            }
            "owner" => self.files_of(args, |env, node| env.env.sources(node)),
            "rbuildfiles" => self.files_of(args, |env, node| env.env.build_files(node)),
            _ => self.siblings(name, &args[0]),
        }
    }

    /// `siblings` and `same_pkg_direct_rdeps`: nodes defined by the same file.
    fn siblings(&mut self, name: &str, arg: &Expr) -> Result<ResultSet, QueryError> {
        let set = self.expr(arg)?;
        let files: BTreeSet<&str> = set.nodes.iter().map(|node| self.env.file(node)).collect();
        let candidates = if name == "siblings" {
            (0..self.env.node_count() as u32).map(Node).collect()
        } else {
            self.edges(EdgeKinds::ALL).backward(&set.nodes, 1, None)
        };
        Ok(ResultSet::of_nodes(
            candidates.iter().filter(|&node| files.contains(self.env.file(node))).collect(),
        ))
    }

    /// Trailing arguments of `deps` and its like: a depth and kinds of edges.
    fn reach_args(&self, args: &[Expr]) -> Result<(usize, EdgeKinds), QueryError> {
        let (mut depth, mut kinds) = (usize::MAX, None::<EdgeKinds>);
        for arg in args {
            let word = self.plain(arg)?;
            if let Ok(number) = word.parse() {
                depth = number;
                continue;
            }
            let kind = match word {
                "build" => EdgeKinds::BUILD,
                "runtime" => EdgeKinds::RUNTIME,
                "task" => EdgeKinds::TASK,
                "recursive" => EdgeKinds::RECURSIVE,
                "mc" => EdgeKinds::MULTICONFIG,
                other if other.starts_with(|c: char| c.is_ascii_digit()) => {
                    return Err(self.error(Problem::BadNumber(other.to_owned()), &arg.span));
                }
                other => return Err(self.error(Problem::BadEdgeKind(other.to_owned()), &arg.span)),
            };
            kinds = Some(kinds.unwrap_or_default().union(kind));
        }
        Ok((depth, kinds.unwrap_or(EdgeKinds::ALL)))
    }

    /// An argument that is no set but a text: a name, a pattern, a number.
    fn plain<'e>(&self, arg: &'e Expr) -> Result<&'e str, QueryError> {
        match &arg.node {
            ExprNode::Word(text) => Ok(text),
            _ => {
                let problem = Problem::Expected {
                    expected: "a plain word".to_owned(),
                    found: "an expression".to_owned(),
                };
                Err(self.error(problem, &arg.span))
            }
        }
    }

    fn regex(&self, arg: &Expr) -> Result<Regex, QueryError> {
        let pattern = self.plain(arg)?;
        RegexBuilder::new(pattern).size_limit(REGEX_LIMIT).build().map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
            self.error(Problem::BadRegex { pattern: pattern.to_owned(), reason }, &arg.span)
        })
    }

    fn paths(&mut self, name: &str, from: &Expr, to: &Expr) -> Result<ResultSet, QueryError> {
        let (from, to) = (self.expr(from)?, self.expr(to)?);
        let edges = self.edges(EdgeKinds::ALL);
        if name == "somepath" {
            let path = edges.some_path(&from.nodes, &to.nodes);
            return Ok(ResultSet { nodes: path.iter().copied().collect(), path, ..ResultSet::default() });
        }
        let within = edges.forward(&from.nodes, usize::MAX);
        Ok(ResultSet::of_nodes(edges.backward(&to.nodes, usize::MAX, Some(&within))))
    }

    /// Functions `(regex, set)`.
    fn matching(&mut self, name: &str, args: &[Expr], span: &Range<usize>) -> Result<ResultSet, QueryError> {
        if matches!(name, "mnemonic" | "inputs" | "outputs") {
            self.only_for(&[Flavour::Aquery], name, span)?;
        }
        let regex = self.regex(&args[0])?;
        let set = self.expr(&args[1])?;
        let any = |files: Vec<String>| files.iter().any(|file| regex.is_match(file));
        let files: BTreeSet<String> = match name {
            "filter" => set.files.iter().filter(|file| regex.is_match(file)).cloned().collect(),
            "kind" if regex.is_match("source file") => set.files.clone(),
            _ => BTreeSet::new(),
        };
        let env = self.env;
        let nodes = self.filter_nodes(set, |node| match name {
            "kind" => regex.is_match(&env.kind(node)),
            "filter" => regex.is_match(env.label(node)),
            "mnemonic" => regex.is_match(env.mnemonic(node)),
            "inputs" => any(env.inputs(node)),
            _ => any(env.outputs(node)),
        });
        Ok(ResultSet { files, ..nodes })
    }

    fn attr(&mut self, name: &Expr, pattern: &Expr, set: &Expr) -> Result<ResultSet, QueryError> {
        let (name, regex) = (self.plain(name)?, self.regex(pattern)?);
        let set = self.expr(set)?;
        Ok(self
            .filter_nodes(set, |node| self.env.attr(node, name).is_some_and(|value| regex.is_match(&value))))
    }

    fn some(&mut self, args: &[Expr]) -> Result<ResultSet, QueryError> {
        let count = match args.get(1) {
            Some(arg) => {
                let word = self.plain(arg)?;
                word.parse().map_err(|_| self.error(Problem::BadNumber(word.to_owned()), &arg.span))?
            }
            None => 1,
        };
        let set = self.expr(&args[0])?;
        let nodes: NodeSet = set.nodes.iter().take(count).collect();
        let left = count - nodes.len().min(count);
        Ok(ResultSet { files: set.files.into_iter().take(left).collect(), ..ResultSet::of_nodes(nodes) })
    }

    /// The nodes that have one of the files, by full path or by its end.
    fn files_of(
        &mut self,
        args: &[Expr],
        files: impl Fn(&Self, Node) -> Vec<String>,
    ) -> Result<ResultSet, QueryError> {
        let mut wanted = Vec::new();
        for arg in args {
            wanted.push(self.plain(arg)?);
        }
        let is = |file: &str, wanted: &str| {
            file == wanted || file.strip_suffix(wanted).is_some_and(|before| before.ends_with('/'))
        };
        let all = (0..self.env.node_count() as u32).map(Node);
        let nodes =
            all.filter(|&node| files(self, node).iter().any(|file| wanted.iter().any(|w| is(file, w))));
        Ok(ResultSet::of_nodes(nodes.collect()))
    }
}
