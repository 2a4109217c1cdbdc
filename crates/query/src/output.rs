//! Results as text.

use crate::env::QueryEnv;
use crate::nodes::{Node, ResultSet};
use crate::walk::{Edges, ranks};
use bitzel_taskgraph::EdgeKinds;
use serde_json::json;
use std::fmt::{self, Write};
use std::str::FromStr;

/// Forms a result can be printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// One label a line, sorted; a path in its order.
    Label,
    /// `KIND LABEL`.
    LabelKind,
    /// An array of objects.
    Json,
    /// A graph for Graphviz.
    Graph,
    /// `RANK LABEL`: fewest steps from a root of the result.
    MinRank,
    /// `RANK LABEL`: most steps.
    MaxRank,
    /// The variables that define each node.
    Build,
}

/// A text that names no [`Output`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown output `{0}`; there is label, label_kind, json, graph, minrank, maxrank and build")]
pub struct UnknownOutput(pub String);

impl FromStr for Output {
    type Err = UnknownOutput;
    fn from_str(text: &str) -> Result<Output, UnknownOutput> {
        Ok(match text {
            "label" => Output::Label,
            "label_kind" => Output::LabelKind,
            "json" => Output::Json,
            "graph" => Output::Graph,
            "minrank" => Output::MinRank,
            "maxrank" => Output::MaxRank,
            "build" => Output::Build,
            other => return Err(UnknownOutput(other.to_owned())),
        })
    }
}

/// Writes a result.
///
/// # Errors
/// Those of `out`.
pub fn print(env: &dyn QueryEnv, result: &ResultSet, output: Output, out: &mut dyn Write) -> fmt::Result {
    let nodes = sorted(env, result);
    match output {
        Output::Label => {
            nodes.iter().try_for_each(|&n| writeln!(out, "{}", env.label(n)))?;
            result.files.iter().try_for_each(|file| writeln!(out, "{file}"))
        }
        Output::LabelKind => {
            nodes.iter().try_for_each(|&n| writeln!(out, "{} {}", env.kind(n), env.label(n)))?;
            result.files.iter().try_for_each(|file| writeln!(out, "source file {file}"))
        }
        Output::Json => print_json(env, result, &nodes, out),
        Output::Graph => print_graph(env, result, &nodes, out),
        Output::MinRank | Output::MaxRank => {
            let edges = Edges::of(env, EdgeKinds::ALL);
            let mut lines: Vec<(usize, &str)> = ranks(&edges, &result.nodes, output == Output::MaxRank)
                .into_iter()
                .map(|(rank, node)| (rank, env.label(node)))
                .chain(result.files.iter().map(|file| (0, file.as_str())))
                .collect();
            lines.sort();
            lines.iter().try_for_each(|(rank, label)| writeln!(out, "{rank} {label}"))
        }
        Output::Build => {
            for &node in &nodes {
                writeln!(out, "# {} ({})", env.label(node), env.file(node))?;
                for (name, value) in env.definition(node) {
                    writeln!(out, "{name} = \"{}\"", value.replace('"', "\\\""))?;
                }
                writeln!(out)?;
            }
            result.files.iter().try_for_each(|file| writeln!(out, "# {file}"))
        }
    }
}

fn sorted(env: &dyn QueryEnv, result: &ResultSet) -> Vec<Node> {
    if !result.path.is_empty() {
        return result.path.clone();
    }
    let mut nodes: Vec<Node> = result.nodes.iter().collect();
    nodes.sort_by(|&a, &b| env.label(a).cmp(env.label(b)));
    nodes
}

fn print_json(env: &dyn QueryEnv, result: &ResultSet, nodes: &[Node], out: &mut dyn Write) -> fmt::Result {
    let describe = |&node: &Node| {
        let mut deps = Vec::new();
        env.deps(node, EdgeKinds::ALL, &mut |dep| deps.push(env.label(dep)));
        deps.sort_unstable();
        deps.dedup();
        json!({
            "deps": deps, "file": env.file(node), "kind": env.kind(node),
            "label": env.label(node), "mc": env.config(node),
        })
    };
    let mut items: Vec<serde_json::Value> = nodes.iter().map(describe).collect();
    items.extend(result.files.iter().map(|file| json!({ "kind": "source file", "label": file })));
    let lines: Vec<String> = items.iter().map(|item| format!("  {item}")).collect();
    if lines.is_empty() { writeln!(out, "[]") } else { writeln!(out, "[\n{}\n]", lines.join(",\n")) }
}

fn print_graph(env: &dyn QueryEnv, result: &ResultSet, nodes: &[Node], out: &mut dyn Write) -> fmt::Result {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    writeln!(out, "digraph mygraph {{\n  node [shape=box];")?;
    for &node in nodes {
        writeln!(out, "  {}", quoted(env.label(node)))?;
        let mut deps = Vec::new();
        env.deps(node, EdgeKinds::ALL, &mut |dep| {
            if result.nodes.contains(dep) && dep != node {
                deps.push(env.label(dep));
            }
        });
        deps.sort_unstable();
        deps.dedup();
        for dep in deps {
            writeln!(out, "  {} -> {}", quoted(env.label(node)), quoted(dep))?;
        }
    }
    result.files.iter().try_for_each(|file| writeln!(out, "  {}", quoted(file)))?;
    writeln!(out, "}}")
}
