//! The three kinds of hash a task has, as types that cannot be mixed up.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is no hash of 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no hash of 64 lower-case hex digits")]
pub struct InvalidHash(pub String);

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// As 64 lower-case hex digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidHash;
            fn from_str(text: &str) -> Result<Self, InvalidHash> {
                let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                if text.len() == 64 && text.bytes().all(digit) {
                    Ok($name(text.to_owned()))
                } else {
                    Err(InvalidHash(text.to_owned()))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidHash;
            fn try_from(text: String) -> Result<Self, InvalidHash> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(hash: $name) -> String {
                hash.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

hash_type! {
    /// Hash of a task's text and of the variables it refers to.
    BaseHash
}
hash_type! {
    /// Hash of a task's base hash, its dependencies and its files.
    TaskHash
}
hash_type! {
    /// What stands for a task's output: the task hash, or that of another task
    /// known to give the same output.
    UniHash
}

impl TaskHash {
    /// The task hash as a unihash: what it is where no equivalence is known.
    pub fn to_unihash(&self) -> UniHash {
        UniHash(self.0.clone())
    }

    pub(crate) fn from_digest(hex: String) -> TaskHash {
        TaskHash(hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_lower_case_digits_are_a_hash() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(good.parse::<UniHash>().unwrap().as_str(), good);
        for bad in ["", "0123", &good.to_uppercase(), &format!("{good}0"), "${@os.system('true')}"] {
            assert!(bad.parse::<UniHash>().is_err(), "{bad}");
        }
    }
}
