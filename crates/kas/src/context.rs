//! Where a command runs: folders, the caller's environment, and the
//! environment of the programs it starts.

use crate::cancel::Cancel;
use crate::error::KasError;
use crate::log::Logger;
use crate::process::Runner;
use bitzel_project::{Environment, normalise};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the command was called.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Name for help texts: `kas` or `bitzel kas`.
    pub program: String,
    /// The caller's environment.
    pub env: Environment,
    /// The caller's folder.
    pub cwd: PathBuf,
}

impl Invocation {
    /// An invocation by `program` in the folder `cwd`. Variables that are no
    /// UTF-8 are taken with replacement characters.
    pub fn new(
        program: &str,
        env: impl IntoIterator<Item = (OsString, OsString)>,
        cwd: PathBuf,
    ) -> Invocation {
        let text = |os: OsString| os.to_string_lossy().into_owned();
        let env = env.into_iter().map(|(name, value)| (text(name), text(value))).collect();
        Invocation { program: program.to_owned(), env, cwd }
    }
}

/// A well-known environment that manages git and ssh configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managed {
    /// GITHUB_ACTIONS
    GitHubActions,
    /// GITLAB_CI
    GitLabCi,
    /// REMOTE_CONTAINERS
    RemoteContainers,
}

impl Managed {
    fn detect(env: &Environment) -> Option<Managed> {
        let known = [
            ("GITHUB_ACTIONS", Managed::GitHubActions),
            ("GITLAB_CI", Managed::GitLabCi),
            ("REMOTE_CONTAINERS", Managed::RemoteContainers),
        ];
        known
            .into_iter()
            .find(|(name, _)| env.get(*name).is_some_and(|v| v == "true"))
            .map(|(_, managed)| managed)
    }

    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Managed::GitHubActions => "GitHub Actions",
            Managed::GitLabCi => "GitLab CI",
            Managed::RemoteContainers => "VSCode Remote Containers",
        }
    }
}

/// Switches that change how repositories are treated.
#[derive(Clone, Copy, Debug, Default)]
pub struct RepoOptions {
    /// `--force-checkout`: throw local changes away.
    pub force_checkout: bool,
    /// `--update`: fetch what branches and tags stand for now.
    pub update: bool,
    /// Check out git submodules of repositories.
    pub submodules: bool,
    /// Fetch git LFS files of repositories.
    pub lfs: bool,
}

/// Where a command runs.
#[derive(Debug)]
pub struct Context {
    /// The caller's environment.
    pub env: Environment,
    /// The caller's folder.
    pub cwd: PathBuf,
    /// KAS_WORK_DIR.
    pub work_dir: PathBuf,
    /// KAS_BUILD_DIR.
    pub build_dir: PathBuf,
    /// Whether the caller chose the build folder.
    pub own_build_dir: bool,
    /// KAS_REPO_REF_DIR.
    pub ref_dir: Option<PathBuf>,
    /// KAS_CLONE_DEPTH; 0: all of the history.
    pub clone_depth: u32,
    /// Environment of the programs that are run.
    pub environ: Environment,
    /// Set in CI systems.
    pub managed: Option<Managed>,
    /// How repositories are treated.
    pub options: RepoOptions,
    /// The log.
    pub log: Logger,
    /// Ends programs on signals.
    pub cancel: Arc<Cancel>,
    /// Temporary HOME; removed with the context.
    pub(crate) home: Option<tempfile::TempDir>,
    /// Folders made for keys; `purge` removes them.
    pub(crate) key_dirs: Vec<PathBuf>,
}

