//! The recipe cache: records of evaluated recipes, kept while everything they were
//! made from stays as it was.
//!
//! A record is right as long as the files it was read from have the same content, the
//! files that were looked for and not found are still not there, and the same holds
//! for the configuration. Files are compared by time, size and inode first and by
//! content where those differ. The cache is one file, replaced as a whole: readers and
//! writers never wait for each other, a crash leaves the old one.

use crate::build_dir::BuildDir;
use crate::evaluation::{Evaluation, Outcome};
use crate::watch::Watch;
use bitzel_recipe::protocol::{Configuration, Evaluated};
use bitzel_recipe::{RecipeFile, list_files};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Changes with the form of the file.
const FORMAT: u32 = 1;

/// What a path was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Missing,
    /// Only its existence counts.
    Exists,
    File {
        mtime: i64,
        mtime_ns: i64,
        size: u64,
        inode: u64,
        content: u64,
    },
}

#[derive(Serialize, Deserialize)]
struct Kept {
    mc: String,
    file: RecipeFile,
    /// Numbers in the table of paths.
    paths: Vec<u32>,
    evaluated: Evaluated,
}

#[derive(Default, Serialize, Deserialize)]
struct Contents {
    format: u32,
    program: String,
    level: String,
    settings: Vec<(String, String)>,
    configurations: Vec<Configuration>,
    config_paths: Vec<u32>,
    paths: Vec<(String, Option<State>)>,
    recipes: Vec<Kept>,
}

/// The cache of a build directory.
pub struct RecipeCache {
    path: PathBuf,
    level: String,
    env: Vec<(String, String)>,
    program: String,
    contents: Option<Contents>,
    by_file: HashMap<(String, String), usize>,
}

impl RecipeCache {
    /// Reads what there is. An unreadable cache counts as none.
    pub fn open(build_dir: &BuildDir, watch: &dyn Watch) -> RecipeCache {
        let top = build_dir.directory.ancestors().find(|dir| dir.join("conf/bblayers.conf").is_file());
        let folder = top.unwrap_or(&build_dir.directory).join("cache");
        let mut env: Vec<(String, String)> =
            build_dir.configure.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        for file in build_dir.configure.pre_files.iter().chain(&build_dir.configure.post_files) {
            env.push(("-r/-R".to_owned(), file.clone()));
        }
        let mut cache = RecipeCache {
            path: folder.join("bitzel-recipes.cache"),
            level: build_dir.level_name().to_owned(),
            env,
            program: program(),
            contents: None,
            by_file: HashMap::new(),
        };
        cache.contents = cache.read(watch);
        cache
    }

    fn read(&self, watch: &dyn Watch) -> Option<Contents> {
        let bytes = fs::read(&self.path).ok()?;
        let contents: Contents = match rmp_serde::from_slice(&bytes) {
            Ok(contents) => contents,
            Err(_) => {
                watch.note(&format!(
                    "the recipe cache {} cannot be read; evaluating anew",
                    self.path.display()
                ));
                return None;
            }
        };
        let ignored =
            contents.configurations.first().and_then(|c| c.variables.get("BB_HASHCONFIG_IGNORE_VARS"));
        let settings = self.settings(ignored.map_or("", String::as_str), passed(&contents.settings));
        let same = contents.format == FORMAT
            && contents.program == self.program
            && contents.level == self.level
            && contents.settings == settings;
        same.then_some(contents)
    }

    /// What of the environment counts.
    fn settings(&self, ignored: &str, additions: &str) -> Vec<(String, String)> {
        const PASSED: [&str; 14] = [
            "-r/-R",
            "BBPATH",
            "BB_PRESERVE_ENV",
            "BB_ENV_PASSTHROUGH",
            "BB_ENV_PASSTHROUGH_ADDITIONS",
            "BB_TASKHASH",
            "HOME",
            "LOGNAME",
            "PATH",
            "SHELL",
            "USER",
            "LC_ALL",
            "BBSERVER",
            "BITZEL_COMPAT",
        ];
        let own =
            self.env.iter().find(|(name, _)| name == "BB_ENV_PASSTHROUGH_ADDITIONS").map(|(_, v)| v.as_str());
        let additions: Vec<&str> = own.unwrap_or(additions).split_whitespace().collect();
        let ignored: Vec<&str> = ignored.split_whitespace().collect();
        let counts = |name: &str| {
            (PASSED.contains(&name) || additions.contains(&name))
                && (name == "PATH" || !ignored.contains(&name))
        };
        self.env.iter().filter(|(name, _)| counts(name)).cloned().collect()
    }

