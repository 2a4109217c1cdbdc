//! `bitbake-layers`: which layers and recipes there are, and how they overlap.

use crate::progress::Terminal;
use anyhow::{Context, Result, bail};
use bitzel_workspace::{BuildDir, ConfigChoice, Evaluation};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Options of `bitbake-layers`.
#[derive(clap::Parser)]
#[command(name = "bitbake-layers", about = "BitBake layers utility")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show current configured layers
    ShowLayers,
    /// List available recipes, showing the layer they are provided by
    ShowRecipes {
        /// Only recipes whose name matches this pattern (`*` stands for anything)
        pattern: Vec<String>,
        /// Only the names of recipe files
        #[arg(short = 'f', long)]
        filenames: bool,
        /// Only recipes of this layer
        #[arg(short = 'l', long)]
        layer: Option<String>,
    },
    /// List .bbappend files and the recipes they apply to
    ShowAppends,
    /// List recipes hidden by a recipe of the same file name in a layer of higher priority
    ShowOverlayed,
    /// Add layers to bblayers.conf
    AddLayer {
        /// Folders of layers
        #[arg(required = true)]
        layers: Vec<PathBuf>,
    },
    /// Remove layers from bblayers.conf
    RemoveLayer {
        /// Folders of layers, as they stand in bblayers.conf
        #[arg(required = true)]
        layers: Vec<PathBuf>,
    },
}

/// Runs the subcommand.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let build_dir = BuildDir::find(&ConfigChoice::default(), false)?;
    match arguments.command {
        Command::ShowLayers => show_layers(&build_dir)?,
        Command::ShowRecipes { pattern, filenames, layer } => {
            show_recipes(
                &Evaluation::run(&build_dir, &Terminal::default())?,
                &pattern,
                filenames,
                layer.as_deref(),
            );
        }
        Command::ShowAppends => show_appends(&Evaluation::run(&build_dir, &Terminal::default())?),
        Command::ShowOverlayed => show_overlayed(&Evaluation::run(&build_dir, &Terminal::default())?),
        Command::AddLayer { layers } => add_layers(&build_dir.directory, &layers)?,
        Command::RemoveLayer { layers } => remove_layers(&build_dir.directory, &layers)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show_layers(build_dir: &BuildDir) -> Result<()> {
    let mut host = build_dir.start_host(0)?;
    let configurations = host.configure(build_dir.configure.clone())?;
    println!("{:<20}  {:<40}  priority", "layer", "path");
    println!("{}", "=".repeat(104));
    for layer in configurations.first().map(|c| &c.layers[..]).unwrap_or_default() {
        println!("{:<20}  {:<40}  {}", layer.name, layer.path, layer.priority);
    }
    Ok(())
}

fn show_recipes(evaluation: &Evaluation, patterns: &[String], filenames: bool, layer: Option<&str>) {
    let wanted = |name: &str| patterns.is_empty() || patterns.iter().any(|p| matches(p, name));
    let mut rows: BTreeMap<String, Vec<(String, String, bool, String)>> = BTreeMap::new();
    for (id, info, file) in evaluation.recipes() {
        if wanted(&info.pn) && layer.is_none_or(|layer| layer == file.layer) {
            let version =
                if info.pe.is_empty() { info.pv.clone() } else { format!("{}:{}", info.pe, info.pv) };
            rows.entry(info.pn.clone()).or_default().push((
                file.layer.clone(),
                version,
                info.skipped,
                id.file,
            ));
        }
    }
    if !filenames {
        println!("=== Available recipes: ===");
    }
    for (name, versions) in rows {
        if filenames {
            for (_, _, _, path) in versions {
                println!("{path}");
            }
            continue;
        }
        println!("{name}:");
        for (layer, version, skipped, _) in versions {
            println!("  {layer:<20} {version}{}", if skipped { " (skipped)" } else { "" });
        }
    }
}

/// `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).filter(|&at| rest.is_char_boundary(at)).any(|at| matches(tail, &rest[at..]))
        }),
    }
}

fn show_appends(evaluation: &Evaluation) {
    println!("=== Appended recipes ===");
    for outcome in evaluation.outcomes.iter().filter(|outcome| !outcome.file.appends.is_empty()) {
        println!("{}:", file_name(&outcome.file.path));
        for append in &outcome.file.appends {
            println!("  {append}");
        }
    }
}

