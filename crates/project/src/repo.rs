//! A repository entry resolved: defaults and overrides applied, layers and
//! patches listed, everything git or hg would misread refused.

use crate::error::{Note, ProjectError};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};

/// Version control system of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vcs {
    /// git
    Git,
    /// Mercurial
    Hg,
}

/// A layer that goes into BBLAYERS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Relative to the repository; empty for the repository itself.
    pub name: String,
    /// -99 to 99; higher comes first.
    pub priority: i128,
}

/// A patch, or a folder with a quilt series, to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchEntry {
    /// Its key.
    pub id: String,
    /// Id of the repository that holds the file.
    pub repo: String,
    /// Path in that repository.
    pub path: String,
}

/// A repository as the project wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoSpec {
    /// Its key under `repos`.
    pub id: String,
    /// Folder and display name.
    pub name: String,
    /// Where it comes from; `None`: a local folder, no version control
    /// operations.
    pub url: Option<String>,
    /// git or hg.
    pub vcs: Vcs,
    /// Absolute folder.
    pub path: PathBuf,
    /// The folder is that of the main project file.
    pub is_root: bool,
    /// Wanted commit.
    pub commit: Option<String>,
    /// Wanted tag.
    pub tag: Option<String>,
    /// Wanted branch.
    pub branch: Option<String>,
    /// Deprecated: branch, tag or commit.
    pub refspec: Option<String>,
    /// In the order of the file.
    pub layers: Vec<Layer>,
    /// Sorted by id.
    pub patches: Vec<PatchEntry>,
    /// Ids of allowed signers; `None`: signatures are not checked.
    pub allowed_signers: Option<Vec<String>>,
}

impl RepoSpec {
    /// Whether repositories of this kind are cloned and checked out.
    pub fn is_managed(&self) -> bool {
        self.url.is_some()
    }

    /// Whether no commit, tag, branch or refspec is wanted.
    pub fn is_floating(&self) -> bool {
        self.wanted().is_none()
    }

    /// What is wanted, the most exact first.
    pub fn wanted(&self) -> Option<&str> {
        [&self.commit, &self.tag, &self.branch, &self.refspec]
            .into_iter()
            .flatten()
            .next()
            .map(String::as_str)
    }
}

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
        patches: patches(entry.get("patches"), defaults)?,
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

/// What a repository entry says about where and which.
struct Refs {
    url: Option<String>,
    commit: Option<String>,
    tag: Option<String>,
    branch: Option<String>,
    refspec: Option<String>,
}

impl Refs {
    fn apply_overrides(
        &mut self,
        name: &str,
        overrides: &Map,
        settings: &RepoSettings<'_>,
        notes: &mut Vec<Note>,
    ) -> Result<(), ProjectError> {
        let any = self.commit.is_some() || self.tag.is_some() || self.branch.is_some();
        if !any && self.refspec.is_none() && self.url.is_some() {
            return Err(ProjectError::Repo(format!(
                "No commit, tag or branch specified for repository \"{name}\". This is only allowed for local \
                 repositories."
            )));
        }
        let over = |key: &str, own: Option<String>| match overrides.get(key) {
            None => own,
            Some(value) => value.as_str().map(str::to_owned),
        };
        if self.refspec.is_some() {
            notes.push(Note::Warning(format!(
                "Using deprecated refspec for repository \"{name}\". You should migrate to commit/tag/branch."
            )));
            if any {
                return Err(ProjectError::Repo(format!(
                    "Unsupported mixture of legacy refspec and commit/tag/branch for repository \"{name}\""
                )));
            }
            self.refspec = over("commit", self.refspec.take());
        } else {
            self.commit = over("commit", self.commit.take());
            self.branch = over("branch", self.branch.take());
            self.url = over("url", self.url.take());
            if self.commit.is_some() && settings.update {
                notes.push(Note::Warning(format!(
                    "Update of \"{name}\" requested, but repo is pinned to a fixed commit. Not updating."
                )));
            }
        }
        if self.url.is_some() && self.commit.is_none() && settings.warn_unpinned {
            if self.tag.is_some() {
                notes.push(Note::Warning(format!(
                    "Using tag without commit for repository \"{name}\" is unsafe as tags are mutable."
                )));
            } else if self.branch.is_some() {
                notes.push(Note::Warning(format!(
                    "Using branch without commit for repository \"{name}\" is unsafe. Either add a commit or use a \
                     lock file."
                )));
            }
        }
        Ok(())
    }

    /// Refuses values that git or hg would take as options or as commands.
    fn refuse_options(&self, name: &str) -> Result<(), ProjectError> {
        let values = [
            ("url", &self.url),
            ("commit", &self.commit),
            ("tag", &self.tag),
            ("branch", &self.branch),
            ("refspec", &self.refspec),
        ];
        for (key, value) in values {
            let Some(value) = value else { continue };
            let reason = if value.starts_with('-') {
                "starts with `-`, which would be taken as an option"
            } else if value.chars().any(char::is_control) {
                "has a control character"
            } else if key != "url" && value.contains(char::is_whitespace) {
                "has white space"
            } else if key == "url" && (value.starts_with("ext::") || value.starts_with("fd::")) {
                "would run a command instead of naming a server"
            } else if key == "url" && host_is_option(value) {
                "names a host that starts with `-`, which would be taken as an option"
            } else {
                continue;
            };
            let shown = value.escape_default();
            return Err(ProjectError::Repo(format!(
                "repository `{name}`: the {key} `{shown}` {reason}; refused"
            )));
        }
        Ok(())
    }
}

/// `ssh://-oProxyCommand=...` and `-oProxyCommand=...:path`.
fn host_is_option(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default().starts_with('-')
}

/// What kas takes for a full commit id: 40 hexadecimal digits at the start,
/// or 64 in all.
pub fn looks_like_commit(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    text.get(..40).is_some_and(hex) || (text.len() == 64 && hex(text))
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