    /// Everything, if nothing changed at all.
    pub fn complete(&mut self) -> Option<Evaluation> {
        let contents = self.contents.take()?;
        let same = Checked::new(&contents.paths);
        if !contents.config_paths.iter().all(|&path| same.holds(path)) {
            return None;
        }
        let mut contents = contents;
        let total: usize = contents.configurations.iter().map(|c| c.recipes.len()).sum();
        let before = contents.recipes.len();
        contents.recipes.retain(|kept| kept.paths.iter().all(|&path| same.holds(path)));
        if before == total && contents.recipes.len() == total && same_files(&contents.configurations) {
            let outcomes = contents
                .recipes
                .into_iter()
                .map(|kept| Outcome { mc: kept.mc, file: kept.file, result: Ok(kept.evaluated) })
                .collect();
            let configurations = contents.configurations;
            return Some(Evaluation { configurations, outcomes, cached: total, parsed: 0 });
        }
        for (number, kept) in contents.recipes.iter().enumerate() {
            self.by_file.insert((kept.mc.clone(), kept.file.path.clone()), number);
        }
        self.contents = Some(contents);
        None
    }

    /// Forgets everything if the configuration is another one.
    pub fn use_configurations(&mut self, configurations: &[Configuration]) {
        let same = self.contents.as_ref().is_some_and(|contents| {
            contents.configurations.len() == configurations.len()
                && contents.configurations.iter().zip(configurations).all(|(a, b)| a.files == b.files)
        });
        if !same {
            self.contents = None;
            self.by_file.clear();
        }
    }

    /// The record of a recipe file, if it holds.
    pub fn lookup(&self, mc: &str, file: &RecipeFile) -> Option<Evaluated> {
        let contents = self.contents.as_ref()?;
        let number = *self.by_file.get(&(mc.to_owned(), file.path.clone()))?;
        let kept = contents.recipes.get(number)?;
        (kept.file == *file).then(|| kept.evaluated.clone())
    }

    /// Replaces the cache. What cannot be written is only slower next time.
    pub fn save(&self, evaluation: &Evaluation, watch: &dyn Watch) {
        let mut table = Table::default();
        let mut contents = Contents {
            format: FORMAT,
            program: self.program.clone(),
            level: self.level.clone(),
            configurations: evaluation.configurations.clone(),
            ..Contents::default()
        };
        let ignored =
            evaluation.configurations.first().and_then(|c| c.variables.get("BB_HASHCONFIG_IGNORE_VARS"));
        contents.settings = self.settings(ignored.map_or("", String::as_str), "");
        for configuration in &evaluation.configurations {
            contents.config_paths.extend(configuration.files.iter().map(|path| table.add(path)));
        }
        for outcome in &evaluation.outcomes {
            let Ok(evaluated) = &outcome.result else { continue };
            if evaluated.variants.iter().any(|(_, info)| info.nocache == "1") {
                continue;
            }
            let mut paths: Vec<u32> = evaluated.files.iter().map(|path| table.add(path)).collect();
            for (_, info) in &evaluated.variants {
                for sums in info.file_checksums.values() {
                    paths.extend(sums.split_whitespace().filter_map(|word| table.add_checksum(word)));
                }
            }
            paths.sort_unstable();
            paths.dedup();
            let (mc, file) = (outcome.mc.clone(), outcome.file.clone());
            contents.recipes.push(Kept { mc, file, paths, evaluated: evaluated.clone() });
        }
        contents.paths = table.paths;
        if let Err(error) = self.write(&contents) {
            watch.warn(&format!(
                "cannot write the recipe cache {}: {error}; the next start will be slower",
                self.path.display()
            ));
        }
    }

    fn write(&self, contents: &Contents) -> std::io::Result<()> {
        let bytes = rmp_serde::to_vec(contents).map_err(std::io::Error::other)?;
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let temporary = self.path.with_extension(format!("new-{}", std::process::id()));
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)
    }
}