impl Context {
    /// The context of a command.
    pub fn new(
        invocation: &Invocation,
        options: RepoOptions,
        log: Logger,
        cancel: Arc<Cancel>,
    ) -> Result<Context, KasError> {
        let env = invocation.env.clone();
        let cwd = invocation.cwd.clone();
        let absolute = |path: &str| normalise(&cwd.join(path));
        let work_dir = env.get("KAS_WORK_DIR").map_or_else(|| cwd.clone(), |dir| absolute(dir));
        let build_dir = env.get("KAS_BUILD_DIR").map_or_else(|| work_dir.join("build"), |dir| absolute(dir));
        let own_build_dir = env.get("KAS_BUILD_DIR").is_some_and(|dir| !dir.is_empty());
        let ref_dir = env.get("KAS_REPO_REF_DIR").filter(|dir| !dir.is_empty()).map(|dir| absolute(dir));
        let clone_depth = match env.get("KAS_CLONE_DEPTH") {
            None => 0,
            Some(depth) => {
                depth.parse().map_err(|_| KasError::User("KAS_CLONE_DEPTH must be a number".to_owned()))?
            }
        };
        if let Some(version) = env.get("KAS_CONTAINER_SCRIPT_VERSION").filter(|v| *v != crate::KAS_VERSION) {
            log.warning(&format!(
                "kas-container ({version}) and kas ({}) versions do not match",
                crate::KAS_VERSION
            ));
        }
        let managed = Managed::detect(&env);
        let environ = initial_environ(&env, managed, &log);
        Ok(Context {
            env,
            cwd,
            work_dir,
            build_dir,
            own_build_dir,
            ref_dir,
            clone_depth,
            environ,
            managed,
            options,
            log,
            cancel,
            home: None,
            key_dirs: Vec::new(),
        })
    }

    /// Runs programs with the environment of the context.
    pub fn runner(&self) -> Runner<'_> {
        Runner { environ: &self.environ, log: &self.log, cancel: &self.cancel }
    }

    /// Runs git: as [`Context::runner`], but without trust in repositories
    /// that are hidden in the files of another one.
    pub fn git_environ(&self) -> Environment {
        let mut environ = self.environ.clone();
        for (name, value) in [
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "safe.bareRepository"),
            ("GIT_CONFIG_VALUE_0", "explicit"),
        ] {
            environ.insert(name.to_owned(), value.to_owned());
        }
        environ
    }

    /// Where temporary folders are made.
    pub fn temp_dir(&self) -> &Path {
        Path::new(self.var("TMPDIR").unwrap_or("/tmp"))
    }

    /// The variable of the caller, unless it is empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The caller's home folder.
    pub fn caller_home(&self) -> Option<&Path> {
        self.var("HOME").map(Path::new)
    }
}

/// What programs see of the caller's environment before the build environment
/// is set up: locale by distribution, proxies, parallelism.
fn initial_environ(env: &Environment, managed: Option<Managed>, log: &Logger) -> Environment {
    let mut environ = Environment::new();
    let bases = distro().bases;
    let locale = bases.iter().find_map(|base| match base.as_str() {
        "fedora" | "suse" | "opensuse" => Some(("en_US.utf8", "en_US")),
        "debian" | "ubuntu" | "gentoo" | "arch" => Some(("en_US.UTF-8", "en_US:en")),
        _ => None,
    });
    match locale {
        Some((locale, language)) => {
            for (name, value) in [("LC_ALL", locale), ("LANG", locale), ("LANGUAGE", language)] {
                environ.insert(name.to_owned(), value.to_owned());
            }
        }
        None => {
            log.warning(&format!("kas: No supported distros found in {bases:?}. No default locales set."))
        }
    }
    let forwarded = [
        "http_proxy",
        "https_proxy",
        "ftp_proxy",
        "no_proxy",
        "SSH_AUTH_SOCK",
        "BB_NUMBER_THREADS",
        "PARALLEL_MAKE",
    ];
    for (name, value) in env {
        let container = managed == Some(Managed::RemoteContainers) && name.starts_with("REMOTE_CONTAINERS_");
        if container || (forwarded.contains(&name.as_str()) && !value.is_empty()) {
            environ.insert(name.clone(), value.clone());
        }
    }
    environ
}

/// The distribution of this machine.
#[derive(Clone, Debug, Default)]
pub struct Distro {
    /// `ID`.
    pub id: String,
    /// `VERSION_ID`.
    pub version: String,
    /// `NAME`.
    pub name: String,
    /// `VERSION_CODENAME`, else `VERSION_ID`.
    pub release: String,
    /// `ID_LIKE`, else `ID`; words in lower case.
    pub bases: Vec<String>,
}

/// Reads os-release(5).
pub fn distro() -> Distro {
    let text =
        ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(|file| std::fs::read_to_string(file).ok());
    let text = text.unwrap_or_default();
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(|value| value.trim_matches(['"', '\'']).to_owned()).unwrap_or_default()
    };
    let (id, like) = (field("ID"), field("ID_LIKE"));
    let bases = if like.is_empty() { &id } else { &like };
    let bases = bases.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let (version, codename) = (field("VERSION_ID"), field("VERSION_CODENAME"));
    let release = if codename.is_empty() { version.clone() } else { codename };
    Distro { version, name: field("NAME"), release, id, bases }
}
