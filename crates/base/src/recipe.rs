//! Names of evaluated recipes and tasks, and what is kept of a recipe once it
//! is evaluated: all that providers, task graph and scheduling need to know.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// One evaluated recipe: a file, a variant of it (`native`, `lib32`, ...) and
/// the multiconfig it was evaluated for. Its text form is BitBake's `mcfn`:
/// `FILE`, `virtual:native:FILE`, `mc:NAME:FILE`, `mc:NAME:virtual:native:FILE`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecipeId {
    /// Multiconfig, empty for the default one.
    pub mc: String,
    /// Variant, empty for the recipe itself; may hold colons (`mcextend:foo`).
    pub variant: String,
    /// Absolute path of the .bb file.
    pub file: String,
}

/// A text that is no [`RecipeId`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no recipe name of the form [mc:NAME:][virtual:VARIANT:]FILE")]
pub struct InvalidRecipeId(pub String);

impl fmt::Display for RecipeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.mc.is_empty() {
            write!(f, "mc:{}:", self.mc)?;
        }
        if !self.variant.is_empty() {
            write!(f, "virtual:{}:", self.variant)?;
        }
        f.write_str(&self.file)
    }
}

impl FromStr for RecipeId {
    type Err = InvalidRecipeId;
    fn from_str(text: &str) -> Result<RecipeId, InvalidRecipeId> {
        let bad = || InvalidRecipeId(text.to_owned());
        let (mc, rest) = match text.strip_prefix("mc:") {
            Some(rest) => rest.split_once(':').ok_or_else(bad)?,
            None => ("", text),
        };
        let (variant, file) = match rest.strip_prefix("virtual:") {
            Some(rest) => rest.rsplit_once(':').ok_or_else(bad)?,
            None => ("", rest),
        };
        if file.is_empty() {
            return Err(bad());
        }
        Ok(RecipeId { mc: mc.to_owned(), variant: variant.to_owned(), file: file.to_owned() })
    }
}

/// One task of one evaluated recipe; `RECIPE:do_task` in text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId {
    /// The recipe.
    pub recipe: RecipeId,
    /// With `do_`.
    pub task: String,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.recipe, self.task)
    }
}

/// What an evaluated recipe's tasks depend on and how they behave: BitBake's
/// `_task_deps`. Read and written in the form BitBake keeps it: one object with
/// the keys `tasks`, `parents` and one key for each flag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDeps {
    /// In the order the tasks were added.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// Task to the tasks of the same recipe that must be done before.
    #[serde(default)]
    pub parents: BTreeMap<String, Vec<String>>,
    /// Flag name (`depends`, `deptask`, `rdeptask`, `recrdeptask`, `rdepends`,
    /// `mcdepends`, `recideptask`, `nostamp`, `fakeroot`, `noexec`, `umask`)
    /// to task to expanded text.
    #[serde(flatten)]
    pub flags: BTreeMap<String, BTreeMap<String, String>>,
}

/// What is kept of an evaluated recipe. Field names, meaning and JSON form are
/// those of BitBake's `CoreRecipeInfo`; texts are expanded. A skipped recipe
/// has only `skipped`, `skipreason`, `pn`, `provides`, `rprovides` and `appends`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecipeInfo {
    /// The recipe took itself out (`SkipRecipe`).
    pub skipped: bool,
    /// Why; empty where not skipped.
    pub skipreason: String,
    /// Variants of the file, in order (of the plain recipe only: `""`, `native`, ...).
    pub variants: Vec<String>,
    /// PN.
    pub pn: String,
    /// PE.
    pub pe: String,
    /// PV.
    pub pv: String,
    /// PR.
    pub pr: String,
    /// BB_DONT_CACHE: `1` where a cache must not keep this record.
    pub nocache: String,
    /// .bbappend files, in order.
    pub appends: Vec<String>,
    /// DEFAULT_PREFERENCE.
    pub defaultpref: i64,
    /// Names of tasks, in the order added.
    pub tasks: Vec<String>,
    /// `_task_deps`.
    pub task_deps: TaskDeps,
    /// Task to its [file-checksums].
    pub file_checksums: BTreeMap<String, String>,
    /// STAMP.
    pub stamp: String,
    /// STAMPCLEAN.
    pub stampclean: String,
    /// Task to its [stamp-extra-info], if any.
    pub stamp_extrainfo: BTreeMap<String, Option<String>>,
    /// BB_HASHFILENAME.
    pub hashfilename: String,
    /// `calculate_extra_depends`, a Python text.
    pub extradepsfunc: String,
    /// DEPENDS, words in order.
    pub depends: Vec<String>,
    /// PROVIDES, words in order, PN included.
    pub provides: Vec<String>,
    /// PACKAGES.
    pub packages: Vec<String>,
    /// PACKAGES_DYNAMIC, regular expressions.
    pub packages_dynamic: Vec<String>,
    /// RPROVIDES of the recipe itself.
    pub rprovides: Vec<String>,
    /// RDEPENDS of the recipe itself.
    pub rdepends: Vec<String>,
    /// RRECOMMENDS of the recipe itself.
    pub rrecommends: Vec<String>,
    /// Package to its RPROVIDES.
    pub rprovides_pkg: BTreeMap<String, Vec<String>>,
    /// Package to its RDEPENDS.
    pub rdepends_pkg: BTreeMap<String, Vec<String>>,
    /// Package to its RRECOMMENDS.
    pub rrecommends_pkg: BTreeMap<String, Vec<String>>,
    /// Class files inherited, in order.
    pub inherits: Vec<String>,
    /// EXCLUDE_FROM_WORLD.
    pub not_world: String,
    /// FAKEROOTENV.
    pub fakerootenv: String,
    /// FAKEROOTDIRS.
    pub fakerootdirs: String,
    /// FAKEROOTLOGS.
    pub fakerootlogs: String,
    /// FAKEROOTNOENV.
    pub fakerootnoenv: String,
    /// Task to base hash (hex); BitBake's cache keeps it beside the record.
    #[serde(rename = "basetaskhashes")]
    pub basehashes: BTreeMap<String, String>,
}

impl RecipeInfo {
    /// `PE:PV-PR`, as BitBake shows versions; the epoch may be empty.
    pub fn version(&self) -> String {
        format!("{}:{}-{}", self.pe, self.pv, self.pr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipe_id_text_form_round_trips() {
        for text in ["/a/b_1.bb", "virtual:native:/a/b.bb", "mc:x:/a.bb", "mc:x:virtual:mcextend:foo:/a.bb"] {
            let id: RecipeId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
        }
        assert!("mc:x".parse::<RecipeId>().is_err());
    }
}
