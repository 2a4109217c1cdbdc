//! The text of bblayers.conf and local.conf, byte for byte as kas writes it.

use crate::config::{BuildSystem, Config, Environment, Overrides};
use crate::paths::relative;
use crate::repo::RepoSpec;
use std::path::Path;

/// `# ID` and the text of every header, sorted by id.
fn headers(config: &Config, section: &str) -> String {
    let section = config.section(section);
    let mut entries: Vec<_> = section.iter().collect();
    entries.sort_by_key(|(id, _)| *id);
    entries.iter().map(|(id, text)| format!("# {id}\n{}\n", text.as_str().unwrap_or_default())).collect()
}

/// bblayers.conf. Layers are ordered by priority, name of the repository and
/// name of the layer; paths are relative to TOPDIR.
pub fn bblayers_conf(config: &Config, repos: &[RepoSpec], build_dir: &Path) -> String {
    let mut layers: Vec<_> =
        repos.iter().flat_map(|repo| repo.layers.iter().map(move |layer| (repo, layer))).collect();
    layers.sort_by(|(repo_a, a), (repo_b, b)| {
        (-a.priority, &repo_a.name, &a.name).cmp(&(-b.priority, &repo_b.name, &b.name))
    });
    let path = |(repo, layer): &(&RepoSpec, &crate::repo::Layer)| {
        format!("${{TOPDIR}}/{}", relative(&repo.path.join(&layer.name), build_dir).display())
    };
    let layers: Vec<String> = layers.iter().map(path).collect();
    let head = headers(config, "bblayers_conf_header");
    let layers = layers.join(" \\\n    ");
    format!("{head}BBLAYERS ?= \" \\\n    {layers}\"\nBBPATH ?= \"${{TOPDIR}}\"\nBBFILES ??= \"\"\n")
}

/// local.conf.
pub fn local_conf(config: &Config, env: &Environment, overrides: &Overrides) -> String {
    let mut text = headers(config, "local_conf_header");
    text += &format!("MACHINE ??= \"{}\"\n", config.machine(env));
    text += &format!("DISTRO ??= \"{}\"\n", config.distro(env));
    // DIFFERS: kas joins a set, so that the order changes from run to run
    let multiconfigs = Config::multiconfigs(&config.targets(env, overrides));
    text += &format!("BBMULTICONFIG ?= \"{}\"\n", multiconfigs.join(" "));
    if config.build_system() == BuildSystem::IsarRootless {
        text += "ISAR_ROOTLESS ?= \"1\"\n";
    }
    text
}
