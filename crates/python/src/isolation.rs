//! Which isolation a task gets: what its recipe's variables say it may see, change and use.

use crate::prepared::prepared;
use bitzel_base::SourceLoc;
use bitzel_data::DataStore;
use bitzel_exec::{
    Attendant, Error, Limits, Mode, Network, Policy, Refusal, Sandbox, SandboxConfig, SandboxSettings,
    TaskIo, TaskOutcome, TaskSpec,
};
use bitzel_recipe::protocol::TaskOrder;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Folders outside of the work tree that tasks write to: what they hand on to others.
const SHARED: [&str; 6] =
    ["TMPDIR", "SSTATE_DIR", "PERSISTENT_DIR", "DEPLOY_DIR", "BUILDHISTORY_DIR", "CCACHE_DIR"];
/// Tasks that put files into DL_DIR, or locks beside them.
const DOWNLOADING: [&str; 2] = ["do_fetch", "do_unpack"];

/// What all isolations of a runner have in common: looked up once.
#[derive(Default)]
pub(crate) struct Isolator {
    policies: Vec<(PathBuf, Option<Policy>)>,
    sandbox: Option<(SandboxConfig, Sandbox)>,
}

impl Isolator {
    /// The policies of layers.
    fn policies(&mut self, layers: &[PathBuf]) -> Result<Vec<Policy>, Error> {
        for layer in layers {
            if !self.policies.iter().any(|(known, _)| known == layer) {
                self.policies.push((layer.clone(), Policy::of_layer(layer)?));
            }
        }
        let of = |layer: &PathBuf| self.policies.iter().find(|(known, _)| known == layer)?.1.clone();
        Ok(layers.iter().filter_map(of).collect())
    }

    /// The sandbox for a task, to be given back: the host is looked at once.
    pub(crate) fn lend(&mut self, isolation: &Isolation) -> Sandbox {
        match self.sandbox.take() {
            Some((config, sandbox)) if config == isolation.config => sandbox,
            _ => Sandbox::new(isolation.config.clone()),
        }
    }

    /// Takes the sandbox back.
    pub(crate) fn give_back(&mut self, isolation: &Isolation, sandbox: Sandbox) {
        self.sandbox = Some((isolation.config.clone(), sandbox));
    }
}

/// A task's isolation.
pub(crate) struct Isolation {
    config: SandboxConfig,
    spec: TaskSpec,
    /// Exceptions that layers' policies make for it, with their reasons.
    pub(crate) told: Vec<String>,
}

/// The isolation of a task; `None` where the configuration turns it off. `python` are the
/// folders modules come from, and `keep` the descriptor of its events.
///
/// # Errors
/// Settings, limits and policy files with errors, and folders that cannot be made.
pub(crate) fn isolation(
    d: &DataStore,
    order: &TaskOrder,
    isolator: &mut Isolator,
    python: Vec<PathBuf>,
    keep: Option<i32>,
) -> Result<Option<Isolation>, Error> {
    // A value that cannot be expanded fails in the task itself, with its place.
    let get = |name: &str| {
        let given = order.variables.get(name).cloned();
        let value = given.or_else(|| Some(d.get_str(name).ok().flatten()?.to_string()));
        value.filter(|value| !value.is_empty())
    };
    let flag = |name: &str| {
        let value = d.get_flag(&order.task, name, true).ok().flatten()?;
        value.as_str().map(|text| text.to_string()).filter(|value| !value.is_empty())
    };
    let settings = SandboxSettings::from_variables(get)?;
    if settings.mode == Mode::Off {
        return Ok(None);
    }
    let path = |name: &str| get(name).map(plain).filter(|path| path.is_absolute());
    let mut spec = TaskSpec {
        name: format!("{}:{}", get("PN").unwrap_or_default(), order.task),
        location: Some(place_of_task(order, flag)),
        cwd: path("TOPDIR").unwrap_or_else(|| PathBuf::from("/")),
        limits: Limits::from_metadata(&order.task, get, flag)?,
        network: if flag("network").is_some_and(|value| value != "0") {
            Network::Host
        } else {
            Network::None
        },
        keep_fds: keep.into_iter().collect(),
        ..TaskSpec::default()
    };
    if let Some(work) = path("WORKDIR") {
        let base = path("BASE_WORKDIR").or_else(|| path("TMPDIR").map(|top| top.join("work")));
        spec.writable.push(own_tree(&work, base.as_deref()));
        make(&work)?;
        spec.hidden.extend(base.filter(|base| base.exists()));
    }
    for folder in ["T", "B"].into_iter().chain(SHARED).filter_map(path) {
        // What is part of the recipe's tree is no mount of its own: tasks may remove it.
        if !spec.writable.iter().any(|own| folder.starts_with(own)) {
            make(&folder)?;
            spec.writable.push(folder);
        }
    }
    // A work tree of the user's own, see externalsrc.bbclass.
    spec.writable.extend(["EXTERNALSRC", "EXTERNALSRC_BUILD"].into_iter().filter_map(path));
    if let Some(downloads) = path("DL_DIR") {
        make(&downloads)?;
        let writes = DOWNLOADING.contains(&order.task.as_str()) || spec.network != Network::None;
        if writes { spec.writable.push(downloads) } else { spec.read_only.push(downloads) }
    }
    let layers: Vec<PathBuf> = get("BBLAYERS").unwrap_or_default().split_whitespace().map(plain).collect();
    spec.read_only.extend(["TOPDIR", "COREBASE", "FILE_DIRNAME"].into_iter().filter_map(path));
    spec.read_only.extend(layers.iter().cloned());
    spec.read_only.extend(python);
    let policies = isolator.policies(&layers)?;
    let told = settings.apply(&policies, &get("PN").unwrap_or_default(), &mut spec);
    spec.read_only.retain(|path| path.exists() && !spec.writable.contains(path));
    spec.writable.retain(|path| path.exists());
    let require = get("BITZEL_SANDBOX_REQUIRE").is_some_and(|value| value == "1");
    Ok(Some(Isolation {
        config: SandboxConfig { mode: settings.mode, require, ..SandboxConfig::default() },
        spec,
        told,
    }))
}

