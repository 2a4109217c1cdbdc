//! Locked signatures: task hashes fixed by the configuration (SIGGEN_LOCKEDSIGS)
//! and known unihashes (SIGGEN_UNIHASHMAP), as the extensible SDK uses them.

use crate::config::ConfigVars;
use crate::sign::hashes::{InvalidHash, TaskHash, UniHash};
use std::collections::{BTreeMap, BTreeSet};

/// The locks of a configuration.
#[derive(Clone, Debug, Default)]
pub struct LockedSignatures {
    /// PN and task to hash and the variable that says so.
    locks: BTreeMap<(String, String), (TaskHash, String)>,
    /// PN and task to the task hash and the unihash that goes with it.
    unihashes: BTreeMap<(String, String), (TaskHash, UniHash)>,
    unlocked: BTreeSet<String>,
}

/// An entry of SIGGEN_LOCKEDSIGS_… or SIGGEN_UNIHASHMAP that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedLock {
    /// Wrong number of fields.
    #[error("`{word}` in {variable} has not the form {expected}")]
    Fields {
        /// The variable.
        variable: String,
        /// The word.
        word: String,
        /// The form.
        expected: &'static str,
    },
    /// A field that should be a hash is none.
    #[error("{variable}: {source}")]
    Hash {
        /// The variable.
        variable: String,
        /// What is wrong.
        source: InvalidHash,
    },
}

/// A task whose computed hash is not the one it is locked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {pn}:{task} signature is computed to be {computed}, but it is locked to {locked} in {variable}")]
pub struct LockedMismatch {
    /// PN.
    pub pn: String,
    /// Task.
    pub task: String,
    /// What it would be.
    pub computed: TaskHash,
    /// What it is.
    pub locked: TaskHash,
    /// Where that is said.
    pub variable: String,
}

impl LockedSignatures {
    /// From SIGGEN_LOCKEDSIGS_TYPES, SIGGEN_LOCKEDSIGS_…, SIGGEN_UNIHASHMAP and
    /// SIGGEN_UNLOCKED_RECIPES.
    ///
    /// # Errors
    /// [`MalformedLock`].
    pub fn from_config(config: &dyn ConfigVars) -> Result<LockedSignatures, MalformedLock> {
        let mut locked = LockedSignatures {
            unlocked: config.words("SIGGEN_UNLOCKED_RECIPES").into_iter().collect(),
            ..LockedSignatures::default()
        };
        for kind in config.words("SIGGEN_LOCKEDSIGS_TYPES") {
            let variable = format!("SIGGEN_LOCKEDSIGS_{kind}");
            for word in config.words(&variable) {
                let [pn, task, hash] = fields(&variable, &word, "PN:TASK:HASH")?;
                let hash = parse_hash(&variable, hash)?;
                locked.locks.insert((pn.to_owned(), task.to_owned()), (hash, variable.clone()));
            }
        }
        let variable = "SIGGEN_UNIHASHMAP";
        for word in config.words(variable) {
            let [pn, task, task_hash, unihash] = fields(variable, &word, "PN:TASK:TASKHASH:UNIHASH")?;
            let pair = (parse_hash(variable, task_hash)?, parse_hash(variable, unihash)?);
            locked.unihashes.insert((pn.to_owned(), task.to_owned()), pair);
        }
        Ok(locked)
    }

    /// Whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        self.locks.is_empty() && self.unihashes.is_empty()
    }

    pub(crate) fn lock(&self, pn: &str, task: &str) -> Option<&(TaskHash, String)> {
        self.locks.get(&(pn.to_owned(), task.to_owned()))
    }

    pub(crate) fn unihash(&self, pn: &str, task: &str, task_hash: &TaskHash) -> Option<&UniHash> {
        let (known, unihash) = self.unihashes.get(&(pn.to_owned(), task.to_owned()))?;
        (known == task_hash).then_some(unihash)
    }

    pub(crate) fn is_unlocked(&self, pn: &str) -> bool {
        self.unlocked.contains(pn)
    }
}

fn fields<'a, const N: usize>(
    variable: &str,
    word: &'a str,
    expected: &'static str,
) -> Result<[&'a str; N], MalformedLock> {
    let parts: Vec<&str> = word.split(':').collect();
    parts.try_into().map_err(|_| MalformedLock::Fields {
        variable: variable.to_owned(),
        word: word.to_owned(),
        expected,
    })
}

fn parse_hash<H: std::str::FromStr<Err = InvalidHash>>(
    variable: &str,
    text: &str,
) -> Result<H, MalformedLock> {
    text.parse().map_err(|source| MalformedLock::Hash { variable: variable.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MapConfig;

    #[test]
    fn locks_are_read_and_malformed_ones_named() {
        let hash = "a".repeat(64);
        let config = MapConfig::from_iter([
            ("SIGGEN_LOCKEDSIGS_TYPES", "t-x".to_owned()),
            ("SIGGEN_LOCKEDSIGS_t-x", format!("foo:do_a:{hash}")),
            ("SIGGEN_UNIHASHMAP", format!("foo:do_a:{hash}:{}", "b".repeat(64))),
        ]);
        let locked = LockedSignatures::from_config(&config).unwrap();
        let (lock, variable) = locked.lock("foo", "do_a").unwrap();
        assert_eq!((lock.as_str(), variable.as_str()), (hash.as_str(), "SIGGEN_LOCKEDSIGS_t-x"));
        assert!(locked.unihash("foo", "do_a", lock).unwrap().as_str().starts_with('b'));
        let bad =
            MapConfig::from_iter([("SIGGEN_LOCKEDSIGS_TYPES", "t"), ("SIGGEN_LOCKEDSIGS_t", "foo:do_a")]);
        assert!(matches!(LockedSignatures::from_config(&bad), Err(MalformedLock::Fields { .. })));
    }
}
