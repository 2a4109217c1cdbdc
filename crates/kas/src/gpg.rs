//! GPG keys in a keyring of the project's own.

use crate::context::Context;
use crate::error::KasError;
use crate::process::{Output, argv};
use crate::signature::{Signer, Verdict, key_file};
use bitzel_project::RepoSpec;
use indexmap::IndexMap;
use std::path::Path;

/// The imported keys.
#[derive(Debug, Default)]
pub struct GpgKeys {
    /// Signer to fingerprint.
    fingerprints: IndexMap<String, String>,
    /// Fingerprint to user ids.
    uids: IndexMap<String, Vec<String>>,
}

struct Gpg<'a> {
    ctx: &'a Context,
    home: &'a Path,
}

impl Gpg<'_> {
    fn run(&self, args: &[&str], input: Option<&str>) -> Result<Output, KasError> {
        let home = self.home.display().to_string();
        let mut words = argv(&["gpg", "--homedir", &home, "--batch", "--no-tty", "--status-fd", "1"]);
        words.extend(argv(args));
        self.ctx.runner().feed(&words, &self.ctx.work_dir, input, &|_| {})
    }

    /// Fingerprint to user ids of all keys in the keyring.
    fn list(&self) -> Result<IndexMap<String, Vec<String>>, KasError> {
        let mut keys: IndexMap<String, Vec<String>> = IndexMap::new();
        let mut primary = false;
        for line in self.run(&["--with-colons", "--fingerprint", "--list-keys"], None)?.stdout.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let field = fields.get(9).copied().unwrap_or_default();
            match fields[0] {
                "pub" => primary = true,
                "fpr" if std::mem::take(&mut primary) => {
                    keys.insert(field.to_owned(), Vec::new());
                }
                "uid" => {
                    if let Some((_, uids)) = keys.last_mut() {
                        uids.push(field.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(keys)
    }

    /// Sets the trust of a key: 3 never, 6 ultimate.
    fn trust(&self, fingerprint: &str, level: u8) -> Result<(), KasError> {
        self.run(&["--import-ownertrust"], Some(&format!("{fingerprint}:{level}:\n")))?;
        Ok(())
    }
}

const TRUST_NEVER: u8 = 3;
const TRUST_ULTIMATE: u8 = 6;

impl GpgKeys {
    /// Imports the keys of `signers` into the keyring in `home`.
    pub fn import(
        ctx: &Context,
        home: &Path,
        signers: &[Signer],
        repos: &IndexMap<String, RepoSpec>,
    ) -> Result<GpgKeys, KasError> {
        let gpg = Gpg { ctx, home };
        let cached = gpg.list()?;
        for fingerprint in cached.keys() {
            gpg.trust(fingerprint, TRUST_NEVER)?;
        }
        let mut keys = GpgKeys::default();
        for signer in signers {
            let output = match (key_file(signer, repos)?, &signer.fingerprint, &signer.keyserver) {
                (Some(file), ..) => gpg.run(&["--import", "--", &file.display().to_string()], None)?,
                (None, Some(fingerprint), _) if cached.contains_key(fingerprint) => {
                    gpg.trust(fingerprint, TRUST_ULTIMATE)?;
                    keys.fingerprints.insert(signer.name.clone(), fingerprint.clone());
                    continue;
                }
                (None, Some(fingerprint), Some(server))
                    if !server.starts_with('-') && !fingerprint.starts_with('-') =>
                {
                    gpg.run(&["--keyserver", server, "--recv-keys", "--", fingerprint], None)?
                }
                _ => {
                    return Err(import_error(
                        signer,
                        "it has neither a file nor a keyserver and fingerprint",
                    ));
                }
            };
            let fingerprint = imported(signer, &output)?;
            gpg.trust(&fingerprint, TRUST_ULTIMATE)?;
            ctx.log.debug(&format!("Imported key \"{}\" with fingerprint \"{fingerprint}\"", signer.name));
            keys.fingerprints.insert(signer.name.clone(), fingerprint);
        }
        keys.uids = gpg.list()?;
        Ok(keys)
    }

    /// Judges the status lines of a verified signature.
    pub(crate) fn judge(&self, status: &str, allowed: &[String]) -> Verdict {
        let signatures: Vec<&str> = status
            .lines()
            .filter(|line| line.contains("VALIDSIG"))
            .filter_map(|line| line.split_whitespace().next_back())
            .collect();
        let is_allowed =
            |print: &&str| allowed.iter().any(|name| self.fingerprints.get(name).is_some_and(|f| f == print));
        if let Some(print) = signatures.iter().copied().find(is_allowed) {
            return Verdict::Valid(self.describe(print));
        }
        match signatures.first().filter(|print| self.fingerprints.values().any(|known| known == *print)) {
            Some(print) => Verdict::Untrusted(self.describe(print)),
            None => Verdict::Unsigned,
        }
    }

    fn describe(&self, fingerprint: &str) -> String {
        let groups: Vec<&str> = (0..fingerprint.len())
            .step_by(4)
            .filter_map(|at| fingerprint.get(at..(at + 4).min(fingerprint.len())))
            .collect();
        let uids: Vec<String> =
            self.uids.get(fingerprint).into_iter().flatten().map(|uid| format!("\"{uid}\"")).collect();
        format!("Fingerprint {} from {}", groups.join(" "), uids.join(" aka "))
    }
}

fn import_error(signer: &Signer, why: &str) -> KasError {
    KasError::User(format!("Could not import key \"{}\": {why}", signer.name))
}

/// The fingerprint of the one imported key.
fn imported(signer: &Signer, output: &Output) -> Result<String, KasError> {
    let status = |keyword: &str| {
        output
            .stdout
            .lines()
            .filter_map(|line| {
                line.strip_prefix("[GNUPG:] ")?
                    .strip_prefix(keyword)
                    .map(|rest| rest.split_whitespace().collect::<Vec<_>>())
            })
            .collect::<Vec<_>>()
    };
    let count = status("IMPORT_RES ").first().and_then(|f| f.first()?.parse::<u32>().ok()).unwrap_or(0);
    match count {
        0 => return Err(import_error(signer, "No keys imported")),
        1 => {}
        _ => return Err(import_error(signer, "Multiple keys imported")),
    }
    let imports = status("IMPORT_OK ");
    let found = imports.iter().find_map(|fields| fields.get(1).map(|print| (*print).to_owned()));
    let found = found.ok_or_else(|| import_error(signer, "No keys imported"))?;
    match &signer.fingerprint {
        Some(expected) if *expected != found => Err(import_error(
            signer,
            &format!("Fingerprints do not match: Key has \"{found}\". Expected \"{expected}\"."),
        )),
        _ => Ok(found),
    }
}
