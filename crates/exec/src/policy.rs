//! Policy files: exceptions from the sandbox's rules that a layer declares for
//! single tasks, each with its reason. `conf/bitzel-sandbox.toml` in a layer.

use crate::Error;
use crate::sandbox::refused_syscalls;
use crate::spec::Network;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// Where a layer keeps its policy, below the layer's directory.
pub const POLICY_FILE: &str = "conf/bitzel-sandbox.toml";

/// The exceptions of one policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The file.
    pub file: PathBuf,
    /// In the order of the file.
    pub exceptions: Vec<Exception>,
}

/// What one task may do beyond the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Recipe name (PN); `*` stands for any text.
    pub recipe: String,
    /// Task name, with `do_`; `*` stands for any text.
    pub task: String,
    /// Why; shown whenever the exception is used.
    pub reason: String,
    /// More paths to read.
    pub read: Vec<PathBuf>,
    /// More paths to change.
    pub write: Vec<PathBuf>,
    /// More of the network.
    pub network: Option<Network>,
    /// Refused system calls that are allowed.
    pub syscalls: Vec<String>,
    /// Line in the file, counted from 1.
    pub line: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allow: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    recipe: String,
    task: String,
    reason: String,
    #[serde(default)]
    read: Vec<PathBuf>,
    #[serde(default)]
    write: Vec<PathBuf>,
    network: Option<Network>,
    #[serde(default)]
    syscalls: Vec<String>,
}

impl Policy {
    /// Reads the text of a policy file.
    ///
    /// # Errors
    /// [`Error::Policy`] with the line, for wrong syntax, unknown keys, paths
    /// that are not absolute, unknown system calls and missing reasons.
    pub fn parse(file: &Path, text: &str) -> Result<Policy, Error> {
        let line_of = |offset: usize| text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1);
        let fail = |line: usize, message: String| Error::Policy { file: file.to_owned(), line, message };
        let parsed: File = toml::from_str(text).map_err(|error| {
            fail(error.span().map_or(1, |span| line_of(span.start)), error.message().replace('\n', "; "))
        })?;
        let mut exceptions = Vec::new();
        for entry in parsed.allow {
            let line = line_of(entry.span().start);
            let entry = entry.into_inner();
            check(&entry).map_err(|message| fail(line, message))?;
            let Entry { recipe, task, reason, read, write, network, syscalls } = entry;
            exceptions.push(Exception { recipe, task, reason, read, write, network, syscalls, line });
        }
        Ok(Policy { file: file.to_owned(), exceptions })
    }

    /// Reads the policy of a layer; `None` where it has none.
    ///
    /// # Errors
    /// As [`Policy::parse`]; [`Error::Io`] if the file cannot be read.
    pub fn of_layer(layer: &Path) -> Result<Option<Policy>, Error> {
        let file = layer.join(POLICY_FILE);
        match std::fs::read_to_string(&file) {
            Ok(text) => Policy::parse(&file, &text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { action: "read", path: file, source }),
        }
    }
}

fn check(entry: &Entry) -> Result<(), String> {
    if entry.reason.trim().is_empty() {
        return Err("`reason` is empty: say why the task needs the exception".to_owned());
    }
    if let Some(path) = entry.read.iter().chain(&entry.write).find(|path| !path.is_absolute()) {
        return Err(format!("`{}` is not an absolute path", path.display()));
    }
    let known = refused_syscalls();
    match entry.syscalls.iter().find(|name| !known.iter().any(|(call, _)| call == name)) {
        Some(name) => Err(format!("`{name}` is no refused system call: nothing needs to be allowed")),
        None => Ok(()),
    }
}

impl Exception {
    /// Whether it is for this recipe (PN) and task.
    pub fn matches(&self, recipe: &str, task: &str) -> bool {
        matches_pattern(&self.recipe, recipe) && matches_pattern(&self.task, task)
    }

    /// One line for people: what is allowed, and why.
    pub fn describe(&self, file: &Path) -> String {
        let paths = |verb: &str, list: &[PathBuf]| {
            let names: Vec<String> = list.iter().map(|path| format!("`{}`", path.display())).collect();
            (!names.is_empty()).then(|| format!("{verb} {}", names.join(" ")))
        };
        let network = self.network.map(|network| match network {
            Network::None => "use no network".to_owned(),
            Network::Loopback => "use the network (loopback)".to_owned(),
            Network::Host => "use the network".to_owned(),
            Network::HostListen => "use the network and listen".to_owned(),
        });
        let calls = (!self.syscalls.is_empty()).then(|| format!("call `{}`", self.syscalls.join("` `")));
        let all: Vec<String> = [paths("read", &self.read), paths("change", &self.write), network, calls]
            .into_iter()
            .flatten()
            .collect();
        let Exception { recipe, task, reason, line, .. } = self;
        format!("`{recipe}:{task}` may {}: {reason} ({}:{line})", all.join(", "), file.display())
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len())
                .filter(|&at| tail.is_char_boundary(at))
                .any(|at| matches_pattern(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Policy::parse(Path::new("p.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn wrong_policies_are_refused_with_their_line() {
        let entry = "[[allow]]\nrecipe = \"a\"\ntask = \"do_b\"\n";
        assert_eq!(error("[[allow]]\nrecipe = \"a\"\ntask = \"do_b\"\n"), "p.toml:1: missing field `reason`");
        assert_eq!(
            error(&format!("\n{entry}reason = \" \"\n")),
            "p.toml:2: `reason` is empty: say why the task needs the exception"
        );
        assert_eq!(
            error(&format!("{entry}reason = \"x\"\nread = [\"opt\"]\n")),
            "p.toml:1: `opt` is not an absolute path"
        );
        assert_eq!(
            error(&format!("{entry}reason = \"x\"\nsyscalls = [\"read\"]\n")),
            "p.toml:1: `read` is no refused system call: nothing needs to be allowed"
        );
        assert!(
            error(&format!("{entry}reason = \"x\"\nnetwork = \"all\"\n"))
                .starts_with("p.toml:5: unknown variant")
        );
        assert!(
            error(&format!("{entry}reason = \"x\"\nwrites = []\n")).starts_with("p.toml:5: unknown field")
        );
        assert!(error("[[allow]\n").starts_with("p.toml:1: "));
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, want) in [
            ("*", "anything", true),
            ("linux-*", "linux-yocto", true),
            ("linux-*", "linux", false),
            ("*-native", "gcc-native", true),
            ("a*b*c", "aXbYbc", true),
            ("gcc", "gcc-native", false),
        ] {
            assert_eq!(matches_pattern(pattern, text), want, "{pattern} {text}");
        }
    }
}
