//! bitbake-setup's configuration to a kas project.

use crate::error::{Note, ProjectError};
use crate::repo::looks_like_commit;
use crate::schema::FORMAT_VERSION;
use crate::value::{Map, Value};

/// What has to be chosen of a bitbake-setup file.
#[derive(Clone, Debug, Default)]
pub struct SetupChoice {
    /// Name of the configuration; not needed if there is one only.
    pub configuration: Option<String>,
    /// Fragments chosen where one of several has to be.
    pub fragments: Vec<String>,
}

fn fail<T>(text: String) -> Result<T, ProjectError> {
    Err(ProjectError::Convert(text))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let name = |item: &Value| item.as_str().or_else(|| item.get("name")?.as_str()).map(str::to_owned);
    match value {
        Some(Value::Seq(items)) => items.iter().filter_map(name).collect(),
        _ => Vec::new(),
    }
}

/// The project that `setup` describes.
pub fn from_setup(setup: &Value, choice: &SetupChoice, notes: &mut Vec<Note>) -> Result<Map, ProjectError> {
    let Some(Value::Seq(list)) = setup.at(&["bitbake-setup", "configurations"]) else {
        return fail(
            "the file has no `bitbake-setup.configurations`; is it one of bitbake-setup?".to_owned(),
        );
    };
    let mut flat = Vec::new();
    flatten(list, &Map::new(), &mut flat);
    let names: Vec<&str> =
        flat.iter().filter_map(|entry| entry.get("name").and_then(Value::as_str)).collect();
    let known = names.join("`, `");
    let wanted = match (&choice.configuration, &flat[..]) {
        (None, [only]) => only,
        (None, _) => return fail(format!("choose one of the configurations `{known}`")),
        (Some(name), _) => {
            let found = flat.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some(name));
            match found {
                Some(found) => found,
                None => return fail(format!("there is no configuration `{name}`, only `{known}`")),
            }
        }
    };
    let mut project = Map::new();
    project.insert("header".into(), Value::mapping([("version", Value::Int(FORMAT_VERSION))]));
    fragments(wanted, choice, &mut project)?;
    let env = texts(wanted.get("bb-env-passthrough-additions"));
    if !env.is_empty() {
        let env: Map = env.into_iter().map(|name| (name.into(), Value::Null)).collect();
        project.insert("env".into(), Value::from(env));
    }
    for (key, what) in [
        ("oe-template", "configuration templates"),
        ("install-buildtools", "buildtools"),
        ("bb-layers-file-relative", "layers beside the file"),
    ] {
        if wanted.contains_key(key) {
            notes.push(Note::Warning(format!(
                "`{key}` is left out: there is no rule for {what} yet; add them by hand"
            )));
        }
    }
    project.insert("repos".into(), Value::from(repos(setup, wanted)?));
    Ok(project)
}

/// Nested configurations written out: lists and texts of the outer ones come
/// first.
fn flatten(list: &[Value], outer: &Map, out: &mut Vec<Map>) {
    for entry in list.iter().filter_map(Value::as_map) {
        let mut own = outer.clone();
        for (key, value) in entry.iter().filter(|(key, _)| *key != "configurations") {
            let joined = match (own.get(key), value) {
                (Some(Value::Seq(a)), Value::Seq(b)) => {
                    a.iter().chain(b.iter()).cloned().collect::<Vec<_>>().into()
                }
                (Some(Value::Map(a)), Value::Map(b)) => {
                    let mut both = Map::clone(a);
                    both.extend(Map::clone(b));
                    both.into()
                }
                (Some(Value::Str(a)), Value::Str(b)) if key == "description" => format!("{a} {b}").into(),
                _ => value.clone(),
            };
            own.insert(key.clone(), joined);
        }
        match entry.get("configurations") {
            Some(Value::Seq(inner)) => flatten(inner, &own, out),
            _ => out.push(own),
        }
    }
}

/// `machine/X` and `distro/X` are machine and distro, the others go into
/// OE_FRAGMENTS.
fn fragments(wanted: &Map, choice: &SetupChoice, project: &mut Map) -> Result<(), ProjectError> {
    let mut fragments = texts(wanted.get("oe-fragments"));
    for (key, group) in wanted.get("oe-fragments-one-of").and_then(Value::as_map).into_iter().flatten() {
        let options = texts(group.get("options"));
        let chosen: Vec<&String> =
            options.iter().filter(|option| choice.fragments.contains(option)).collect();
        match (&chosen[..], &options[..]) {
            ([one], _) => fragments.push((*one).clone()),
            ([], [only]) => fragments.push(only.clone()),
            _ => {
                let options = options.join("`, `");
                return fail(format!("choose one `{key}` with --choice: `{options}`"));
            }
        }
    }
    let mut others = Vec::new();
    for fragment in fragments {
        match fragment.split_once('/') {
            Some((key @ ("machine" | "distro"), name)) => {
                project.insert(key.into(), name.into());
            }
            _ => others.push(fragment),
        }
    }
    if !others.is_empty() {
        let text = format!("OE_FRAGMENTS += \"{}\"\n", others.join(" "));
        project.insert("local_conf_header".into(), Value::mapping([("oe-fragments", text.into())]));
    }
    Ok(())
}

fn repos(setup: &Value, wanted: &Map) -> Result<Map, ProjectError> {
    let layers = texts(wanted.get("bb-layers"));
    let mut repos = Map::new();
    for (name, source) in setup.get("sources").and_then(Value::as_map).into_iter().flatten() {
        let mut repo = Map::new();
        let mut put = |key: &str, value: Value| repo.insert(key.into(), value);
        let folder = source.get("path").and_then(Value::as_str).unwrap_or(name);
        if let Some(path) = source.at(&["local", "path"]) {
            put("path", path.clone());
        } else {
            git_remote(name, source, &mut put)?;
            if folder != name.as_str() {
                put("path", folder.into());
            }
        }
        let own = layers.iter().filter_map(|layer| {
            if layer == folder { Some(".") } else { layer.strip_prefix(folder)?.strip_prefix('/') }
        });
        let mut own: Map = own.map(|layer| (layer.into(), Value::Null)).collect();
        if own.is_empty() {
            own.insert(".".into(), "disabled".into());
        }
        put("layers", own.into());
        repos.insert(name.clone(), repo.into());
    }
    Ok(repos)
}

fn git_remote(
    name: &str,
    source: &Value,
    put: &mut impl FnMut(&str, Value) -> Option<Value>,
) -> Result<(), ProjectError> {
    let Some(remote) = source.get("git-remote") else {
        return fail(format!("source `{name}`: only `git-remote` and `local` can be converted"));
    };
    let first = || remote.get("remotes")?.as_map()?.values().next()?.get("uri");
    let url = remote.get("uri").or_else(|| remote.at(&["remotes", "origin", "uri"])).or_else(first);
    let Some(url) = url.and_then(Value::as_str) else { return fail(format!("source `{name}` has no `uri`")) };
    put("url", url.into());
    let text = |key: &str| remote.get(key).and_then(Value::as_str);
    let (rev, branch) = (text("rev"), text("branch"));
    match rev {
        Some(rev) if looks_like_commit(rev) => {
            put("commit", rev.into());
        }
        Some(rev) if branch.is_some_and(|branch| branch != rev) => {
            // neither a commit nor the branch: a tag, which excludes a branch
            put("tag", rev.into());
            return Ok(());
        }
        _ => {}
    }
    if let Some(branch) = branch.or(rev.filter(|rev| !looks_like_commit(rev))) {
        put("branch", branch.into());
    }
    Ok(())
}
