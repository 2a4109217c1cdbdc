//! A repository as a project wants it.

use std::path::PathBuf;

/// Version control system of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vcs {
    /// git
    Git,
    /// Mercurial
    Hg,
}

/// A layer that goes into BBLAYERS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Relative to the repository; empty for the repository itself.
    pub name: String,
    /// -99 to 99; higher comes first.
    pub priority: i128,
}

/// A patch, or a folder with a quilt series, to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchEntry {
    /// Its key.
    pub id: String,
    /// Id of the repository that holds the file.
    pub repo: String,
    /// Path in that repository.
    pub path: String,
}

/// A repository as the project wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoSpec {
    /// Its key under `repos`.
    pub id: String,
    /// Folder and display name.
    pub name: String,
    /// Where it comes from; `None`: a local folder, no version control
    /// operations.
    pub url: Option<String>,
    /// git or hg.
    pub vcs: Vcs,
    /// Absolute folder.
    pub path: PathBuf,
    /// The folder is that of the main project file.
    pub is_root: bool,
    /// Wanted commit.
    pub commit: Option<String>,
    /// Wanted tag.
    pub tag: Option<String>,
    /// Wanted branch.
    pub branch: Option<String>,
    /// Deprecated: branch, tag or commit.
    pub refspec: Option<String>,
    /// In the order of the file.
    pub layers: Vec<Layer>,
    /// Sorted by id.
    pub patches: Vec<PatchEntry>,
    /// Ids of allowed signers; `None`: signatures are not checked.
    pub allowed_signers: Option<Vec<String>>,
}

impl RepoSpec {
    /// Whether repositories of this kind are cloned and checked out.
    pub fn is_managed(&self) -> bool {
        self.url.is_some()
    }

    /// Whether no commit, tag, branch or refspec is wanted.
    pub fn is_floating(&self) -> bool {
        self.wanted().is_none()
    }

    /// What is wanted, the most exact first.
    pub fn wanted(&self) -> Option<&str> {
        [&self.commit, &self.tag, &self.branch, &self.refspec]
            .into_iter()
            .flatten()
            .next()
            .map(String::as_str)
    }
}
