//! `bitbake -e`: the variables of the configuration or of a recipe, with their history.

use crate::arguments::ConfigArguments;
use crate::progress::Terminal;
use anyhow::{Result, bail};
use bitzel_recipe::protocol::{Configuration, Reply, Request};
use bitzel_workspace::{BuildDir, Evaluation};
use std::process::ExitCode;

/// Prints the environment of the configuration, or of the recipe a target chooses.
pub fn run(targets: &[String], config: &ConfigArguments) -> Result<ExitCode> {
    let target = match targets {
        [] => None,
        [target] => Some(target.as_str()),
        _ => bail!("only one target can be used with the --environment option"),
    };
    let build_dir = BuildDir::find(&config.choice(), true)?;
    let mut host = build_dir.start_host(0)?;
    let configurations = host.configure(build_dir.configure.clone())?;
    let request = recipe_arguments(&build_dir, &configurations, target)?;
    match host.ask(&Request::Call("environment".to_owned(), request))? {
        Reply::Text(text) => print!("{text}"),
        _ => bail!("unexpected answer of the host"),
    }
    Ok(ExitCode::SUCCESS)
}

/// How a host is told which datastore is meant: the configuration's, or that of the recipe
/// which a target chooses.
pub fn recipe_arguments(
    build_dir: &BuildDir,
    configurations: &[Configuration],
    target: Option<&str>,
) -> Result<Vec<String>> {
    let Some(target) = target else { return Ok(vec![String::new()]) };
    let (mc, name) = match target.strip_prefix("mc:").and_then(|rest| rest.split_once(':')) {
        Some((mc, name)) => (mc, name),
        None => ("", target),
    };
    if !configurations.iter().any(|configuration| configuration.mc == mc) {
        bail!("there is no multiconfig `{mc}`; BBMULTICONFIG names those there are");
    }
    let mut quiet = build_dir.configure.clone();
    quiet.track_history = false;
    let plain = BuildDir { directory: build_dir.directory.clone(), configure: quiet, level: build_dir.level };
    let evaluation = Evaluation::run(&plain, &Terminal::default())?;
    let mut found: Vec<_> = evaluation
        .recipes()
        .filter(|(id, info, _)| {
            id.mc == mc && !info.skipped && (info.pn == name || info.provides.iter().any(|p| p == name))
        })
        .collect();
    found.sort_by_key(|(_, info, file)| (info.pn == name, file.priority, info.defaultpref));
    let Some((id, _, file)) = found.pop() else {
        let skipped = evaluation.recipes().find(|(_, info, _)| info.pn == name);
        match skipped {
            Some((id, info, _)) => {
                bail!("Nothing PROVIDES '{name}'\n{name} was skipped: {} ({id})", info.skipreason)
            }
            None => bail!("Nothing PROVIDES '{name}'; `bitbake -s` lists what there is"),
        }
    };
    let mut request = vec![mc.to_owned(), file.path.clone(), file.layer.clone(), id.variant.clone()];
    request.extend(file.appends.iter().cloned());
    Ok(request)
}
