//! Which isolation a task gets: what its recipe's variables say it may see, change and use.

use bitzel_base::SourceLoc;
use bitzel_data::DataStore;
use bitzel_exec::{
    Error, Limits, Mode, Network, Policy, Sandbox, SandboxConfig, SandboxSettings, TaskIo, TaskOutcome,
    TaskSpec,
};
use bitzel_recipe::protocol::TaskOrder;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Folders outside of the work tree that tasks write to: what they hand on to others.
const SHARED: [&str; 6] =
    ["TMPDIR", "SSTATE_DIR", "PERSISTENT_DIR", "DEPLOY_DIR", "BUILDHISTORY_DIR", "CCACHE_DIR"];
/// Tasks that put files into DL_DIR, or locks beside them.
const DOWNLOADING: [&str; 2] = ["do_fetch", "do_unpack"];

/// A task's isolation.
pub(crate) struct Isolation {
    config: SandboxConfig,
    spec: TaskSpec,
    /// Exceptions that layers' policies make for it, with their reasons.
    pub(crate) told: Vec<String>,
}

/// The isolation of a task; `None` where the configuration turns it off, and for tasks under
/// pseudo, whose server has to outlive them. `python` are the folders modules come from, and
/// `keep` the descriptor of its events.
///
/// # Errors
/// Settings, limits and policy files with errors, and folders that cannot be made.
pub(crate) fn isolation(
    d: &DataStore,
    order: &TaskOrder,
    python: Vec<PathBuf>,
    keep: i32,
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
    if settings.mode == Mode::Off || flag("fakeroot").is_some() {
        return Ok(None);
    }
    let path = |name: &str| get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let mut spec = TaskSpec {
        name: format!("{}:{}", get("PN").unwrap_or_default(), order.task),
        location: Some(SourceLoc::new(order.address.recipe.path.as_str(), 0)),
        cwd: path("TOPDIR").unwrap_or_else(|| PathBuf::from("/")),
        limits: Limits::from_metadata(&order.task, get, flag)?,
        network: if flag("network").is_some_and(|value| value != "0") {
            Network::Host
        } else {
            Network::None
        },
        keep_fds: vec![keep],
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
    let layers: Vec<PathBuf> =
        get("BBLAYERS").unwrap_or_default().split_whitespace().map(PathBuf::from).collect();
    spec.read_only.extend(["TOPDIR", "COREBASE", "FILE_DIRNAME"].into_iter().filter_map(path));
    spec.read_only.extend(layers.iter().cloned());
    spec.read_only.extend(python);
    let policies: Vec<Policy> = layers
        .iter()
        .map(|layer| Policy::of_layer(layer))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
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

/// The part of the work folder that belongs to the recipe alone: the folder above WORKDIR, so
/// that tasks can remove WORKDIR itself, unless others share it.
fn own_tree(work: &Path, base: Option<&Path>) -> PathBuf {
    let above = work.parent().filter(|above| {
        base.and_then(|base| above.strip_prefix(base).ok()).is_some_and(|rest| rest.components().count() >= 2)
    });
    above.unwrap_or(work).to_owned()
}

fn make(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Io {
        action: "make",
        path: folder.to_owned(),
        source,
    })
}

impl Isolation {
    /// Whether the task must not run less isolated than it should.
    pub(crate) fn required(&self) -> bool {
        self.config.require
    }

    /// Runs `task` isolated, in a copy of this process; its result is the exit code.
    ///
    /// # Errors
    /// Where the task cannot be isolated; it has not run then.
    pub(crate) fn run(&self, task: impl FnMut() -> i32) -> Result<TaskOutcome, Error> {
        let null = File::options().read(true).write(true).open("/dev/null").map_err(|source| Error::Io {
            action: "open",
            path: "/dev/null".into(),
            source,
        })?;
        let io = TaskIo { stdin: null.as_fd(), stdout: null.as_fd(), stderr: null.as_fd() };
        Sandbox::new(self.config.clone()).call(&self.spec, io, task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
