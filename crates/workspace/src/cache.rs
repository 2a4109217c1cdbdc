//! The recipe cache: records of evaluated recipes, kept while everything they were
//! made from stays as it was.
//!
//! A record is right as long as the files it was read from have the same content, the
//! files that were looked for and not found are still not there, and the same holds
//! for the configuration; of its .conf files only what they come to has to be the same,
//! so a new comment there costs nothing. Files are compared by time, size and inode first
//! and by content where those differ. The cache is one file, replaced as a whole: readers and
//! writers never wait for each other, a crash leaves the old one.

use crate::build_dir::BuildDir;
use crate::evaluation::{Evaluation, Outcome};
use crate::watch::Watch;
use bitzel_recipe::protocol::{Configuration, Evaluated};
use bitzel_recipe::{RecipeFile, list_files};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io::BufWriter;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Changes with the form of the file.
const FORMAT: u32 = 2;

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

/// Borrowed while it is written.
#[derive(Serialize, Deserialize)]
struct Kept<'e> {
    mc: Cow<'e, str>,
    file: Cow<'e, RecipeFile>,
    /// Numbers in the table of paths.
    paths: Vec<u32>,
    evaluated: Cow<'e, Evaluated>,
}

#[derive(Default, Serialize, Deserialize)]
struct Contents<'e> {
    format: u32,
    program: String,
    level: String,
    settings: Vec<(String, String)>,
    configurations: Cow<'e, [Configuration]>,
    config_paths: Vec<u32>,
    paths: Vec<(String, State)>,
    recipes: Vec<Kept<'e>>,
}

/// The cache of a build directory.
pub struct RecipeCache {
    path: PathBuf,
    level: String,
    env: Vec<(String, String)>,
    program: String,
    contents: Option<Contents<'static>>,
    /// Records that hold, by multiconfig and path, if the configuration does.
    recipes: HashMap<(String, String), Kept<'static>>,
    /// Nothing but .conf files of the configuration changed: these configurations may be the same.
    configurations: Option<Vec<Configuration>>,
    /// Files that are as they were.
    states: HashMap<String, State>,
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
            recipes: HashMap::new(),
            configurations: None,
            states: HashMap::new(),
        };
        cache.contents = cache.read(watch);
        cache
    }

    fn read(&self, watch: &dyn Watch) -> Option<Contents<'static>> {
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
        let Contents { configurations, config_paths, paths, mut recipes, .. } = self.contents.take()?;
        let configurations = configurations.into_owned();
        let same = Checked::new(&paths);
        let total: usize = configurations.iter().map(|c| c.recipes.len()).sum();
        let before = recipes.len();
        recipes.retain(|kept| kept.paths.iter().all(|&path| same.holds(path)));
        let whole = before == total && recipes.len() == total;
        if whole && config_paths.iter().all(|&path| same.holds(path)) && same_files(&configurations) {
            let outcome = |kept: Kept<'_>| Outcome {
                mc: kept.mc.into_owned(),
                file: kept.file.into_owned(),
                result: Ok(kept.evaluated.into_owned()),
            };
            let outcomes = recipes.into_iter().map(outcome).collect();
            return Some(Evaluation { configurations, outcomes, cached: total, parsed: 0 });
        }
        let settings_alone =
            |path: u32| paths.get(path as usize).is_some_and(|(path, _)| path.ends_with(".conf"));
        if config_paths.iter().all(|&path| same.holds(path) || settings_alone(path)) {
            self.configurations = Some(configurations);
            let key = |kept: &Kept<'_>| (kept.mc.to_string(), kept.file.path.clone());
            self.recipes = recipes.into_iter().map(|kept| (key(&kept), kept)).collect();
        }
        self.states =
            paths.into_iter().zip(same.holds).filter_map(|(path, same)| same.then_some(path)).collect();
        None
    }

    /// Forgets everything if the configuration is another one.
    pub fn use_configurations(&mut self, configurations: &[Configuration]) {
        let known = self.configurations.take().unwrap_or_default();
        let same = |(a, b): (&Configuration, &Configuration)| a.digest == b.digest && a.files == b.files;
        if known.len() != configurations.len() || !known.iter().zip(configurations).all(same) {
            self.recipes.clear();
        }
    }

    /// The record of a recipe file, if it holds. It is given once.
    pub fn take(&mut self, mc: &str, file: &RecipeFile) -> Option<Evaluated> {
        let kept = self.recipes.remove(&(mc.to_owned(), file.path.clone()))?;
        (*kept.file == *file).then(|| kept.evaluated.into_owned())
    }

    /// Replaces the cache. What cannot be written is only slower next time.
    pub fn save(&self, evaluation: &Evaluation, watch: &dyn Watch) {
        let mut table = Table { known: &self.states, paths: Vec::new(), numbers: HashMap::new() };
        let mut contents = Contents {
            format: FORMAT,
            program: self.program.clone(),
            level: self.level.clone(),
            configurations: Cow::Borrowed(&evaluation.configurations),
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
            contents.recipes.push(Kept {
                mc: Cow::Borrowed(&outcome.mc),
                file: Cow::Borrowed(&outcome.file),
                paths,
                evaluated: Cow::Borrowed(evaluated),
            });
        }
        contents.paths = table.paths;
        if let Err(error) = self.write(&contents) {
            watch.warn(&format!(
                "cannot write the recipe cache {}: {error}; the next start will be slower",
                self.path.display()
            ));
        }
    }

    fn write(&self, contents: &Contents<'_>) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let temporary = self.path.with_extension(format!("new-{}", std::process::id()));
        let mut file = BufWriter::new(fs::File::create(&temporary)?);
        rmp_serde::encode::write(&mut file, contents).map_err(std::io::Error::other)?;
        file.into_inner()?.sync_all()?;
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
    fn new(paths: &[(String, State)]) -> Checked {
        Checked { holds: paths.iter().map(|(path, state)| holds(Path::new(path), state)).collect() }
    }

    fn holds(&self, path: u32) -> bool {
        self.holds.get(path as usize).copied().unwrap_or(false)
    }
}

