//! Who may do what.

use getrandom::fill;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const KNOWN: [&str; 6] = ["@all", "@db-admin", "@none", "@read", "@report", "@user-admin"];
/// What `@all` stands for, itself included.
const EVERYTHING: [&str; 5] = ["@all", "@db-admin", "@read", "@report", "@user-admin"];

/// A set of permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(BTreeSet<String>);

/// A permission that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Unknown permissions {0}")]
pub struct UnknownPermission(pub String);

impl Permissions {
    /// From words such as `@read`.
    ///
    /// # Errors
    /// [`UnknownPermission`].
    pub fn new<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Result<Permissions, UnknownPermission> {
        let mut set = BTreeSet::new();
        for word in words {
            let word = word.as_ref();
            if !KNOWN.contains(&word) {
                return Err(UnknownPermission(word.to_owned()));
            }
            if word != "@none" {
                set.insert(word.to_owned());
            }
        }
        Ok(Permissions(set))
    }

    /// What a server grants those who do not say who they are, unless told otherwise.
    pub fn default_anonymous() -> Permissions {
        Permissions(["@read", "@report", "@db-admin"].map(str::to_owned).into())
    }

    pub(crate) fn has(&self, permission: &str) -> bool {
        self.0.contains(permission) || self.0.contains("@all")
    }

    /// Sorted, as given.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// Sorted, with what `@all` stands for.
    pub(crate) fn expanded(&self) -> Vec<&str> {
        if self.0.contains("@all") { EVERYTHING.to_vec() } else { self.words() }
    }
}

/// A new secret: 64 characters out of 64.
pub(crate) fn new_token() -> Result<String, getrandom::Error> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    let mut bytes = [0u8; 64];
    fill(&mut bytes)?;
    Ok(bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 64)])).collect())
}

/// What is kept of a token: `sha256:SALT:HASH`.
pub(crate) fn hash_token(token: &str) -> Result<String, getrandom::Error> {
    let mut salt = [0u8; 8];
    fill(&mut salt)?;
    let salt = hex(&salt);
    Ok(format!("sha256:{salt}:{}", salted(&salt, token)))
}

/// Whether a token is the one of which `kept` was kept.
pub(crate) fn token_matches(kept: &str, token: &str) -> bool {
    let mut parts = kept.split(':');
    let (Some("sha256"), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let ours = salted(salt, token);
    // Compares all bytes whatever they are, so that time tells nothing.
    ours.len() == hash.len() && ours.bytes().zip(hash.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

fn salted(salt: &str, token: &str) -> String {
    hex(&Sha256::digest(format!("{salt}{token}")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_kept_salted() {
        let kept = "sha256:5659f0ef17be3b8b:fa6034d175a488c52b3dd4b759d6b0ef999333146eb12fe8a55084e471d69713";
        assert!(token_matches(kept, "pw") && !token_matches(kept, "px") && !token_matches("plain:pw", "pw"));
        let token = new_token().unwrap();
        let kept = hash_token(&token).unwrap();
        assert!(token_matches(&kept, &token) && token.len() == 64 && kept != hash_token(&token).unwrap());
    }

    #[test]
    fn all_stands_for_everything() {
        let all = Permissions::new(["@all"]).unwrap();
        assert!(all.has("@read") && all.expanded().len() == 5 && all.words() == ["@all"]);
        assert!(Permissions::new(["@none"]).unwrap().words().is_empty());
        assert_eq!(Permissions::new(["@nope"]).unwrap_err().to_string(), "Unknown permissions @nope");
    }
}
