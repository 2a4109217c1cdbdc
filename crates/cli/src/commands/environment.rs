//! `bitbake -e`: the variables of the configuration or of a recipe, with their history.

use super::bitbake::refuse_errors;
use crate::arguments::ConfigArguments;
use crate::progress::Terminal;
use anyhow::{Context, Result, bail};
use bitzel_host::Host;
use bitzel_recipe::protocol::{Configuration, Reply, Request};
use bitzel_taskgraph::ProviderNotice;
use bitzel_workspace::{BuildDir, Evaluation, Recipes};
use std::process::ExitCode;

/// Prints the environment of the configuration, or of the recipe a target chooses.
pub fn run(targets: &[String], config: &ConfigArguments) -> Result<ExitCode> {
    let target = match targets {
        [] => None,
        [target] => Some(target.as_str()),
        _ => bail!("only one target can be used with the --environment option"),
    };
    let build_dir = BuildDir::find(&config.choice(), true)?;
    let (mut host, request) = configured(&build_dir, target)?;
    match host.ask(&Request::Call("environment".to_owned(), request))? {
        Reply::Text(text) => print!("{text}"),
        _ => bail!("unexpected answer of the host"),
    }
    Ok(ExitCode::SUCCESS)
}

/// A host that has read the configuration, and how it is told which datastore is meant: the
/// configuration's, or that of the recipe which a target chooses.
pub fn configured(build_dir: &BuildDir, target: Option<&str>) -> Result<(Host, Vec<String>)> {
    let mut quiet = build_dir.configure.clone();
    quiet.track_history = false;
    let plain = BuildDir { directory: build_dir.directory.clone(), configure: quiet, level: build_dir.level };
    std::thread::scope(|scope| {
        // Meanwhile what the cache knows of providers is read. If it does not know everything,
        // recipes are evaluated once it is clear that the configuration can be read.
        let known = target.map(|_| scope.spawn(|| Evaluation::known_providers(&plain).map(Recipes::new)));
        let mut host = build_dir.start_host(0)?;
        let configurations = host.configure(build_dir.configure.clone())?;
        let known = known.and_then(|thread| thread.join().ok().flatten());
        let request = recipe_arguments(&plain, &configurations, target, known)?;
        Ok((host, request))
    })
}

fn recipe_arguments(
    build_dir: &BuildDir,
    configurations: &[Configuration],
    target: Option<&str>,
    known: Option<Recipes>,
) -> Result<Vec<String>> {
    let Some(target) = target else { return Ok(vec![String::new()]) };
    let (mc, name) = match target.strip_prefix("mc:").and_then(|rest| rest.split_once(':')) {
        Some((mc, name)) => (mc, name),
        None => ("", target),
    };
    if !configurations.iter().any(|configuration| configuration.mc == mc) {
        bail!("there is no multiconfig `{mc}`; BBMULTICONFIG names those there are");
    }
    let recipes = match known {
        Some(recipes) => recipes,
        None => {
            let evaluation = Evaluation::run(build_dir, &Terminal::default())?;
            refuse_errors(&evaluation)?;
            Recipes::new(evaluation)
        }
    };
    let choice = recipes.index.choose(mc, name);
    for notice in &choice.notices {
        tell(notice);
    }
    let Some(&chosen) = choice.eligible.first() else { bail!("{}", nobody_provides(&recipes, mc, name)) };
    let recipe = recipes.index.recipe(chosen);
    let address = recipes.address(&recipe.id).context("the chosen recipe was evaluated")?;
    let mut request = vec![mc.to_owned(), address.recipe.path, address.recipe.layer, address.variant];
    request.extend(address.recipe.appends);
    Ok(request)
}

/// Prints what there is to say of a choice, each line as a message of its own.
fn tell(notice: &ProviderNotice) {
    let level = match notice {
        ProviderNotice::VersionMissing { .. } => "WARNING",
        ProviderNotice::SeveralProviders { .. } => "NOTE",
    };
    let text = notice.to_string();
    let mut lines: Vec<&str> = text.lines().collect();
    if level == "WARNING" {
        lines.reverse();
    }
    for line in lines {
        eprintln!("{level}: {line}");
    }
}

/// Why a name has no provider.
fn nobody_provides(recipes: &Recipes, mc: &str, name: &str) -> String {
    let skipped = recipes.index.skipped(mc).iter().map(|&ix| recipes.index.recipe(ix));
    let reasons: Vec<String> = skipped
        .filter(|recipe| recipe.info.pn == name || recipe.info.provides.iter().any(|p| p == name))
        .map(|recipe| format!("\n{} was skipped: {} ({})", recipe.info.pn, recipe.info.skipreason, recipe.id))
        .collect();
    if !reasons.is_empty() {
        return format!("Nothing PROVIDES '{name}'{}", reasons.concat());
    }
    let close = bitzel_taskgraph::close_matches(name, recipes.index.provided_names(mc).into_iter());
    if close.is_empty() {
        return format!("Nothing PROVIDES '{name}'\n`bitbake -s` lists what there is");
    }
    format!("Nothing PROVIDES '{name}'. Close matches:\n  {}", close.join("\n  "))
}
