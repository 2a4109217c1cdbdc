//! `bitzel export`: what the metadata of a build directory says, as files.

use crate::arguments::ConfigArguments;
use crate::progress::Terminal;
use anyhow::{Context, Result, bail};
use bitzel_host::{Channel, Error};
use bitzel_recipe::export::{LinesFile, Normaliser, Places};
use bitzel_recipe::protocol::{ExportShard, Reply, Request};
use bitzel_workspace::{BuildDir, Evaluation, Recipes};
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
    #[command(flatten)]
    config: ConfigArguments,
}

/// Writes the export.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let build_dir = BuildDir::find(&arguments.config.choice(), false)?;
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("cannot make the folder {}", arguments.out.display()))?;
    let out = arguments.out.canonicalize()?.to_str().context("--out must be UTF-8")?.to_owned();
    let shards = std::thread::available_parallelism().map_or(1, usize::from);
    let mut host = build_dir.start_host(shards)?;
    let mut configure = build_dir.configure.clone();
    configure.command_line.clear();
    let configurations = host.configure(configure)?;
    let all: Vec<_> = configurations
        .iter()
        .flat_map(|c| c.recipes.iter().map(|recipe| (c.mc.clone(), recipe.clone())))
        .collect();
    let env = |name: &str| build_dir.configure.env.get(name).cloned().unwrap_or_default();
    let channels = host.fork(shards)?;
    let export = |(number, mut channel): (usize, Channel)| -> Result<usize, Error> {
        let shard = ExportShard {
            out: out.clone(),
            number,
            recipes: all.iter().skip(number).step_by(shards).cloned().collect(),
            bitbake: arguments.bitbake.clone(),
            home: env("HOME"),
            user: env("USER"),
        };
        match channel.ask(&Request::Export(shard))? {
            Reply::Count(count) => Ok(count),
            _ => Err(Error::Confused),
        }
    };
    let mut count = 0;
    std::thread::scope(|scope| -> Result<()> {
        let threads: Vec<_> =
            channels.into_iter().enumerate().map(|job| scope.spawn(|| export(job))).collect();
        for thread in threads {
            match thread.join() {
                Ok(result) => count += result?,
                Err(_) => bail!("a thread that watches an evaluator panicked"),
            }
        }
        Ok(())
    })?;
    write_providers(&build_dir, &out, &arguments.bitbake)?;
    println!("wrote {count} variants of {} recipe files to {out}", all.len());
    Ok(ExitCode::SUCCESS)
}

/// Writes who provides what.
fn write_providers(build_dir: &BuildDir, out: &str, bitbake: &str) -> Result<()> {
    let recipes = Recipes::new(Evaluation::run(build_dir, &Terminal::default())?);
    let env = |name: &str| build_dir.configure.env.get(name).cloned().unwrap_or_default();
    let places = Places { bitbake: bitbake.to_owned(), home: env("HOME"), user: env("USER") };
    let variable = |name: &str| Ok(recipes.variable(name).unwrap_or_default().to_owned());
    let normaliser = Normaliser::new(&[&variable], &places).map_err(|error| anyhow::anyhow!("{error}"))?;
    let path = Path::new(out).join("providers.jsonl.zst");
    let write = || -> std::io::Result<u64> {
        let mut file = LinesFile::create(&path, 3)?;
        for record in recipes.provider_records(&normaliser) {
            file.line(&record)?;
        }
        file.finish()
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
