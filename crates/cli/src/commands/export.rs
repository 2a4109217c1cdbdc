//! `bitzel export`: what the metadata of a build directory says, as files.

use crate::arguments::ConfigArguments;
use crate::progress::Terminal;
use crate::session::Session;
use anyhow::{Context, Result};
use bitzel_host::Error;
use bitzel_recipe::export::{LinesFile, Normaliser, Places};
use bitzel_recipe::protocol::{ExportShard, Reply, Request};
use bitzel_taskgraph::Resolution;
use bitzel_workspace::{BuildDir, Evaluation, PlanOptions, Recipes};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Options of `export`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder to write to; it is made if it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder shown as @BITBAKEDIR@ where it stands in values
    #[arg(long, value_name = "DIR", default_value = "")]
    bitbake: String,
    /// Also write the task graph and the hashes of this target; may be given again
    #[arg(long, value_name = "TARGET")]
    graph: Vec<String>,
    /// Leave out the values of recipes
    #[arg(long)]
    no_recipes: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Writes the export.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let build_dir = BuildDir::find(&arguments.config.choice(), false)?;
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("cannot make the folder {}", arguments.out.display()))?;
    let out = arguments.out.canonicalize()?.to_str().context("--out must be UTF-8")?.to_owned();
    let wrote = match arguments.no_recipes {
        true => String::new(),
        false => write_recipes(&build_dir, &arguments, &out)?,
    };
    let recipes = Recipes::new(Evaluation::run(&build_dir, &Terminal::default())?);
    write_plan(&Session::with(build_dir, recipes), &arguments, &out)?;
    println!(
        "wrote {wrote}the providers{} to {out}",
        if arguments.graph.is_empty() { "" } else { " and the task graph" }
    );
    Ok(ExitCode::SUCCESS)
}

/// Writes all values of all variants; answers with what that was.
fn write_recipes(build_dir: &BuildDir, arguments: &Arguments, out: &str) -> Result<String> {
    let shards = std::thread::available_parallelism().map_or(1, usize::from);
    let mut host = build_dir.start_host(shards)?;
    let mut configure = build_dir.configure.clone();
    configure.command_line.clear();
    let configurations = host.configure(configure)?;
    let all: Vec<_> = configurations
        .iter()
        .flat_map(|c| c.recipes.iter().map(|recipe| (c.mc.clone(), recipe.clone())))
        .collect();
    let places = places(build_dir, arguments);
    let shard = |number: usize| ExportShard {
        out: out.to_owned(),
        number,
        recipes: all.iter().skip(number).step_by(shards).cloned().collect(),
        bitbake: places.bitbake.clone(),
        home: places.home.clone(),
        user: places.user.clone(),
    };
    let jobs: Vec<ExportShard> = (0..shards).map(shard).collect();
    let counts =
        host.spread(shards, &jobs, |channel, shard| match channel.ask(&Request::Export(shard.clone()))? {
            Reply::Count(count) => Ok(count),
            _ => Err(Error::Confused),
        })?;
    let count: usize = counts.iter().sum();
    Ok(format!("{count} variants of {} recipe files, ", all.len()))
}

/// What is shown by name instead of as it is on this machine.
fn places(build_dir: &BuildDir, arguments: &Arguments) -> Places {
    let env = |name: &str| build_dir.configure.env.get(name).cloned().unwrap_or_default();
    Places { bitbake: arguments.bitbake.clone(), home: env("HOME"), user: env("USER") }
}

/// Writes who provides what and, for targets, their task graph.
fn write_plan(session: &Session, arguments: &Arguments, out: &str) -> Result<()> {
    let recipes = &session.recipes;
    let places = places(&session.build_dir, arguments);
    let variable = |name: &str| Ok(recipes.variable(name).unwrap_or_default().to_owned());
    let normaliser = Normaliser::new(&[&variable], &places).map_err(|error| anyhow::anyhow!("{error}"))?;
    let targets = &arguments.graph;
    let mut resolution = Resolution::default();
    if !targets.is_empty() {
        let plan = session.plan(&PlanOptions { targets: targets.clone(), ..PlanOptions::default() })?;
        let signatures = session.sign(&plan)?;
        let record = recipes.graph_record(targets, &plan, &signatures, &normaliser);
        write_lines(&Path::new(out).join("graph.json.zst"), &[record])?;
        resolution = plan.resolution;
    }
    let records = recipes.provider_records(&resolution, &normaliser);
    write_lines(&Path::new(out).join("providers.jsonl.zst"), &records)
}

fn write_lines(path: &Path, records: &[serde_json::Value]) -> Result<()> {
    let write = || -> std::io::Result<u64> {
        let mut file = LinesFile::create(path, 3)?;
        for record in records {
            file.line(record)?;
        }
        file.finish()
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
