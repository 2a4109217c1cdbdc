//! A kas project to a configuration of bitbake-setup.

use crate::config::{BuildSystem, Config};
use crate::error::{Note, ProjectError};
use crate::repo::RepoSpec;
use crate::value::{Map, Value};

/// The bitbake-setup configuration of a resolved project; `name` is that of
/// its file.
pub fn to_setup(
    name: &str,
    config: &Config,
    repos: &[RepoSpec],
    notes: &mut Vec<Note>,
) -> Result<Value, ProjectError> {
    if config.build_system() != BuildSystem::OpenEmbedded {
        return Err(ProjectError::Convert(
            "bitbake-setup sets up OpenEmbedded builds only, no isar".to_owned(),
        ));
    }
    tell_losses(config, repos, notes);
    let mut sources = Map::new();
    let mut layers = Vec::new();
    for repo in repos {
        sources.insert(repo.name.as_str().into(), source(repo)?);
        layers.extend(repo.layers.iter().map(|layer| {
            let path = if matches!(layer.name.as_str(), "" | ".") {
                repo.name.clone()
            } else {
                format!("{}/{}", repo.name, layer.name)
            };
            (-layer.priority, path)
        }));
    }
    // a stable sort: within a priority the order of the file
    layers.sort_by_key(|(priority, _)| *priority);
    let layers: Vec<_> = layers.into_iter().map(|(_, path)| Value::Str(path)).collect();
    let mut fragments = Vec::new();
    for key in ["machine", "distro"] {
        if let Some(value) = config.map.get(key).and_then(Value::as_str).filter(|value| *value != "nodistro")
        {
            fragments.push(Value::Str(format!("{key}/{value}")));
        }
    }
    let mut entry = Map::new();
    entry.insert("name".into(), name.into());
    entry.insert("description".into(), format!("{name}, converted from a kas project").into());
    entry.insert("bb-layers".into(), layers.into());
    if !fragments.is_empty() {
        entry.insert("oe-fragments".into(), fragments.into());
    }
    let env = config.section("env");
    if !env.is_empty() {
        let names: Vec<_> = env.keys().map(|name| Value::Str(name.to_string())).collect();
        entry.insert("bb-env-passthrough-additions".into(), names.into());
    }
    Ok(Value::mapping([
        ("description", format!("{name}, converted from a kas project").into()),
        ("sources", sources.into()),
        ("bitbake-setup", Value::mapping([("configurations", vec![Value::from(entry)].into())])),
        ("version", "1.0".into()),
    ]))
}

fn source(repo: &RepoSpec) -> Result<Value, ProjectError> {
    let Some(url) = &repo.url else {
        return Ok(Value::mapping([(
            "local",
            Value::mapping([("path", repo.path.display().to_string().into())]),
        )]));
    };
    let branch = repo.branch.as_ref().or(repo.refspec.as_ref());
    let rev = repo.commit.as_ref().or(repo.tag.as_ref()).or(branch);
    let Some(rev) = rev else {
        return Err(ProjectError::Convert(format!(
            "repository `{}` has no commit, tag or branch",
            repo.name
        )));
    };
    let mut remote = Map::new();
    remote.insert("uri".into(), url.as_str().into());
    if let Some(branch) = branch {
        remote.insert("branch".into(), branch.as_str().into());
    }
    remote.insert("rev".into(), rev.as_str().into());
    Ok(Value::mapping([("git-remote", remote.into())]))
}

