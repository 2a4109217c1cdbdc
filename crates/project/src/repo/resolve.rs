//! A repository entry resolved: defaults and overrides applied, layers and
//! patches listed.

use super::refs::{Refs, looks_like_commit};
use super::spec::{Layer, PatchEntry, RepoSpec, Vcs};
use crate::error::{Note, ProjectError};
use crate::value::{Map, Value};
use std::path::Path;

/// What the resolution of repositories depends on besides the configuration.
#[derive(Clone, Debug)]
pub struct RepoSettings<'a> {
    /// KAS_WORK_DIR.
    pub work_dir: &'a Path,
    /// Repository of the main project file.
    pub top_repo: &'a Path,
    /// `--update` was given.
    pub update: bool,
    /// Warn about branches and tags without commit.
    pub warn_unpinned: bool,
}

/// The repository `id` of a merged configuration.
pub fn resolve_repo(
    id: &str,
    config: &Map,
    settings: &RepoSettings<'_>,
    notes: &mut Vec<Note>,
) -> Result<RepoSpec, ProjectError> {
    let empty = Map::new();
    let under = |path: [&str; 2]| {
        config.get(path[0]).and_then(|v| v.get(path[1])).and_then(Value::as_map).unwrap_or(&empty)
    };
    let entry = under(["repos", id]);
    let defaults = under(["defaults", "repos"]);
    let overrides = under(["overrides", "repos"]).get(id).and_then(Value::as_map).unwrap_or(&empty);
    let patches = patches(entry.get("patches"), defaults)?;
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let or_default =
        |key: &str| entry.get(key).or(defaults.get(key)).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").unwrap_or_else(|| id.to_owned());
    let mut refs = Refs {
        url: text("url"),
        commit: text("commit"),
        tag: or_default("tag"),
        branch: or_default("branch"),
        refspec: or_default("refspec"),
    };
    refs.apply_overrides(&name, overrides, settings, notes)?;
    refs.refuse_options(&name)?;
    let signed = entry.get("signed") == Some(&Value::Bool(true));
    let signers = texts(entry.get("allowed_signers"));
    if signed && signers.is_empty() {
        return Err(ProjectError::Repo(format!(
            "Repository \"{name}\" is signed but no allowed signers specified."
        )));
    }
    let vcs = if entry.get("type").and_then(Value::as_str) == Some("hg") { Vcs::Hg } else { Vcs::Git };
    let own_path = text("path");
    let is_root = own_path.is_none() && refs.url.is_none();
    let path = match own_path {
        None if is_root => settings.top_repo.to_owned(),
        None => settings.work_dir.join(&name),
        Some(path) => settings.work_dir.join(path),
    };
    if is_root {
        notes.push(Note::Info(format!("Using {} as root for repository {name}", path.display())));
    }
    let layers = layers(entry.get("layers"), &name, notes);
    if let (Vcs::Git, Some(commit)) =
        (vcs, refs.commit.as_deref().filter(|c| !c.is_empty() && !looks_like_commit(c)))
    {
        let text = format!(
            "{commit} is not a full-length hash for repo \"{name}\". This will be an error in future versions."
        );
        notes.push(Note::Warning(text));
    }
    let Refs { url, commit, tag, branch, refspec } = refs;
    Ok(RepoSpec {
        patches,
        allowed_signers: signed.then_some(signers),
        id: id.to_owned(),
        name,
        url,
        vcs,
        path,
        is_root,
        commit,
        tag,
        branch,
        refspec,
        layers,
    })
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Seq(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn layers(value: Option<&Value>, repo: &str, notes: &mut Vec<Note>) -> Vec<Layer> {
    let Some(entries) = value.and_then(Value::as_map) else {
        return vec![Layer { name: String::new(), priority: 0 }];
    };
    let mut layers = Vec::new();
    for (name, property) in entries {
        let priority = match property {
            Value::Null => 0,
            Value::Map(map) => match map.get("prio") {
                Some(Value::Int(priority)) => *priority,
                Some(Value::Float(priority)) => *priority as i128,
                _ => 0,
            },
            Value::Str(word) if word == "disabled" => continue,
            other => {
                let shown = match other {
                    Value::Str(word) => word.clone(),
                    Value::Bool(_) => "False".to_owned(),
                    _ => "0".to_owned(),
                };
                notes.push(Note::Warning(format!(
                    "Use of deprecated value \"{shown}\" for repo \"{repo}\", layer \"{name}\". Replace with \"disabled\"."
                )));
                continue;
            }
        };
        layers.push(Layer { name: name.to_string(), priority });
    }
    layers
}

fn patches(value: Option<&Value>, defaults: &Map) -> Result<Vec<PatchEntry>, ProjectError> {
    let default_repo = defaults.get("patches").and_then(|p| p.get("repo")).and_then(Value::as_str);
    let mut entries: Vec<_> = value.and_then(Value::as_map).into_iter().flatten().collect();
    entries.sort_by_key(|(id, _)| *id);
    let mut patches = Vec::new();
    for (id, entry) in entries {
        let Some(path) = entry.get("path").and_then(Value::as_str) else { continue };
        let repo = entry.get("repo").and_then(Value::as_str).or(default_repo).ok_or_else(|| {
            ProjectError::Repo(format!(
                "No repo specified for patch entry \"{id}\" and no default repo specified."
            ))
        })?;
        patches.push(PatchEntry { id: id.to_string(), repo: repo.to_owned(), path: path.to_owned() });
    }
    Ok(patches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn resolve(text: &str, id: &str) -> (Result<RepoSpec, ProjectError>, Vec<Note>) {
        let config = parse(text.as_bytes()).unwrap().value.as_map().unwrap().clone();
        let settings = RepoSettings {
            work_dir: Path::new("/w"),
            top_repo: Path::new("/top"),
            update: false,
            warn_unpinned: true,
        };
        let mut notes = Vec::new();
        let spec = resolve_repo(id, &config, &settings, &mut notes);
        (spec, notes)
    }

    #[test]
    fn defaults_apply_where_a_key_is_absent_and_null_removes_them() {
        let text = "defaults: {repos: {branch: rel, patches: {repo: p}}}\nrepos:\n  a: {url: u, patches: {z: {path: z}, b: {repo: q, path: b}, n: null}}\n  b: {url: u, branch: null, tag: t}\n";
        let a = resolve(text, "a").0.unwrap();
        assert_eq!(a.branch.as_deref(), Some("rel"));
        let patches: Vec<_> = a.patches.iter().map(|p| (p.id.as_str(), p.repo.as_str())).collect();
        assert_eq!(patches, [("b", "q"), ("z", "p")]);
        let b = resolve(text, "b").0.unwrap();
        assert_eq!((b.branch, b.tag.as_deref()), (None, Some("t")));
    }

    #[test]
    fn a_patch_without_repository_is_told_before_anything_else() {
        let (spec, notes) = resolve("repos: {a: {url: u, branch: b, patches: {x: {path: p}}}}\n", "a");
        assert!(spec.unwrap_err().to_string().starts_with("No repo specified for patch entry \"x\""));
        assert!(notes.is_empty());
    }

    #[test]
    fn overrides_replace_and_null_clears() {
        let text = "repos: {a: {url: u, branch: x, commit: c}}\noverrides: {repos: {a: {commit: null, branch: y, url: v}}}\n";
        let a = resolve(text, "a").0.unwrap();
        assert_eq!((a.url.as_deref(), a.branch.as_deref(), a.commit), (Some("v"), Some("y"), None));
    }

    #[test]
    fn a_null_repository_is_the_one_of_the_main_file() {
        let (spec, _) = resolve("repos: {this: null}\n", "this");
        let spec = spec.unwrap();
        assert_eq!((spec.path.as_path(), spec.is_root, spec.is_managed()), (Path::new("/top"), true, false));
        assert_eq!(spec.layers, [Layer { name: String::new(), priority: 0 }]);
    }

    #[test]
    fn options_and_commands_in_place_of_names_are_refused() {
        for entry in [
            "{url: --upload-pack=touch x, branch: m}",
            "{url: \"ext::sh -c x\", branch: m}",
            "{url: \"ssh://-oProxyCommand=x/y\", branch: m}",
            "{url: \"ssh://u@-oProxyCommand=x/y\", branch: m}",
            "{url: u, branch: --upload-pack=x}",
            "{url: u, tag: -x}",
            "{url: u, commit: --orphan}",
            "{url: u, refspec: --force}",
            "{url: u, branch: \"a\\nb\"}",
            "{url: u, branch: \"a b\"}",
        ] {
            let (spec, _) = resolve(&format!("repos: {{a: {entry}}}\n"), "a");
            let message = spec.unwrap_err().to_string();
            assert!(message.contains("refused"), "{entry}: {message}");
        }
    }

    #[test]
    fn layers_know_their_priority_and_the_old_words_for_disabled() {
        let text =
            "repos: {a: {path: p, layers: {m: null, d: disabled, n: no, z: 0, p: {prio: 3}, .: {}}}}\n";
        let (spec, notes) = resolve(text, "a");
        let layers: Vec<_> = spec.unwrap().layers.into_iter().map(|l| (l.name, l.priority)).collect();
        assert_eq!(layers, [("m".to_owned(), 0), ("p".to_owned(), 3), (".".to_owned(), 0)]);
        assert_eq!(notes.len(), 2);
    }

    #[test]
    fn mixtures_that_kas_refuses_are_refused() {
        for entry in ["{url: u}", "{url: u, refspec: r, branch: b}", "{url: u, branch: b, signed: true}"] {
            assert!(resolve(&format!("repos: {{a: {entry}}}\n"), "a").0.is_err(), "{entry}");
        }
    }
}