/// `task_isolation(order) -> (config, spec)`: the isolation that the task of an order (JSON) would
/// get, both as JSON; `off` and an empty text where the configuration turns it off.
#[pyfunction]
pub(crate) fn task_isolation(py: Python<'_>, order: &str, roots: Vec<PathBuf>) -> PyResult<(String, String)> {
    let wrong = |error: String| PyValueError::new_err(error);
    let order: TaskOrder = serde_json::from_str(order).map_err(|error| wrong(error.to_string()))?;
    let recipe = prepared(py, &order.address)?;
    let found = isolation(&recipe.store, &order, &mut Isolator::default(), roots, None);
    let Some(found) = found.map_err(|error| wrong(error.to_string()))? else {
        return Ok(("off".to_owned(), String::new()));
    };
    let config = serde_json::to_string(&found.config).map_err(|error| wrong(error.to_string()))?;
    Ok((config, serde_json::to_string(&found.spec).map_err(|error| wrong(error.to_string()))?))
}

/// `task_data(order) -> d`: the datastore of the task of an order (JSON).
#[pyfunction]
pub(crate) fn task_data<'py>(py: Python<'py>, order: &str) -> PyResult<Bound<'py, PyAny>> {
    let order: TaskOrder =
        serde_json::from_str(order).map_err(|error| PyValueError::new_err(error.to_string()))?;
    prepared(py, &order.address)?.data(py)
}

/// Where a task is written.
fn place_of_task(order: &TaskOrder, flag: impl Fn(&str) -> Option<String>) -> SourceLoc {
    let file = flag("filename").unwrap_or_else(|| order.address.recipe.path.clone());
    SourceLoc::new(file.as_str(), flag("lineno").and_then(|line| line.parse().ok()).unwrap_or(0))
}

/// The part of the work folder that belongs to the recipe alone: the folder above WORKDIR, so
/// that tasks can remove WORKDIR itself, unless others share it.
fn own_tree(work: &Path, base: Option<&Path>) -> PathBuf {
    let above = work.parent().filter(|above| {
        base.and_then(|base| above.strip_prefix(base).ok()).is_some_and(|rest| rest.components().count() >= 2)
    });
    above.unwrap_or(work).to_owned()
}

/// A folder without `..`, as the sandbox wants it: kas writes layers as `${TOPDIR}/../layer`.
/// What does not exist yet keeps its text.
fn plain(folder: impl AsRef<Path>) -> PathBuf {
    let folder = folder.as_ref();
    let has_parent = folder.components().any(|part| part == std::path::Component::ParentDir);
    let real = has_parent.then(|| folder.canonicalize().ok()).flatten();
    real.unwrap_or_else(|| folder.to_owned())
}

fn make(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Io {
        action: "make",
        path: folder.to_owned(),
        source,
    })
}

impl Isolation {
    /// A refusal with the task and where that is written.
    pub(crate) fn describe(&self, refusal: &Refusal) -> String {
        let place = self.spec.location.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
        format!("{}{place} {refusal}", self.spec.name)
    }

    /// Whether the task must not run less isolated than it should.
    pub(crate) fn required(&self) -> bool {
        self.config.require
    }

    /// Runs `task` isolated, in a copy of this process; its result is the exit code. It is given
    /// the number of the sandbox's first process. This process sleeps meanwhile.
    ///
    /// # Errors
    /// Where the task cannot be isolated; it does not run then.
    pub(crate) fn run(
        &self,
        sandbox: &mut Sandbox,
        attendant: &mut dyn Attendant,
        task: impl FnMut(u32) -> i32,
    ) -> Result<TaskOutcome, Error> {
        let null = File::options().read(true).write(true).open("/dev/null").map_err(|source| Error::Io {
            action: "open",
            path: "/dev/null".into(),
            source,
        })?;
        let io = TaskIo { stdin: null.as_fd(), stdout: null.as_fd(), stderr: null.as_fd() };
        sandbox.call(&self.spec, io, attendant, task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_to_the_sandbox_without_parents() {
        // a link on the way counts before `..` does
        let process = Path::new("/proc").join(std::process::id().to_string());
        assert_eq!(plain("/proc/self/fd/.."), process);
        assert_eq!(plain("/proc/self"), Path::new("/proc/self"));
        assert_eq!(plain("/none/../x"), Path::new("/none/../x"));
    }

    #[test]
    fn a_work_tree_is_the_recipes_unless_others_share_it() {
        let base = Some(Path::new("/t/work"));
        for (work, want) in [
            ("/t/work/x86/quilt/0.68", "/t/work/x86/quilt"),
            ("/t/work/quilt-0.68", "/t/work/quilt-0.68"),
            ("/t/work/x86/quilt-0.68", "/t/work/x86/quilt-0.68"),
            ("/elsewhere/a/b", "/elsewhere/a/b"),
        ] {
            assert_eq!(own_tree(Path::new(work), base), Path::new(want), "{work}");
        }
    }
}
