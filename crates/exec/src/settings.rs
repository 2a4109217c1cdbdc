//! The sandbox's variables, and their effect on a task together with policies.

use crate::Error;
use crate::policy::Policy;
use crate::spec::{Mode, Network, TaskSpec};
use std::path::PathBuf;

/// Variable that chooses the [`Mode`].
pub const MODE_VARIABLE: &str = "BITZEL_SANDBOX";
/// Paths all tasks may read, write, or must not see: words separated by blanks.
pub const LIST_VARIABLES: [&str; 3] = ["BITZEL_SANDBOX_RO", "BITZEL_SANDBOX_RW", "BITZEL_SANDBOX_HIDE"];

/// What the `BITZEL_SANDBOX*` variables say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxSettings {
    /// `BITZEL_SANDBOX`: `enforce` (also where it is not set), `report` or `off`.
    pub mode: Mode,
    /// `BITZEL_SANDBOX_RO`.
    pub read_only: Vec<PathBuf>,
    /// `BITZEL_SANDBOX_RW`.
    pub writable: Vec<PathBuf>,
    /// `BITZEL_SANDBOX_HIDE`.
    pub hidden: Vec<PathBuf>,
}

impl SandboxSettings {
    /// Reads the settings from expanded variables.
    ///
    /// # Errors
    /// [`Error::Setting`] for an unknown mode or a path that is not absolute.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<SandboxSettings, Error> {
        let mode = match variable(MODE_VARIABLE).filter(|value| !value.trim().is_empty()) {
            None => Mode::default(),
            Some(value) => value.parse().map_err(|message| Error::Setting {
                name: MODE_VARIABLE.to_owned(),
                value: value.clone(),
                message,
            })?,
        };
        let list = |name: &str| -> Result<Vec<PathBuf>, Error> {
            let value = variable(name).unwrap_or_default();
            let paths: Vec<PathBuf> = value.split_whitespace().map(PathBuf::from).collect();
            match paths.iter().find(|path| !path.is_absolute()) {
                None => Ok(paths),
                Some(path) => Err(Error::Setting {
                    name: name.to_owned(),
                    value: value.clone(),
                    message: format!("expected absolute paths, found `{}`", path.display()),
                }),
            }
        };
        let [read_only, writable, hidden] = LIST_VARIABLES;
        Ok(SandboxSettings {
            mode,
            read_only: list(read_only)?,
            writable: list(writable)?,
            hidden: list(hidden)?,
        })
    }

    /// Adds these lists and what `policies` open for the task to its
    /// description. Returns what to tell the user: every exception with its
    /// reason, each once.
    pub fn apply(&self, policies: &[Policy], recipe: &str, spec: &mut TaskSpec) -> Vec<String> {
        spec.read_only.extend(self.read_only.iter().cloned());
        spec.writable.extend(self.writable.iter().cloned());
        spec.hidden.extend(self.hidden.iter().cloned());
        // `RECIPE:do_task`, and the task's name cannot hold a colon.
        let task = spec.name.rsplit(':').next().unwrap_or_default().to_owned();
        let mut told = Vec::new();
        for policy in policies {
            for exception in policy.exceptions.iter().filter(|exception| exception.matches(recipe, &task)) {
                spec.read_only.extend(exception.read.iter().cloned());
                spec.writable.extend(exception.write.iter().cloned());
                spec.syscalls.extend(exception.syscalls.iter().cloned());
                spec.network = widest(spec.network, exception.network);
                told.push(exception.describe(&policy.file));
            }
        }
        spec.syscalls.sort();
        spec.syscalls.dedup();
        told
    }
}

/// The network that offers more.
fn widest(one: Network, other: Option<Network>) -> Network {
    let rank = |network| match network {
        Network::None => 0,
        Network::Loopback => 1,
        Network::Host => 2,
        Network::HostListen => 3,
    };
    other.filter(|&other| rank(other) > rank(one)).unwrap_or(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables<'a>(known: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| known.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_sandbox_is_enforced_unless_a_variable_says_otherwise() {
        assert_eq!(SandboxSettings::from_variables(variables(&[])).unwrap().mode, Mode::Enforce);
        let off = SandboxSettings::from_variables(variables(&[("BITZEL_SANDBOX", "off")])).unwrap();
        assert_eq!(off.mode, Mode::Off);
    }

    #[test]
    fn unusable_settings_are_named_with_their_value() {
        for (name, value, message) in [
            (
                "BITZEL_SANDBOX",
                "maybe",
                "`BITZEL_SANDBOX = \"maybe\"`: expected `enforce`, `report` or `off`",
            ),
            (
                "BITZEL_SANDBOX_RO",
                "/a b",
                "`BITZEL_SANDBOX_RO = \"/a b\"`: expected absolute paths, found `b`",
            ),
        ] {
            let error = SandboxSettings::from_variables(variables(&[(name, value)])).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn an_exception_opens_only_its_task_and_says_why() {
        let text = "[[allow]]\nrecipe = \"tool*\"\ntask = \"do_compile\"\nreason = \"needs the vendor compiler\"\n\
                    read = [\"/opt/vendor\"]\nnetwork = \"loopback\"\nsyscalls = [\"ptrace\"]\n";
        let policy = Policy::parse("/l/conf/sandbox.toml".as_ref(), text).unwrap();
        let settings = SandboxSettings::default();
        let mut spec = TaskSpec { name: "/r/tool.bb:do_compile".into(), ..TaskSpec::default() };
        let told = settings.apply(std::slice::from_ref(&policy), "tool-native", &mut spec);
        assert_eq!(
            told,
            ["`tool*:do_compile` may read `/opt/vendor`, use the network (loopback), call `ptrace`: \
              needs the vendor compiler (/l/conf/sandbox.toml:1)"]
        );
        assert_eq!(
            (spec.read_only, spec.network, spec.syscalls),
            (vec!["/opt/vendor".into()], Network::Loopback, vec!["ptrace".into()])
        );
        let mut other = TaskSpec { name: "/r/tool.bb:do_install".into(), ..TaskSpec::default() };
        assert!(settings.apply(&[policy], "tool-native", &mut other).is_empty());
        assert_eq!(other.read_only, Vec::<PathBuf>::new());
    }
}
