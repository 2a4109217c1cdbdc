//! The two dialects of BitBake's language and hashes that bitzel speaks.

use serde::{Deserialize, Serialize};

/// Which BitBake's behaviour to match where releases differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CompatLevel {
    /// BitBake 2.8, as used with scarthgap.
    V2_8,
    /// BitBake 2.18, as used with wrynose.
    V2_18,
}

impl CompatLevel {
    /// The version string metadata sees as `bb.__version__`.
    pub fn bitbake_version(self) -> &'static str {
        match self {
            CompatLevel::V2_8 => "2.8.1",
            CompatLevel::V2_18 => "2.18.0",
        }
    }

    /// The level a release name from `LAYERSERIES_CORENAMES` asks for.
    /// Releases up to and including scarthgap use 2.8, later ones 2.18.
    pub fn from_core_names(names: &str) -> CompatLevel {
        const OLD: [&str; 5] = ["kirkstone", "langdale", "mickledore", "nanbield", "scarthgap"];
        let mut words = names.split_whitespace().peekable();
        if words.peek().is_some() && words.all(|n| OLD.contains(&n)) {
            CompatLevel::V2_8
        } else {
            CompatLevel::V2_18
        }
    }
}