fn show_overlayed(evaluation: &Evaluation) {
    println!("=== Overlayed recipes ===");
    for configuration in &evaluation.configurations {
        for (top, hidden) in &configuration.overlayed {
            println!("{}:\n  {top}", file_name(top));
            for path in hidden {
                println!("  {path} (hidden)");
            }
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn bblayers_conf(directory: &Path) -> Result<PathBuf> {
    directory
        .ancestors()
        .map(|folder| folder.join("conf/bblayers.conf"))
        .find(|path| path.is_file())
        .context("Unable to find bblayers.conf; run this in a build directory")
}

fn add_layers(directory: &Path, layers: &[PathBuf]) -> Result<()> {
    let conf = bblayers_conf(directory)?;
    let mut text =
        std::fs::read_to_string(&conf).with_context(|| format!("cannot read {}", conf.display()))?;
    for layer in layers {
        let layer = layer
            .canonicalize()
            .with_context(|| format!("Specified layer directory {} doesn't exist", layer.display()))?;
        if !layer.join("conf/layer.conf").is_file() {
            bail!("Specified layer directory {} doesn't contain a conf/layer.conf file", layer.display());
        }
        let path = layer.to_str().context("a layer's path must be UTF-8")?;
        if entries(&text).iter().any(|entry| entry.trim_end_matches('/') == path) {
            println!("NOTE: Specified layer directory {path} is already in bblayers.conf");
            continue;
        }
        text = with_entry(&text, path).with_context(|| {
            format!("no assignment BBLAYERS ?= \" ... \" in {}; add {path} by hand", conf.display())
        })?;
    }
    write_atomically(&conf, &text)
}

fn remove_layers(directory: &Path, layers: &[PathBuf]) -> Result<()> {
    let conf = bblayers_conf(directory)?;
    let mut text =
        std::fs::read_to_string(&conf).with_context(|| format!("cannot read {}", conf.display()))?;
    for layer in layers {
        let absolute = layer.canonicalize().unwrap_or_else(|_| layer.clone());
        let wanted: Vec<String> = [layer, &absolute]
            .iter()
            .filter_map(|path| Some(path.to_str()?.trim_end_matches('/').to_owned()))
            .collect();
        let before = text.len();
        text = text
            .lines()
            .filter(|line| {
                !wanted.iter().any(|w| line.trim().trim_end_matches('\\').trim().trim_end_matches('/') == w)
            })
            .map(|line| format!("{line}\n"))
            .collect();
        if text.len() == before {
            bail!("No layers matching {} found in BBLAYERS", layer.display());
        }
    }
    write_atomically(&conf, &text)
}

/// The words of the BBLAYERS assignment.
fn entries(text: &str) -> Vec<&str> {
    let Some(start) = text.find("BBLAYERS ") else { return Vec::new() };
    let rest = &text[start..];
    let Some(open) = rest.find('"') else { return Vec::new() };
    let value = &rest[open + 1..];
    let value = &value[..value.find('"').unwrap_or(value.len())];
    value.split_whitespace().filter(|word| *word != "\\").collect()
}

/// The text with one more entry before the closing quote of BBLAYERS.
fn with_entry(text: &str, entry: &str) -> Option<String> {
    let start = text.find("BBLAYERS ")?;
    let open = start + text[start..].find('"')?;
    let close = open + 1 + text[open + 1..].find('"')?;
    let head = text[..close].trim_end_matches([' ', '\t']);
    let joint = if head.ends_with('\n') || head.ends_with('\\') { "" } else { " \\\n" };
    let joint = if head.ends_with('\\') { "\n" } else { joint };
    Some(format!("{head}{joint}  {entry} \\\n  {}", &text[close..]))
}

fn write_atomically(path: &Path, text: &str) -> Result<()> {
    let temporary = path.with_extension("conf.new");
    std::fs::write(&temporary, text)
        .and_then(|()| std::fs::rename(&temporary, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONF: &str = "BBLAYERS ?= \" \\\n  /a/meta \\\n  \"\n";

    #[test]
    fn a_layer_is_added_before_the_closing_quote() {
        let text = with_entry(CONF, "/b").unwrap();
        assert_eq!(entries(&text), ["/a/meta", "/b"]);
    }

    #[test]
    fn patterns_match_anywhere_a_star_stands() {
        assert!(matches("lib*-native", "libfoo-native"));
        assert!(!matches("lib*", "alib"));
    }
}
