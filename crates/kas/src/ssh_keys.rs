//! SSH keys as signers of git commits and tags.

use crate::context::Context;
use crate::error::{IoContext, KasError};
use crate::files;
use crate::guard::below;
use crate::process::argv;
use crate::repository::Repository;
use crate::signature::{Signer, Verdict, key_file};
use bitzel_project::RepoSpec;
use indexmap::IndexMap;
use std::path::{Path, PathBuf};

/// The public keys of the signers.
#[derive(Debug)]
pub struct SshKeys {
    dir: PathBuf,
    keys: IndexMap<String, Key>,
}

#[derive(Debug)]
struct Key {
    kind: String,
    data: String,
    comment: String,
    fingerprint: String,
}

impl SshKeys {
    /// Reads the keys from their repositories; `dir` takes the lists of
    /// allowed signers.
    pub fn read(
        ctx: &Context,
        dir: PathBuf,
        signers: &[Signer],
        repos: &IndexMap<String, RepoSpec>,
    ) -> Result<SshKeys, KasError> {
        let mut keys = IndexMap::new();
        for signer in signers {
            let file = key_file(signer, repos)?
                .ok_or_else(|| KasError::User(format!("signer `{}` has no key file", signer.name)))?;
            let key = read_key(ctx, &file)?;
            if let Some(expected) =
                signer.fingerprint.as_ref().filter(|expected| **expected != key.fingerprint)
            {
                return Err(KasError::User(format!(
                    "Could not import key \"{}\": Fingerprints do not match: Key has \"{}\". Expected \"{expected}\".",
                    signer.name, key.fingerprint
                )));
            }
            keys.insert(signer.name.clone(), key);
        }
        Ok(SshKeys { dir, keys })
    }

    /// Tells git which keys may sign in this repository.
    pub fn prepare(&self, repo: Repository<'_>, allowed: &[String]) -> Result<(), KasError> {
        let dir = below(&self.dir, &repo.spec.name.replace('/', "."))?;
        if !dir.is_dir() {
            std::fs::create_dir(&dir).doing("create", &dir)?;
        }
        let line = |key: &Key| format!("\"{}\" namespaces=\"git\" {} {}\n", key.comment, key.kind, key.data);
        let text: String = allowed.iter().filter_map(|name| self.keys.get(name)).map(line).collect();
        let file = dir.join("allowedSigners");
        files::write(&file, &text)?;
        let file = file.display().to_string();
        repo.tell(&argv(&["git", "config", "--local", "gpg.ssh.allowedSignersFile", &file]))?;
        Ok(())
    }

    /// Judges what git says of a good signature; its last word is the key.
    pub(crate) fn judge(&self, output: &str, allowed: &[String]) -> Verdict {
        let fingerprint = output.split_whitespace().next_back().unwrap_or_default();
        match self.keys.iter().find(|(_, key)| key.fingerprint == fingerprint) {
            None => Verdict::Unsigned,
            Some((name, key)) => {
                let info = format!("Fingerprint {} ({}) from \"{}\"", key.fingerprint, key.kind, key.comment);
                if allowed.contains(name) { Verdict::Valid(info) } else { Verdict::Untrusted(info) }
            }
        }
    }
}

fn read_key(ctx: &Context, file: &Path) -> Result<Key, KasError> {
    let path = file.display().to_string();
    let keygen = |args: &[&str]| {
        let mut words = argv(&["ssh-keygen"]);
        words.extend(argv(args));
        ctx.runner().require(&words, &ctx.work_dir)
    };
    // SIZE FINGERPRINT COMMENT (TYPE)
    let listing = keygen(&["-l", "-f", &path])?.stdout;
    let words: Vec<&str> = listing.split_whitespace().collect();
    let unusable = || KasError::User(format!("`{path}` is no public ssh key that can be used"));
    let [size, fingerprint, comment @ .., kind] = &words[..] else { return Err(unusable()) };
    let kind = match (kind.trim_matches(['(', ')']), *size) {
        ("DSA", _) => "ssh-dss".to_owned(),
        ("RSA", _) => "ssh-rsa".to_owned(),
        ("ECDSA", size @ ("256" | "384" | "521")) => format!("ecdsa-sha2-nistp{size}"),
        ("ED25519", _) => "ssh-ed25519".to_owned(),
        (kind, size) => {
            return Err(KasError::User(format!("Unsupported key type \"{kind}\" with size \"{size}\"")));
        }
    };
    let exported = keygen(&["-e", "-m", "RFC4716", "-f", &path])?.stdout;
    let data =
        exported.lines().filter(|line| !line.starts_with("----") && !line.starts_with("Comment:")).collect();
    let comment = comment.join(" ").replace('"', "");
    Ok(Key { kind, data, comment, fingerprint: (*fingerprint).to_owned() })
}
