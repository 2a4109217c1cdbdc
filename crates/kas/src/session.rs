//! A project being set up: its configuration as far as it is known, and its
//! repositories.

use crate::checkout::checkout;
use crate::context::Context;
use crate::error::KasError;
use crate::fetch::fetch_all;
use crate::process::find_program;
use crate::repository::{Repository, VcsRoots};
use crate::signature::{Keys, import_keys};
use bitzel_project::{
    Config, ConfigFile, Includes, Note, Overrides, ProjectError, Refuses, RepoSettings, RepoSpec, Schema,
    Vcs, normalise, resolve_repo,
};
use indexmap::IndexMap;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The project file that `menu` writes and that commands take by default.
pub const DEFAULT_CONFIG: &str = ".config.yaml";

/// A project being set up.
pub struct Session {
    /// Where it runs.
    pub ctx: Context,
    /// What the command line overrides.
    pub overrides: Overrides,
    /// The files of the command line, absolute.
    pub files: Vec<PathBuf>,
    /// As far as it is known.
    pub config: Config,
    /// All files read, in the order of merging.
    pub config_files: Vec<ConfigFile>,
    /// The repositories found so far.
    pub repos: IndexMap<String, RepoSpec>,
    /// Warn about branches and tags without commit.
    pub warn_unpinned: bool,
    schema: Schema,
    includes: Option<Includes>,
    missing: Vec<String>,
    roots: RefCell<BTreeMap<PathBuf, Option<PathBuf>>>,
}

impl Session {
    /// A project of `files`, separated by colons; of `.config.yaml` in the
    /// work directory without.
    pub fn new(ctx: Context, files: Option<&str>, overrides: Overrides) -> Session {
        let default = ctx.work_dir.join(DEFAULT_CONFIG).display().to_string();
        let files = files.filter(|files| !files.is_empty()).unwrap_or(&default);
        let files = files.split(':').map(|file| normalise(&ctx.cwd.join(file))).collect();
        let warn_unpinned = !ctx.options.update;
        Session {
            ctx,
            overrides,
            files,
            config: Config::default(),
            config_files: Vec::new(),
            repos: IndexMap::new(),
            warn_unpinned,
            schema: Schema::new(),
            includes: None,
            missing: Vec::new(),
            roots: RefCell::default(),
        }
    }

    /// The same project, of which is refused what `refuses` says.
    #[must_use]
    pub fn refusing(self, refuses: Refuses) -> Session {
        Session { schema: self.schema.refusing(refuses), ..self }
    }

    /// Starts over with other files.
    pub fn restart(self, files: &str) -> Session {
        Session::new(self.ctx, Some(files), self.overrides)
    }

    /// The file that takes new locks, and the lock beside it.
    pub fn main_file(&self) -> Result<&Path, KasError> {
        self.includes.as_ref().map(Includes::main_file).ok_or_else(not_read)
    }

    /// The repository of the main file.
    pub fn top_repo(&self) -> Result<&Path, KasError> {
        self.includes.as_ref().map(Includes::top_repo).ok_or_else(not_read)
    }

    /// Ids of repositories that includes ask for and that are not there yet.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Reads the files with the repositories that are there.
    pub fn read(&mut self) -> Result<(), KasError> {
        let mut notes = Vec::new();
        if self.includes.is_none() {
            let roots = VcsRoots::new(&self.ctx, &self.roots);
            let use_locks = !self.ctx.options.update;
            self.includes = Some(Includes::new(&roots, self.files.clone(), use_locks)?);
        }
        let paths = self.repos.iter().map(|(id, repo)| (id.clone(), repo.path.clone())).collect();
        let includes = self.includes.as_mut().ok_or_else(not_read)?;
        let loaded = includes.load(&self.schema, &paths, &mut notes);
        self.ctx.log.notes(notes);
        let loaded = loaded.inspect_err(|error| self.ctx.log.problems(error))?;
        self.config = Config { map: loaded.config };
        self.config_files = loaded.files;
        self.missing = loaded.missing;
        Ok(())
    }

