//! Signatures of repositories, checked before anything of them is used.

use crate::context::Context;
use crate::error::{IoContext, KasError};
use crate::gpg::GpgKeys;
use crate::guard::below;
use crate::repository::Repository;
use crate::ssh_keys::SshKeys;
use bitzel_project::{Map, RepoSpec, Value, Vcs};
use indexmap::IndexMap;
use std::os::unix::fs::PermissionsExt;

/// One entry of `signers`.
#[derive(Clone, Debug, Default)]
pub struct Signer {
    /// Its key.
    pub name: String,
    /// `ssh` instead of gpg.
    pub ssh: bool,
    /// Id of the repository that holds the key.
    pub repo: Option<String>,
    /// The key's file in that repository.
    pub path: Option<String>,
    /// Expected fingerprint.
    pub fingerprint: Option<String>,
    /// Where to get the key from.
    pub keyserver: Option<String>,
}

/// The entries of `signers`.
pub fn signers(config: &Map) -> Vec<Signer> {
    let entries = config.get("signers").and_then(Value::as_map).into_iter().flatten();
    entries
        .map(|(name, entry)| {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
            Signer {
                name: name.to_string(),
                ssh: text("type").as_deref() == Some("ssh"),
                repo: text("repo"),
                path: text("path"),
                fingerprint: text("fingerprint"),
                keyserver: text("gpg_keyserver"),
            }
        })
        .collect()
}

/// The keys that may sign.
#[derive(Debug, Default)]
pub struct Keys {
    gpg: Option<GpgKeys>,
    ssh: Option<SshKeys>,
    signers: Vec<Signer>,
}

/// Imports the keys of all signers; keys in files come from `repos`.
pub fn import_keys(
    ctx: &mut Context,
    config: &Map,
    repos: &IndexMap<String, RepoSpec>,
) -> Result<Keys, KasError> {
    let signers = signers(config);
    let mut keys = Keys { signers: signers.clone(), ..Keys::default() };
    let (ssh, gpg): (Vec<Signer>, Vec<Signer>) = signers.into_iter().partition(|signer| signer.ssh);
    if !gpg.is_empty() {
        let dir = key_dir(ctx, ".kas_gnupg")?;
        keys.gpg = Some(GpgKeys::import(ctx, &dir, &gpg, repos)?);
        ctx.environ.insert("GNUPGHOME".to_owned(), dir.display().to_string());
    }
    if !ssh.is_empty() {
        let dir = key_dir(ctx, ".kas_ssh-handler")?;
        keys.ssh = Some(SshKeys::read(ctx, dir, &ssh, repos)?);
    }
    Ok(keys)
}

/// A private folder in the work directory.
fn key_dir(ctx: &mut Context, name: &str) -> Result<std::path::PathBuf, KasError> {
    let dir = below(&ctx.work_dir, name)?;
    if dir.is_symlink() {
        return Err(KasError::User(format!("`{}` is a link; remove it", dir.display())));
    }
    if !dir.is_dir() {
        std::fs::create_dir(&dir).doing("create", &dir)?;
    }
    std::fs::set_permissions(&dir, PermissionsExt::from_mode(0o700)).doing("protect", &dir)?;
    if !ctx.key_dirs.contains(&dir) {
        ctx.key_dirs.push(dir.clone());
    }
    Ok(dir)
}

impl Keys {
    /// Fails unless the wanted revision of a signed repository carries a
    /// signature of one of its allowed signers.
    pub fn require_valid(&self, repo: Repository<'_>) -> Result<(), KasError> {
        let spec = repo.spec;
        let Some(allowed) = &spec.allowed_signers else { return Ok(()) };
        let ssh = self.signer_type(spec, allowed)?;
        if spec.vcs != Vcs::Git {
            return Err(KasError::User("Only git repositories are supported".to_owned()));
        }
        if let Some(keys) = self.ssh.as_ref().filter(|_| ssh) {
            keys.prepare(repo, allowed)?;
        }
        let argv = match &spec.tag {
            Some(tag) => vec!["git".into(), "verify-tag".into(), "--raw".into(), tag.clone()],
            None => {
                let revision = repo.revision()?.unwrap_or_default();
                vec!["git".into(), "verify-commit".into(), "--raw".into(), revision]
            }
        };
        let output = repo.ask(&argv)?;
        repo.ctx.log.debug(&format!("Signature verification output ({}):\n{}", output.code, output.stderr));
        let verdict = match (output.ok(), &self.gpg, &self.ssh) {
            (true, _, Some(keys)) if ssh => keys.judge(&output.stderr, allowed),
            (true, Some(keys), _) if !ssh => keys.judge(&output.stderr, allowed),
            _ => Verdict::Unsigned,
        };
        let name = &spec.name;
        match verdict {
            Verdict::Valid(info) => {
                repo.ctx.log.info(&format!("Repository {name} signature valid: {info}"));
                Ok(())
            }
            Verdict::Untrusted(info) => {
                Err(KasError::User(format!("Repository {name} is not signed with a trusted key: {info}")))
            }
            Verdict::Unsigned => {
                Err(KasError::User(format!("Repository {name} is not signed with a trusted key.")))
            }
        }
    }

    /// Whether the allowed signers of a repository are ssh keys.
    fn signer_type(&self, spec: &RepoSpec, allowed: &[String]) -> Result<bool, KasError> {
        let mut types = Vec::new();
        for name in allowed {
            let signer = self.signers.iter().find(|signer| signer.name == *name).ok_or_else(|| {
                KasError::User(format!(
                    "Repository {}: Allowed signer \"'{name}'\" not found in config",
                    spec.name
                ))
            })?;
            types.push(signer.ssh);
        }
        if types.windows(2).any(|pair| pair[0] != pair[1]) {
            let text = format!("Repository {}: Mixed signer types are not supported", spec.name);
            return Err(KasError::User(text));
        }
        Ok(types.first().copied().unwrap_or(false))
    }
}

/// What a signature is worth.
pub(crate) enum Verdict {
    /// Made with an allowed key, which is described.
    Valid(String),
    /// Made with a known key that is not allowed here.
    Untrusted(String),
    /// Not made with a known key.
    Unsigned,
}

/// The file of a signer's key, in its repository.
pub(crate) fn key_file(
    signer: &Signer,
    repos: &IndexMap<String, RepoSpec>,
) -> Result<Option<std::path::PathBuf>, KasError> {
    let (Some(path), Some(repo)) = (&signer.path, &signer.repo) else { return Ok(None) };
    let repo = repos.get(repo).ok_or_else(|| {
        KasError::User(format!("signer `{}`: there is no repository `{repo}`", signer.name))
    })?;
    crate::guard::inside_repo(repo, std::path::Path::new(path), "key").map(Some)
}
