//! The suite's outcome as the table of docs/escapes.md: what is held here and in bubblewrap.

use crate::attempts;
use crate::trial::Verdict;
use std::collections::BTreeMap;

/// Prints the rows; `verdicts` are by name, with the half (`root::`, `user::`) in front.
pub fn print(verdicts: &BTreeMap<&str, &Verdict>) {
    println!("| attempt | bitzel, as root | bubblewrap, as root | bitzel, as user | bubblewrap, as user |");
    println!("|---|---|---|---|---|");
    let mut names: Vec<&str> = attempts::all().map(|attempt| attempt.name).collect();
    names.sort_unstable();
    for name in names {
        let cells = ["root", "user"].map(|half| cells(verdicts.get(format!("{half}::{name}").as_str())));
        println!("| {name} | {} | {} |", cells[0], cells[1]);
    }
}

fn cells(verdict: Option<&&Verdict>) -> String {
    let shown = match verdict {
        Some(Verdict::Held { bubblewrap, .. }) => ("held", bubblewrap.map(said)),
        Some(Verdict::Failed(_)) => ("**out**", None),
        Some(Verdict::NotChecked(_)) | None => ("not checked", None),
    };
    format!("{} | {}", shown.0, shown.1.unwrap_or("not checked"))
}

fn said(held: bool) -> &'static str {
    if held { "held" } else { "**out**" }
}
