//! The merged configuration and what it says, defaults and environment
//! applied.

use crate::key::Key;
use crate::value::{Map, Value};
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// The caller's environment: variable to value.
pub type Environment = BTreeMap<String, String>;

/// The build systems kas knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildSystem {
    /// `openembedded`, `oe`.
    OpenEmbedded,
    /// `isar`, `isar-privileged`.
    IsarPrivileged,
    /// `isar-rootless`.
    IsarRootless,
}

impl BuildSystem {
    /// The build system of that name; the default for names the schema does
    /// not let through.
    pub fn named(name: &str) -> BuildSystem {
        match name {
            "isar" | "isar-privileged" => BuildSystem::IsarPrivileged,
            "isar-rootless" => BuildSystem::IsarRootless,
            _ => BuildSystem::OpenEmbedded,
        }
    }

    /// The script that sets up the build environment.
    pub fn init_script(self) -> &'static str {
        match self {
            BuildSystem::OpenEmbedded => "oe-init-build-env",
            BuildSystem::IsarPrivileged | BuildSystem::IsarRootless => "isar-init-build-env",
        }
    }
}

/// What the command line overrides.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Targets; empty: those of the project.
    pub targets: Vec<String>,
    /// Task without `do_`.
    pub task: Option<String>,
}

/// A merged configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// As merged.
    pub map: Map,
}

impl Config {
    fn text(&self, key: &str) -> Option<&str> {
        self.map.get(key).and_then(Value::as_str)
    }

    /// Mapping of a top-level key, empty where it is absent.
    pub fn section(&self, key: &str) -> Map {
        self.map.get(key).and_then(Value::as_map).cloned().unwrap_or_default()
    }

    /// `build_system`.
    pub fn build_system(&self) -> BuildSystem {
        BuildSystem::named(self.text("build_system").unwrap_or("openembedded"))
    }

    /// MACHINE: `KAS_MACHINE`, else `machine`.
    pub fn machine(&self, env: &Environment) -> String {
        let own = self.text("machine").unwrap_or("qemux86-64");
        env.get("KAS_MACHINE").map_or(own, String::as_str).to_owned()
    }

    /// DISTRO: `KAS_DISTRO`, else `distro`.
    pub fn distro(&self, env: &Environment) -> String {
        let own = self.text("distro").unwrap_or("nodistro");
        env.get("KAS_DISTRO").map_or(own, String::as_str).to_owned()
    }

    /// What to build: command line, `KAS_TARGET`, `target`.
    pub fn targets(&self, env: &Environment, overrides: &Overrides) -> Vec<String> {
        if !overrides.targets.is_empty() {
            return overrides.targets.clone();
        }
        let words: Vec<String> =
            env.get("KAS_TARGET").iter().flat_map(|v| v.split_whitespace()).map(str::to_owned).collect();
        if !words.is_empty() {
            return words;
        }
        match self.map.get("target") {
            Some(Value::Seq(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            other => vec![other.and_then(Value::as_str).unwrap_or("core-image-minimal").to_owned()],
        }
    }

    /// The task without `do_`: command line, `KAS_TASK`, `task`.
    pub fn task(&self, env: &Environment, overrides: &Overrides) -> String {
        let own = self.text("task").unwrap_or("build");
        let from_env = env.get("KAS_TASK").map_or(own, String::as_str);
        overrides.task.as_deref().unwrap_or(from_env).to_owned()
    }

    /// `env`: the caller's value, else the project's; `None` where neither
    /// has one.
    pub fn environment(&self, env: &Environment) -> IndexMap<String, Option<String>> {
        let value =
            |name: &str, own: &Value| env.get(name).cloned().or_else(|| own.as_str().map(str::to_owned));
        self.section("env").iter().map(|(name, own)| (name.to_string(), value(name, own))).collect()
    }

    /// BBMULTICONFIG: the multiconfigs the targets name, each once, in order.
    pub fn multiconfigs(targets: &[String]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for target in targets {
            let rest = target.strip_prefix("multiconfig:").or_else(|| target.strip_prefix("mc:"));
            let name = rest.and_then(|rest| rest.split(':').next());
            if let Some(name) = name.filter(|name| !names.iter().any(|known| known == name)) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// The configuration without its includes, for dumps.
    pub fn flattened(&self) -> Map {
        let mut map = self.map.clone();
        if let Some(header) = map.get_mut("header").and_then(Value::as_map_mut) {
            header.shift_remove("includes");
        }
        map
    }

    /// Ids of all repositories, in order.
    pub fn repo_ids(&self) -> Vec<String> {
        self.map
            .get("repos")
            .and_then(Value::as_map)
            .map(|r| r.keys().map(Key::to_string).collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn config(text: &str) -> Config {
        Config { map: parse(text.as_bytes()).unwrap().value.as_map().unwrap().clone() }
    }

    #[test]
    fn command_line_beats_environment_beats_file() {
        let config = config("target: [a, mc:m1:b]\ntask: t\nmachine: m\n");
        let none = Environment::new();
        let env: Environment = [("KAS_TARGET", " x  y "), ("KAS_TASK", "e"), ("KAS_MACHINE", "em")]
            .map(|(k, v)| (k.into(), v.into()))
            .into();
        let over = Overrides { targets: vec!["o".into()], task: Some("ot".into()) };
        assert_eq!(config.targets(&none, &Overrides::default()), ["a", "mc:m1:b"]);
        assert_eq!(config.targets(&env, &Overrides::default()), ["x", "y"]);
        assert_eq!(config.targets(&env, &over), ["o"]);
        assert_eq!(
            (config.task(&none, &Overrides::default()), config.task(&env, &over)),
            ("t".into(), "ot".into())
        );
        assert_eq!(
            (config.machine(&none), config.machine(&env), config.distro(&env)),
            ("m".into(), "em".into(), "nodistro".into())
        );
    }

    #[test]
    fn multiconfigs_are_named_once_in_order() {
        let targets = ["mc:b:t", "multiconfig:a:t", "t3", "mc:b:x"].map(String::from);
        assert_eq!(Config::multiconfigs(&targets), ["b", "a"]);
    }

    #[test]
    fn env_is_forwarded_or_defaulted_or_left_out() {
        let env: Environment = [("A".to_owned(), "caller".to_owned())].into();
        let got = config("env: {A: file, B: file, C: null}\n").environment(&env);
        let got: Vec<_> = got.iter().map(|(k, v)| (k.as_str(), v.as_deref())).collect();
        assert_eq!(got, [("A", Some("caller")), ("B", Some("file")), ("C", None)]);
    }
}