/// Names everything bitbake-setup has no word for.
fn tell_losses(config: &Config, repos: &[RepoSpec], notes: &mut Vec<Note>) {
    let mut lost = |what: String| {
        notes.push(Note::Warning(format!("{what}: left out, bitbake-setup has no word for it")))
    };
    for key in
        ["local_conf_header", "bblayers_conf_header", "target", "task", "buildtools", "signers", "artifacts"]
    {
        if config.map.contains_key(key) {
            lost(format!("`{key}`"));
        }
    }
    for (name, value) in config.section("env") {
        if value != Value::Null {
            lost(format!("the value of `env.{name}`"));
        }
    }
    for repo in repos {
        if !repo.patches.is_empty() {
            lost(format!("patches of `{}`", repo.name));
        }
        if repo.vcs == crate::repo::Vcs::Hg {
            lost(format!("Mercurial, the type of `{}`", repo.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{SetupChoice, from_setup};
    use crate::repo::{RepoSettings, resolve_repo};
    use crate::yaml::{EmitOptions, emit, parse};
    use std::path::Path;

    const SETUP: &str = r#"{"description": "d", "version": "1.0",
      "sources": {
        "bitbake": {"git-remote": {"uri": "https://x/bitbake", "branch": "2.18", "rev": "2.18"}},
        "oe": {"git-remote": {"remotes": {"origin": {"uri": "https://x/oe"}}, "branch": "w", "rev": "1111111111111111111111111111111111111111"}},
        "mine": {"local": {"path": "/mine"}}},
      "bitbake-setup": {"configurations": [
        {"name": "base", "bb-layers": ["oe/meta"], "oe-fragments": ["core/x"],
         "oe-fragments-one-of": {"machine": {"description": "m", "options": [{"name": "machine/a"}, "machine/b"]}},
         "configurations": [{"name": "one", "bb-layers": ["mine"]}, {"name": "two", "oe-fragments": ["distro/poky"]}]}]}}"#;

    fn project(configuration: Option<&str>, fragments: &[&str]) -> Result<Map, ProjectError> {
        let choice = SetupChoice {
            configuration: configuration.map(str::to_owned),
            fragments: fragments.iter().map(|f| (*f).to_owned()).collect(),
        };
        from_setup(&parse(SETUP.as_bytes()).unwrap().value, &choice, &mut Vec::new())
    }

    #[test]
    fn a_setup_becomes_a_project() {
        let text = emit(&Value::from(project(Some("one"), &["machine/b"]).unwrap()), &EmitOptions::default());
        let expected = "header:\n  version: 23\nmachine: b\nlocal_conf_header:\n  oe-fragments: |\n    OE_FRAGMENTS += \"core/x\"\nrepos:\n  bitbake:\n    url: https://x/bitbake\n    branch: '2.18'\n    layers:\n      .: disabled\n  oe:\n    url: https://x/oe\n    commit: '1111111111111111111111111111111111111111'\n    branch: w\n    layers:\n      meta:\n  mine:\n    path: /mine\n    layers:\n      .:\n";
        assert_eq!(text, expected);
        let two = project(Some("two"), &["machine/a"]).unwrap();
        assert_eq!((two["distro"].as_str(), two["machine"].as_str()), (Some("poky"), Some("a")));
    }

    #[test]
    fn what_has_to_be_chosen_is_asked_for() {
        let message = |configuration, fragments| project(configuration, fragments).unwrap_err().to_string();
        assert_eq!(message(None, &[]), "choose one of the configurations `one`, `two`");
        assert!(message(Some("none"), &[]).contains("only `one`, `two`"));
        assert!(message(Some("one"), &[]).contains("`machine/a`, `machine/b`"));
    }

    #[test]
    fn a_project_becomes_a_setup_and_losses_are_told() {
        let config = Config { map: project(Some("two"), &["machine/a"]).unwrap() };
        let settings = RepoSettings {
            work_dir: Path::new("/w"),
            top_repo: Path::new("/t"),
            update: false,
            warn_unpinned: false,
        };
        let repos: Vec<RepoSpec> = config
            .repo_ids()
            .iter()
            .map(|id| resolve_repo(id, &config.map, &settings, &mut Vec::new()).unwrap())
            .collect();
        let mut notes = Vec::new();
        let setup = to_setup("p", &config, &repos, &mut notes).unwrap();
        assert_eq!(notes.len(), 1);
        let entry = match setup.at(&["bitbake-setup", "configurations"]).unwrap() {
            Value::Seq(list) => list[0].clone(),
            other => panic!("{other:?}"),
        };
        let options = EmitOptions::default();
        assert_eq!(emit(entry.get("bb-layers").unwrap(), &options), "- oe/meta\n");
        assert_eq!(emit(entry.get("oe-fragments").unwrap(), &options), "- machine/a\n- distro/poky\n");
        assert_eq!(setup.at(&["sources", "bitbake", "git-remote", "rev"]).unwrap().as_str(), Some("2.18"));
    }
}