fn holds(path: &Path, state: &State) -> bool {
    let now = fs::metadata(path);
    match (state, now) {
        (State::Missing, now) => now.is_err(),
        (State::Exists, now) => now.is_ok(),
        (State::File { mtime, mtime_ns, size, inode, content }, Ok(now)) => {
            let untouched =
                (now.mtime(), now.mtime_nsec(), now.size(), now.ino()) == (*mtime, *mtime_ns, *size, *inode);
            untouched || (now.size() == *size && fs::read(path).is_ok_and(|bytes| digest(&bytes) == *content))
        }
        _ => false,
    }
}

/// Paths, each once, with what they are now.
struct Table<'s> {
    /// Those that need not be read again.
    known: &'s HashMap<String, State>,
    paths: Vec<(String, State)>,
    numbers: HashMap<(String, bool), u32>,
}

impl Table<'_> {
    fn add(&mut self, path: &str) -> u32 {
        let known = self.known;
        // That a path exists says nothing of what it holds.
        let as_it_was = |state: &&State| !matches!(state, State::Exists);
        let state = || known.get(path).filter(as_it_was).cloned().unwrap_or_else(|| look(Path::new(path)));
        self.entry(path, false, state)
    }

    /// `PATH:True` or `PATH:False` of a [file-checksums] flag.
    fn add_checksum(&mut self, word: &str) -> Option<u32> {
        let (path, existed) = word.rsplit_once(':')?;
        let state = if existed == "True" { State::Exists } else { State::Missing };
        Some(self.entry(path, true, || state))
    }

    fn entry(&mut self, path: &str, existence: bool, state: impl FnOnce() -> State) -> u32 {
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
        let state = look(&file);
        assert!(holds(&file, &state));
        fs::write(&file, "one").unwrap();
        assert!(holds(&file, &state), "same content, new time");
        fs::write(&file, "two").unwrap();
        assert!(!holds(&file, &state));
        let gone = look(&dir.path().join("y"));
        assert!(holds(&dir.path().join("y"), &gone));
        fs::write(dir.path().join("y"), "").unwrap();
        assert!(!holds(&dir.path().join("y"), &gone));
    }
}
