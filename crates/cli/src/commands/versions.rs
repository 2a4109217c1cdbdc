//! `bitbake -s`: the versions of all recipes.

use super::bitbake::report_errors;
use anyhow::Result;
use bitzel_workspace::Evaluation;
use std::process::ExitCode;

/// Prints each recipe with its latest version.
pub fn show_versions(evaluation: &Evaluation) -> Result<ExitCode> {
    let mut rows: Vec<(String, String)> = evaluation
        .recipes()
        .filter(|(_, info, _)| !info.skipped)
        .map(|(_, info, _)| (info.pn.clone(), format!("{}:{}-{}", info.pe, info.pv, info.pr)))
        .collect();
    rows.sort();
    println!("{:<35} {:>25}", "Recipe Name", "Latest Version");
    println!("{:<35} {:>25}\n", "===========", "==============");
    for (name, version) in rows {
        println!("{name:<35} {version:>25}");
    }
    Ok(report_errors(evaluation))
}