    /// The repository `id` as the configuration wants it now.
    pub fn repo(&self, id: &str) -> Result<RepoSpec, KasError> {
        let settings = RepoSettings {
            work_dir: &self.ctx.work_dir,
            top_repo: self.top_repo()?,
            update: self.ctx.options.update,
            warn_unpinned: self.warn_unpinned,
        };
        let mut notes: Vec<Note> = Vec::new();
        let spec = resolve_repo(id, &self.config.map, &settings, &mut notes);
        self.ctx.log.notes(notes);
        let spec = spec?;
        let path = self.ctx.env.get("PATH").map_or("", String::as_str);
        if spec.vcs == Vcs::Hg && find_program(path, "hg").is_none() {
            return Err(KasError::User("hg is required for Mercurial repositories; install it".to_owned()));
        }
        Ok(spec)
    }

    /// Resolves all repositories of the configuration.
    pub fn resolve_repos(&mut self) -> Result<(), KasError> {
        let ids = self.config.repo_ids();
        self.repos =
            ids.into_iter().map(|id| Ok((id.clone(), self.repo(&id)?))).collect::<Result<_, KasError>>()?;
        Ok(())
    }

    /// The repositories found so far, in order.
    pub fn repo_list(&self) -> Vec<RepoSpec> {
        self.repos.values().cloned().collect()
    }

    /// Fetches the repositories that includes need and reads again, until
    /// nothing is missing.
    pub fn complete(&mut self) -> Result<(), KasError> {
        let mut before = Vec::new();
        while !self.missing.is_empty() {
            if self.missing == before {
                let missing = self.missing.join(", ");
                return Err(KasError::Project(ProjectError::Include(format!(
                    "Could not fetch all repos needed by includes. Missing repos: {missing}"
                ))));
            }
            let known = self.config.repo_ids();
            let wanted: Vec<String> = self.missing.iter().filter(|id| known.contains(id)).cloned().collect();
            let specs = wanted.iter().map(|id| self.repo(id)).collect::<Result<Vec<_>, _>>()?;
            fetch_all(&self.ctx, &specs)?;
            // signatures are checked before anything of the repository is read
            let keys = self.import_keys(&specs)?;
            for spec in &specs {
                keys.require_valid(Repository::new(&self.ctx, spec))?;
                checkout(&self.ctx, spec)?;
            }
            self.repos.extend(specs.into_iter().map(|spec| (spec.id.clone(), spec)));
            before = std::mem::take(&mut self.missing);
            self.read()?;
        }
        Ok(())
    }

    /// Imports the keys of the signers; `specs` are repositories on their way.
    fn import_keys(&mut self, specs: &[RepoSpec]) -> Result<Keys, KasError> {
        let mut holders: IndexMap<String, RepoSpec> = self.repos.clone();
        holders.extend(specs.iter().map(|spec| (spec.id.clone(), spec.clone())));
        for signer in crate::signature::signers(&self.config.map) {
            let Some(id) = signer.repo.filter(|id| !holders.contains_key(id)) else { continue };
            if self.config.repo_ids().contains(&id) {
                holders.insert(id.clone(), self.repo(&id)?);
            }
        }
        import_keys(&mut self.ctx, &self.config.map, &holders)
    }

    /// Fetches all repositories of the complete configuration.
    pub fn fetch(&mut self) -> Result<(), KasError> {
        self.resolve_repos()?;
        fetch_all(&self.ctx, &self.repo_list())
    }

    /// Checks all repositories out, signatures first.
    pub fn checkout(&mut self) -> Result<(), KasError> {
        self.resolve_repos()?;
        let keys = self.import_keys(&[])?;
        for spec in self.repos.values() {
            keys.require_valid(Repository::new(&self.ctx, spec))?;
            checkout(&self.ctx, spec)?;
        }
        Ok(())
    }

    /// What to build.
    pub fn targets(&self) -> Vec<String> {
        self.config.targets(&self.ctx.env, &self.overrides)
    }

    /// The task to run, without `do_`.
    pub fn task(&self) -> String {
        self.config.task(&self.ctx.env, &self.overrides)
    }
}

fn not_read() -> KasError {
    KasError::User("the project was not read: the step `init_setup_repos` was skipped".to_owned())
}
