//! Where a repository comes from and which commit is wanted: overrides applied,
//! everything git or hg would misread refused.

use super::resolve::RepoSettings;
use crate::error::{Note, ProjectError};
use crate::value::Map;

/// What a repository entry says about where and which.
pub(super) struct Refs {
    pub url: Option<String>,
    pub commit: Option<String>,
    pub tag: Option<String>,
    pub branch: Option<String>,
    pub refspec: Option<String>,
}

impl Refs {
    pub fn apply_overrides(
        &mut self,
        name: &str,
        overrides: &Map,
        settings: &RepoSettings<'_>,
        notes: &mut Vec<Note>,
    ) -> Result<(), ProjectError> {
        let any = self.commit.is_some() || self.tag.is_some() || self.branch.is_some();
        if !any && self.refspec.is_none() && self.url.is_some() {
            return Err(ProjectError::Repo(format!(
                "No commit, tag or branch specified for repository \"{name}\". This is only allowed for local \
                 repositories."
            )));
        }
        let over = |key: &str, own: Option<String>| match overrides.get(key) {
            None => own,
            Some(value) => value.as_str().map(str::to_owned),
        };
        if self.refspec.is_some() {
            notes.push(Note::Warning(format!(
                "Using deprecated refspec for repository \"{name}\". You should migrate to commit/tag/branch."
            )));
            if any {
                return Err(ProjectError::Repo(format!(
                    "Unsupported mixture of legacy refspec and commit/tag/branch for repository \"{name}\""
                )));
            }
            self.refspec = over("commit", self.refspec.take());
        } else {
            self.commit = over("commit", self.commit.take());
            self.branch = over("branch", self.branch.take());
            self.url = over("url", self.url.take());
            if self.commit.is_some() && settings.update {
                notes.push(Note::Warning(format!(
                    "Update of \"{name}\" requested, but repo is pinned to a fixed commit. Not updating."
                )));
            }
        }
        if self.url.is_some() && self.commit.is_none() && settings.warn_unpinned {
            if self.tag.is_some() {
                notes.push(Note::Warning(format!(
                    "Using tag without commit for repository \"{name}\" is unsafe as tags are mutable."
                )));
            } else if self.branch.is_some() {
                notes.push(Note::Warning(format!(
                    "Using branch without commit for repository \"{name}\" is unsafe. Either add a commit or use a \
                     lock file."
                )));
            }
        }
        Ok(())
    }

    /// Refuses values that git or hg would take as options or as commands.
    pub fn refuse_options(&self, name: &str) -> Result<(), ProjectError> {
        let values = [
            ("url", &self.url),
            ("commit", &self.commit),
            ("tag", &self.tag),
            ("branch", &self.branch),
            ("refspec", &self.refspec),
        ];
        for (key, value) in values {
            let Some(value) = value else { continue };
            let reason = if value.starts_with('-') {
                "starts with `-`, which would be taken as an option"
            } else if value.chars().any(char::is_control) {
                "has a control character"
            } else if key != "url" && value.contains(char::is_whitespace) {
                "has white space"
            } else if key == "url" && (value.starts_with("ext::") || value.starts_with("fd::")) {
                "would run a command instead of naming a server"
            } else if key == "url" && host_is_option(value) {
                "names a host that starts with `-`, which would be taken as an option"
            } else {
                continue;
            };
            let shown = value.escape_default();
            return Err(ProjectError::Repo(format!(
                "repository `{name}`: the {key} `{shown}` {reason}; refused"
            )));
        }
        Ok(())
    }
}

/// `ssh://-oProxyCommand=...` and `-oProxyCommand=...:path`.
fn host_is_option(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default().starts_with('-')
}

/// What kas takes for a full commit id: 40 hexadecimal digits at the start,
/// or 64 in all.
pub fn looks_like_commit(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    text.get(..40).is_some_and(hex) || (text.len() == 64 && hex(text))
}
