//! What can go wrong between a target and its task graph.

use crate::cycle::CycleReport;
use bitzel_base::ErrorKind;
use std::fmt::Write;

/// Why there is no task graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// No recipe offers a name.
    #[error("{}", nothing_provides(.0))]
    NothingProvides(Box<Missing>),
    /// A target, or what it needs, cannot be built because of names nothing provides.
    #[error("required build target `{target}` has no buildable providers; missing or unbuildable dependency chain: {}", .chain.join(" -> "))]
    Unbuildable {
        /// The target.
        target: String,
        /// From the target to the missing name.
        chain: Vec<String>,
    },
    /// Two recipes that provide the same name are both to be built.
    #[error("{}", conflict(.0))]
    ConflictingProviders(Box<Conflict>),
    /// Two versions of one recipe are both to be built.
    #[error("multiple versions of `{pn}` are due to be built ({}); set PREFERRED_VERSION_{pn} to select one, or do not depend on both", .files.join(" "))]
    MultipleVersions {
        /// PN.
        pn: String,
        /// The recipes.
        files: Vec<String>,
    },
    /// A target asks for a task its recipe does not have.
    #[error("task `{task}` does not exist for target `{target}` ({recipe}){}", close(.close_matches))]
    NoSuchTask {
        /// As written.
        target: String,
        /// With `do_`.
        task: String,
        /// The provider.
        recipe: String,
        /// Tasks with a similar name.
        close_matches: Vec<String>,
    },
    /// A flag names a task that does not exist.
    #[error(
        "task `{task}` in {recipe} depends upon non-existent task `{dep_task}` in {dep_recipe} (by [{flag}])"
    )]
    DependsOnMissingTask {
        /// The recipe with the flag.
        recipe: String,
        /// The task with the flag.
        task: String,
        /// `depends`, `rdepends` or `mcdepends`.
        flag: &'static str,
        /// The task named.
        dep_task: String,
        /// The recipe that should have it.
        dep_recipe: String,
    },
    /// A flag's word has not the form it should have.
    #[error("task `{task}` in {recipe}: [{flag}] holds `{word}`, expected `{expected}`")]
    MalformedFlag {
        /// The recipe with the flag.
        recipe: String,
        /// The task with the flag.
        task: String,
        /// `depends`, `rdepends` or `mcdepends`.
        flag: &'static str,
        /// The word.
        word: String,
        /// The form.
        expected: &'static str,
    },
    /// A multiconfig that BBMULTICONFIG does not list.
    #[error("multiconfig `{mc}` in `{context}` is not in BBMULTICONFIG (there is: {})", .known.join(", "))]
    UnknownMulticonfig {
        /// Its name.
        mc: String,
        /// The target or flag that names it.
        context: String,
        /// The ones there are.
        known: Vec<String>,
    },
    /// `--runall` or `--runonly` name tasks the graph does not have.
    #[error("could not find any tasks named {} for --{option} {}", quoted(.tasks), if *option == "runall" { "in the recipes the targets need" } else { "in the task graph of the targets" })]
    NoTasksLeft {
        /// `runall` or `runonly`.
        option: &'static str,
        /// Names given.
        tasks: Vec<String>,
    },
    /// Tasks wait for each other in a circle.
    #[error("{0}")]
    Cycle(Box<CycleReport>),
    /// A target text that has no meaning.
    #[error("target `{0}` has not the form [mc:NAME:]TARGET[:TASK]")]
    BadTarget(String),
}

impl GraphError {
    /// All of them are for the user to mend.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}

/// A name that nothing provides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The name.
    pub name: String,
    /// Multiconfig, empty for the default one.
    pub mc: String,
    /// It is a run-time name.
    pub runtime: bool,
    /// Recipes that need it; empty for a target.
    pub wanted_by: Vec<String>,
    /// Known names that look alike.
    pub close_matches: Vec<String>,
    /// Recipes that would provide it but were skipped, with the reasons.
    pub skipped: Vec<(String, String)>,
}

/// Recipes of one build that provide the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// The name they share.
    pub name: String,
    /// One entry for each recipe.
    pub providers: Vec<ConflictingProvider>,
}

/// What distinguishes one of several recipes that provide a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictingProvider {
    /// The recipe.
    pub recipe: String,
    /// Tasks that depend on it and on none of the others.
    pub dependees: Vec<String>,
    /// Names it alone provides.
    pub provides: Vec<String>,
    /// Run-time names it alone provides.
    pub rprovides: Vec<String>,
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

fn close(matches: &[String]) -> String {
    if matches.is_empty() { String::new() } else { format!("; close matches: {}", matches.join(", ")) }
}

fn nothing_provides(m: &Missing) -> String {
    let verb = if m.runtime { "RPROVIDES" } else { "PROVIDES" };
    let mut text = format!("nothing {verb} `{}`", m.name);
    if !m.mc.is_empty() {
        let _ = write!(text, " in multiconfig `{}`", m.mc);
    }
    if !m.wanted_by.is_empty() {
        let flag = if m.runtime { "RDEPENDS" } else { "DEPENDS" };
        let _ = write!(text, " (but {} {flag} on or otherwise requires it)", m.wanted_by.join(", "));
    }
    for (recipe, reason) in &m.skipped {
        let _ = write!(text, "\n{recipe} was skipped: {reason}");
    }
    if !m.close_matches.is_empty() {
        let _ = write!(text, "\nclose matches: {}", m.close_matches.join(", "));
    }
    text
}

fn conflict(c: &Conflict) -> String {
    let mut text = format!("multiple recipes are due to be built which each provide `{}`:", c.name);
    for p in &c.providers {
        let _ = write!(text, "\n  {}", p.recipe);
        for (what, names) in
            [("dependees", &p.dependees), ("provides", &p.provides), ("rprovides", &p.rprovides)]
        {
            if !names.is_empty() {
                let _ = write!(text, "\n    unique {what}: {}", names.join(" "));
            }
        }
    }
    text.push_str(
        "\nset PREFERRED_PROVIDER for the name, or list it in BB_MULTI_PROVIDER_ALLOWED if both may be built",
    );
    text
}
