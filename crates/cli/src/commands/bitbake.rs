//! `bitbake`, by its own options.

use crate::arguments::ConfigArguments;
use crate::progress::Terminal;
use anyhow::{Result, bail};
use bitzel_recipe::protocol::{Configuration, Reply, Request};
use bitzel_workspace::{BuildDir, Evaluation};
use std::process::ExitCode;

/// Options of `bitbake`.
#[derive(clap::Parser)]
#[command(name = "bitbake", version = env!("CARGO_PKG_VERSION"), about = "Evaluates recipes and runs their tasks")]
pub struct Arguments {
    /// Recipes, or anything they provide
    targets: Vec<String>,
    /// Quit after parsing the BB recipes
    #[arg(short = 'p', long)]
    parse_only: bool,
    /// Show the global or per-recipe environment, with the history of variables
    #[arg(short = 'e', long)]
    environment: bool,
    /// Show current and preferred versions of all recipes
    #[arg(short = 's', long)]
    show_versions: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Runs what the options ask for.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    if arguments.environment {
        return environment(&arguments);
    }
    let build_dir = BuildDir::find(&arguments.config.choice(), false)?;
    if arguments.show_versions {
        return show_versions(&Evaluation::run(&build_dir, &Terminal::default())?);
    }
    if arguments.parse_only {
        return parse_only(&build_dir);
    }
    if arguments.targets.is_empty() {
        bail!(
            "Nothing to do.  Use 'bitbake world' to build everything, or run 'bitbake --help' for usage information."
        );
    }
    bail!(
        "building `{}` is not possible yet: this version evaluates metadata (-p, -e, -s) but runs no tasks",
        arguments.targets.join(" ")
    )
}

fn parse_only(build_dir: &BuildDir) -> Result<ExitCode> {
    let evaluation = Evaluation::run(build_dir, &Terminal::default())?;
    println!("{}", evaluation.summary());
    Ok(report_errors(&evaluation))
}

/// Prints the errors of all files; the exit code follows.
fn report_errors(evaluation: &Evaluation) -> ExitCode {
    let errors = evaluation.errors();
    for error in &errors {
        eprintln!("ERROR: {error}");
    }
    if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn environment(arguments: &Arguments) -> Result<ExitCode> {
    let target = match &arguments.targets[..] {
        [] => None,
        [target] => Some(target.as_str()),
        _ => bail!("only one target can be used with the --environment option"),
    };
    let build_dir = BuildDir::find(&arguments.config.choice(), true)?;
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

fn show_versions(evaluation: &Evaluation) -> Result<ExitCode> {
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
