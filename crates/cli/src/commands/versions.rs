//! `bitbake -s`: the versions of all recipes.

use super::bitbake::refuse_errors;
use anyhow::Result;
use bitzel_base::RecipeInfo;
use bitzel_taskgraph::RecipeIx;
use bitzel_workspace::{Evaluation, Recipes};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Prints each recipe with its latest version, and the one that is taken where that is another.
pub fn show_versions(evaluation: Evaluation) -> Result<ExitCode> {
    refuse_errors(&evaluation)?;
    let recipes = Recipes::new(evaluation);
    let index = &recipes.index;
    println!(
        "{:<35} {:>25} {:>25} {:>25}",
        "Recipe Name", "Latest Version", "Preferred Version", "Required Version"
    );
    println!(
        "{:<35} {:>25} {:>25} {:>25}\n",
        "===========", "==============", "=================", "================"
    );
    let names: BTreeSet<&str> = index
        .recipes()
        .iter()
        .filter(|recipe| recipe.id.mc.is_empty() && !recipe.info.skipped)
        .map(|recipe| recipe.info.pn.as_str())
        .collect();
    for pn in names {
        let info = |ix: &RecipeIx| &index.recipe(*ix).info;
        let same = index.with_pn("", pn);
        let Some(latest) = index.best(same) else { continue };
        let latest = RecipeInfo::version(info(&latest));
        let choice = index.choose("", pn);
        let chosen =
            choice.eligible.iter().find(|ix| same.contains(ix)).map(|ix| RecipeInfo::version(info(ix)));
        let (taken, required) = match recipes.variable(&format!("REQUIRED_VERSION_{pn}")) {
            Some(_) => ("", chosen.clone().unwrap_or_default()),
            None => (chosen.as_deref().unwrap_or_default(), String::new()),
        };
        let preferred = if taken == latest { "" } else { taken };
        println!("{pn:<35} {latest:>25} {preferred:>25} {required:>25}");
    }
    Ok(ExitCode::SUCCESS)
}