fn passed(settings: &[(String, String)]) -> &str {
    settings.iter().find(|(name, _)| name == "BB_ENV_PASSTHROUGH_ADDITIONS").map_or("", |(_, v)| v.as_str())
}

/// Identifies the program: another build may evaluate differently.
fn program() -> String {
    let own = std::env::current_exe().ok().and_then(|path| fs::metadata(path).ok());
    let stamp = own.map(|meta| format!("{}.{} {}", meta.mtime(), meta.mtime_nsec(), meta.size()));
    format!("{} {}", env!("CARGO_PKG_VERSION"), stamp.unwrap_or_default())
}

/// Do BBFILES name the same files as before?
fn same_files(configurations: &[Configuration]) -> bool {
    configurations.iter().all(|c| list_files(&c.patterns).is_ok_and(|found| found == c.found))
}

/// Which paths of a table are as they were. Each is looked at once.
struct Checked {
    holds: Vec<bool>,
}

impl Checked {
    fn new(paths: &[(String, Option<State>)]) -> Checked {
        Checked { holds: paths.iter().map(|(path, state)| holds(Path::new(path), state)).collect() }
    }

    fn holds(&self, path: u32) -> bool {
        self.holds.get(path as usize).copied().unwrap_or(false)
    }
}

fn holds(path: &Path, state: &Option<State>) -> bool {
    let now = fs::metadata(path);
    match (state, now) {
        (Some(State::Missing), now) => now.is_err(),
        (Some(State::Exists), now) => now.is_ok(),
        (Some(State::File { mtime, mtime_ns, size, inode, content }), Ok(now)) => {
            let untouched =
                (now.mtime(), now.mtime_nsec(), now.size(), now.ino()) == (*mtime, *mtime_ns, *size, *inode);
            untouched || (now.size() == *size && fs::read(path).is_ok_and(|bytes| digest(&bytes) == *content))
        }
        _ => false,
    }
}

/// Paths, each once, with what they are now.
#[derive(Default)]
struct Table {
    paths: Vec<(String, Option<State>)>,
    numbers: HashMap<(String, bool), u32>,
}

impl Table {
    fn add(&mut self, path: &str) -> u32 {
        self.entry(path, false, || Some(look(Path::new(path))))
    }

    /// `PATH:True` or `PATH:False` of a [file-checksums] flag.
    fn add_checksum(&mut self, word: &str) -> Option<u32> {
        let (path, existed) = word.rsplit_once(':')?;
        let state = if existed == "True" { State::Exists } else { State::Missing };
        Some(self.entry(path, true, || Some(state)))
    }

    fn entry(&mut self, path: &str, existence: bool, state: impl FnOnce() -> Option<State>) -> u32 {
        let next = u32::try_from(self.paths.len()).expect("fewer than 2^32 paths");
        let number = *self.numbers.entry((path.to_owned(), existence)).or_insert(next);
        if number == next {
            self.paths.push((path.to_owned(), state()));
        }
        number
    }
}

fn look(path: &Path) -> State {
    let Ok(meta) = fs::metadata(path) else { return State::Missing };
    if !meta.is_file() {
        return State::Exists;
    }
    let Ok(bytes) = fs::read(path) else { return State::Missing };
    State::File {
        mtime: meta.mtime(),
        mtime_ns: meta.mtime_nsec(),
        size: meta.size(),
        inode: meta.ino(),
        content: digest(&bytes),
    }
}

/// First 64 bits of the sha256.
fn digest(bytes: &[u8]) -> u64 {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_holds_until_the_content_or_the_existence_changes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        fs::write(&file, "one").unwrap();
        let state = Some(look(&file));
        assert!(holds(&file, &state));
        fs::write(&file, "one").unwrap();
        assert!(holds(&file, &state), "same content, new time");
        fs::write(&file, "two").unwrap();
        assert!(!holds(&file, &state));
        let gone = Some(look(&dir.path().join("y")));
        assert!(holds(&dir.path().join("y"), &gone));
        fs::write(dir.path().join("y"), "").unwrap();
        assert!(!holds(&dir.path().join("y"), &gone));
    }
}
