//! A signature in words: the text of `bitbake-dumpsig`.

use crate::siginfo::record::Siginfo;
use bitzel_base::python_repr;

/// The lines `bitbake-dumpsig` prints.
pub fn dump(info: &Siginfo) -> Vec<String> {
    let mut lines = vec![
        format!("basehash_ignore_vars: {}", python_list(&info.basehash_ignore_vars)),
        format!("taskhash_ignore_tasks: {}", python_list(ignored_tasks(info))),
        format!("Task dependencies: {}", python_list(&info.taskdeps)),
        format!("basehash: {}", info.basehash.as_deref().unwrap_or("None")),
    ];
    for (name, deps) in &info.gendeps {
        lines.push(format!("List of dependencies for variable {name} is {}", python_list(deps)));
    }
    for (name, value) in &info.varvals {
        lines.push(format!("Variable {name} value is {}", value.to_python().as_deref().unwrap_or("None")));
    }
    if let Some(runtime) = &info.runtime {
        lines.push(format!("Tasks this task depends on: {}", python_list(&runtime.runtaskdeps)));
        let files = runtime.file_checksum_values.iter().map(|(name, md5)| {
            let md5 = md5.as_deref().map_or_else(|| "None".to_owned(), python_repr);
            format!("[{}, {md5}]", python_repr(name))
        });
        let files: Vec<String> = files.collect();
        lines.push(format!("This task depends on the checksums of files: [{}]", files.join(", ")));
        for (name, hash) in &runtime.runtaskhashes {
            lines.push(format!("Hash for dependent task {name} is {hash}"));
        }
        if let Some(taint) = &runtime.taint {
            lines.push(format!("Tainted (by forced/invalidated task): {}", shown_taint(taint)));
        }
    }
    let from_file = info.basehash.as_deref().unwrap_or("None");
    lines.push(format!("Computed base hash is {} and from file {from_file}", info.computed_basehash()));
    if let Some(hash) = info.computed_taskhash() {
        lines.push(format!("Computed task hash is {hash}"));
    }
    lines
}

/// The letters of BB_TASKHASH_IGNORE_TASKS, which BitBake sorts like a list.
fn ignored_tasks(info: &Siginfo) -> Vec<String> {
    let mut letters: Vec<String> =
        info.taskhash_ignore_tasks.iter().flat_map(|t| t.chars()).map(String::from).collect();
    letters.sort();
    letters
}

/// A taint as BitBake shows it.
pub(super) fn shown_taint(taint: &str) -> String {
    match taint.strip_prefix("nostamp:") {
        Some(id) => format!("nostamp(uuid4):{id}"),
        None => taint.to_owned(),
    }
}

/// `['a', 'b']`.
pub(super) fn python_list<'a>(items: impl IntoIterator<Item = impl AsRef<str> + 'a>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| python_repr(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}
