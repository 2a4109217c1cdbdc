//! `bitbake -b FILE`: one recipe file, as if it depended on nothing.

use anyhow::{Result, bail};
use bitzel_base::RecipeInfo;
use bitzel_workspace::Evaluation;

/// Task flags that name tasks of other recipes.
const OUTWARD: [&str; 7] =
    ["depends", "deptask", "rdepends", "rdeptask", "recrdeptask", "recideptask", "mcdepends"];

/// Leaves only the recipe of a file, without its dependencies. Gives its PN as well.
pub fn only(mut evaluation: Evaluation, file: &str) -> Result<(Evaluation, String)> {
    let whole = std::fs::canonicalize(file).ok();
    let matches = |path: &str| match &whole {
        Some(whole) => std::fs::canonicalize(path).is_ok_and(|path| path == *whole),
        None => path.ends_with(file),
    };
    evaluation.outcomes.retain(|outcome| outcome.mc.is_empty() && matches(&outcome.file.path));
    let [outcome] = &mut evaluation.outcomes[..] else {
        let found: Vec<&str> = evaluation.outcomes.iter().map(|outcome| outcome.file.path.as_str()).collect();
        match found[..] {
            [] => bail!("Unable to find any recipe file matching '{file}'; BBFILES has to name it"),
            _ => bail!("'{file}' is the end of several recipe files: {}", found.join(" ")),
        }
    };
    let Ok(evaluated) = &mut outcome.result else { bail!("'{file}' cannot be evaluated, see above") };
    evaluated.variants.retain(|(variant, _)| variant.is_empty());
    let Some((_, info)) = evaluated.variants.first_mut() else { bail!("'{file}' has no tasks") };
    if info.skipped {
        bail!("'{file}' is skipped: {}", info.skipreason);
    }
    cut_off(info);
    let pn = info.pn.clone();
    Ok((evaluation, pn))
}

fn cut_off(info: &mut RecipeInfo) {
    for list in [&mut info.depends, &mut info.rdepends, &mut info.rrecommends] {
        list.clear();
    }
    info.rdepends_pkg.clear();
    info.rrecommends_pkg.clear();
    info.extradepsfunc.clear();
    OUTWARD.iter().for_each(|flag| drop(info.task_deps.flags.remove(*flag)));
}
