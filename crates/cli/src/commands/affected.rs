//! `bitzel affected`: the recipes that changes in the layers touch.

use crate::arguments::ConfigArguments;
use crate::session::Session;
use anyhow::{Context, Result, bail};
use bitzel_taskgraph::{Reason, Recipe, affected_recipes};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Options of `affected`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Changes since this revision of the layers' repositories, uncommitted ones included
    #[arg(long, value_name = "GITREV", required_unless_present = "files")]
    since: Option<String>,
    /// Files taken as changed
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Lists recipes with the changed files they are made from.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let session = Session::load(&arguments.config)?;
    let mut changed = BTreeSet::new();
    for file in &arguments.files {
        let path = std::path::absolute(file).with_context(|| format!("`{file}`"))?;
        changed.insert(path.to_str().context("file names are UTF-8")?.to_owned());
    }
    if let Some(revision) = &arguments.since {
        let layers: BTreeSet<&str> =
            session.recipes.configurations.iter().flat_map(|c| &c.layers).map(|l| l.path.as_str()).collect();
        for layer in layers {
            changed.extend(changed_in(layer, revision)?);
        }
    }
    let index = &session.recipes.index;
    let reads = |recipe: &Recipe| session.recipes.files_read(&recipe.id);
    let affected = affected_recipes(index, &changed, &reads);
    if arguments.json {
        let rows: Vec<_> = affected
            .iter()
            .map(|row| {
                let recipe = index.recipe(row.recipe);
                let files: Vec<&String> = row.reasons.iter().map(file_of).collect();
                serde_json::json!({ "recipe": recipe.info.pn, "id": recipe.id.to_string(), "files": files })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    for row in &affected {
        let files: Vec<&str> = row.reasons.iter().map(|reason| file_of(reason).as_str()).collect();
        println!("{}: {}", index.recipe(row.recipe).info.pn, files.join(" "));
    }
    println!("{} changed files touch {} of {} recipes", changed.len(), affected.len(), index.recipes().len());
    Ok(ExitCode::SUCCESS)
}

fn file_of(reason: &Reason) -> &String {
    match reason {
        Reason::Read(file) | Reason::Source(file) => file,
    }
}

/// Files below a layer that differ from a revision, untracked ones included.
fn changed_in(layer: &str, revision: &str) -> Result<Vec<String>> {
    if revision.starts_with('-') {
        bail!("`{revision}` is no git revision");
    }
    let top = git(layer, &["rev-parse", "--show-toplevel"])?;
    let top = top.trim_end();
    let differing = git(layer, &["diff", "--name-only", "-z", revision, "--", "."])?;
    let untracked =
        git(layer, &["ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", "."])?;
    let names = differing.split('\0').chain(untracked.split('\0')).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let path = Path::new(top).join(name);
            Ok(path.to_str().context("file names are UTF-8")?.to_owned())
        })
        .collect()
}

fn git(layer: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(layer)
        .args(arguments)
        .output()
        .context("cannot start git; install it (Debian: apt-get install git)")?;
    if !output.status.success() {
        bail!("git {} in {layer}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("git's answer is not UTF-8")
}
