//! The files `bitbake -g` writes.

use crate::graph::{TaskGraph, TaskIx};
use crate::index::ProviderIndex;
use std::collections::BTreeSet;
use std::fmt::{self, Write};

/// `pn-buildlist`: the PN of every recipe of the graph, `mc:NAME:PN` outside the
/// default multiconfig, one a line, sorted.
pub fn pn_buildlist(graph: &TaskGraph, index: &ProviderIndex) -> String {
    let pns: BTreeSet<String> = graph.tasks().map(|task| mc_pn(graph, index, task)).collect();
    pns.into_iter().map(|pn| pn + "\n").collect()
}

/// `task-depends.dot`: every task and edge, sorted by `PN.TASK`.
///
/// # Errors
/// Those of `out`.
pub fn task_depends(graph: &TaskGraph, index: &ProviderIndex, out: &mut impl Write) -> fmt::Result {
    let label: Vec<String> = graph.tasks().map(|task| task_label(graph, index, task)).collect();
    let mut order: Vec<TaskIx> = graph.tasks().collect();
    order.sort_by(|a, b| label[a.0 as usize].cmp(&label[b.0 as usize]));
    out.write_str("digraph depends {\n")?;
    for task in order {
        let name = &label[task.0 as usize];
        let version =
            index.find(graph.recipe(task)).map_or(String::new(), |ix| index.recipe(ix).info.version());
        writeln!(
            out,
            "\"{name}\" [label=\"{} {}\\n{version}\\n{}\"]",
            mc_pn(graph, index, task),
            graph.task_name(task),
            graph.recipe(task),
        )?;
        let mut deps: Vec<&str> = graph.deps(task).map(|d| label[d.0 as usize].as_str()).collect();
        deps.sort_unstable();
        for dep in deps {
            writeln!(out, "\"{name}\" -> \"{dep}\"")?;
        }
    }
    out.write_str("}\n")
}

/// `PN.TASK`, as the files of `bitbake -g` name a task.
pub fn task_label(graph: &TaskGraph, index: &ProviderIndex, task: TaskIx) -> String {
    format!("{}.{}", mc_pn(graph, index, task), graph.task_name(task))
}

/// `PN`, or `mc:NAME:PN`, of the recipe of a task.
fn mc_pn(graph: &TaskGraph, index: &ProviderIndex, task: TaskIx) -> String {
    index.find(graph.recipe(task)).map_or(String::new(), |ix| index.recipe(ix).mc_pn())
}
