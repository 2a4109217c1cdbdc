//! What a checked out repository answers: its commit, whether it is changed,
//! where it comes from.

use crate::context::Context;
use crate::error::KasError;
use crate::process::Output;
use crate::vcs;
use bitzel_project::{RepoRoots, RepoSpec, Vcs};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A repository of the project in this context.
#[derive(Clone, Copy)]
pub struct Repository<'a> {
    /// Where it runs.
    pub ctx: &'a Context,
    /// What is wanted.
    pub spec: &'a RepoSpec,
}

impl<'a> Repository<'a> {
    /// The repository `spec`.
    pub fn new(ctx: &'a Context, spec: &'a RepoSpec) -> Repository<'a> {
        Repository { ctx, spec }
    }

    /// Runs a version control command in the repository.
    pub fn ask(&self, argv: &[String]) -> Result<Output, KasError> {
        let environ = self.ctx.git_environ();
        let runner = crate::process::Runner { environ: &environ, ..self.ctx.runner() };
        runner.capture(argv, &self.spec.path)
    }

    /// As [`Repository::ask`]; a failure is an error.
    pub fn tell(&self, argv: &[String]) -> Result<Output, KasError> {
        let environ = self.ctx.git_environ();
        let runner = crate::process::Runner { environ: &environ, ..self.ctx.runner() };
        runner.require(argv, &self.spec.path)
    }

    /// The trimmed answer, if there is one.
    fn line(&self, argv: &[String]) -> Result<Option<String>, KasError> {
        let text = self.ask(argv)?.stdout.trim().to_owned();
        Ok((!text.is_empty()).then_some(text))
    }

    /// The commit the wanted commit, tag or branch stands for; its name where
    /// it stands for nothing. `None` where nothing is wanted.
    pub fn revision(&self) -> Result<Option<String>, KasError> {
        let spec = self.spec;
        let (argv, name) = match (&spec.commit, &spec.tag, &spec.branch, &spec.refspec) {
            (Some(commit), ..) if is_full_id(commit) => return Ok(Some(commit.clone())),
            (Some(commit), ..) => (vcs::commit_id(spec.vcs, Some(commit)), commit),
            (None, Some(tag), ..) => (vcs::tag_commit(spec), tag),
            (None, None, Some(name), _) | (None, None, None, Some(name)) => (vcs::branch_commit(spec), name),
            (None, None, None, None) => return Ok(None),
        };
        Ok(Some(self.line(&argv)?.unwrap_or_else(|| name.clone())))
    }

    /// The object of the wanted annotated tag.
    pub fn annotated_tag(&self) -> Result<Option<String>, KasError> {
        let Some(tag) = self.spec.tag.as_ref().filter(|_| self.spec.vcs == Vcs::Git) else { return Ok(None) };
        let output = self.ask(&vcs::tag_object(tag))?;
        let text = output.stdout.trim();
        Ok((output.ok() && !text.is_empty()).then(|| text.to_owned()))
    }

    /// Whether tracked files are changed.
    pub fn is_dirty(&self) -> Result<bool, KasError> {
        Ok(!self.ask(&vcs::changes(self.spec.vcs))?.stdout.is_empty())
    }

    /// The url and commit of a local repository, where it is one.
    pub fn local_state(&self) -> Result<(Option<String>, Option<String>), KasError> {
        if !self.spec.path.is_dir() {
            return Ok((None, None));
        }
        let answer = |argv: &[String]| -> Result<Option<String>, KasError> {
            let output = self.ask(argv)?;
            Ok(output.ok().then(|| output.stdout.trim().to_owned()))
        };
        Ok((answer(&vcs::get_url(self.spec.vcs))?, answer(&vcs::commit_id(self.spec.vcs, None))?))
    }

    /// The detached commit of a git working tree, read without git.
    pub fn detached_head(&self) -> Option<String> {
        let head = std::fs::read_to_string(self.spec.path.join(".git/HEAD")).ok()?;
        Some(head.trim_end().to_owned()).filter(|head| is_full_id(head))
    }

    /// Whether the `origin` of a git working tree is `url` already, read
    /// without git; `false` where that cannot be told.
    pub fn has_origin(&self, url: &str) -> bool {
        let text = std::fs::read_to_string(self.spec.path.join(".git/config")).unwrap_or_default();
        let mut urls = Vec::new();
        let mut in_origin = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                in_origin = line == "[remote \"origin\"]";
            } else if let Some((key, value)) = line.split_once('=').filter(|_| in_origin)
                && key.trim() == "url"
            {
                urls.push(value.trim());
            }
        }
        !url.contains(['"', '\\', ';', '#']) && urls == [url]
    }
}

/// Whether `text` is a complete commit id.
pub fn is_full_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Finds repositories around folders; remembers what it found.
pub struct VcsRoots<'a> {
    ctx: &'a Context,
    known: &'a RefCell<BTreeMap<PathBuf, Option<PathBuf>>>,
}

impl<'a> VcsRoots<'a> {
    /// Looks for roots with the environment of `ctx`.
    pub fn new(ctx: &'a Context, known: &'a RefCell<BTreeMap<PathBuf, Option<PathBuf>>>) -> VcsRoots<'a> {
        VcsRoots { ctx, known }
    }

    fn find(&self, dir: &Path) -> Option<PathBuf> {
        let answer = |words: &[&str]| {
            let environ = self.ctx.git_environ();
            let runner = crate::process::Runner { environ: &environ, ..self.ctx.runner() };
            let output = runner.capture(&crate::process::argv(words), dir).ok()?;
            // a submodule names the outer repository, too: the shorter path
            let roots = output.stdout.trim().split('\n').map(str::to_owned).min()?;
            (output.ok() && !roots.is_empty()).then(|| PathBuf::from(roots))
        };
        let has = |name: &str| dir.ancestors().any(|dir| dir.join(name).exists());
        let git = || answer(&["git", "rev-parse", "--show-toplevel", "--show-superproject-working-tree"]);
        let hg = || answer(&["hg", "root"]);
        has(".git").then(git).flatten().or_else(|| has(".hg").then(hg).flatten())
    }
}

impl RepoRoots for VcsRoots<'_> {
    fn root_of(&self, dir: &Path) -> Option<PathBuf> {
        if let Some(known) = self.known.borrow().get(dir) {
            return known.clone();
        }
        let found = self.find(dir);
        self.known.borrow_mut().insert(dir.to_owned(), found.clone());
        found
    }
}
