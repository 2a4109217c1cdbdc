//! The recipe cache: records of evaluated recipes, kept while everything they were
//! made from stays as it was.
//!
//! A record is right as long as the files it was read from have the same content, the
//! files that were looked for and not found are still not there, and the same holds
//! for the configuration; of its .conf files only what they come to has to be the same,
//! so a new comment there costs nothing. Files are compared by time, size and inode first
//! and by content where those differ. The cache is one file (`cache_file.rs`), replaced as a
//! whole: readers and writers never wait for each other, a crash leaves the old one.

use crate::build_dir::BuildDir;
use crate::cache_file::{self, Found, Head, Kept, Records, Writer};
use crate::path_states::{Checked, Paths, Table};
use crate::watch::Watch;
use bitzel_recipe::protocol::{Configuration, Evaluated};
use bitzel_recipe::{RecipeFile, Record, list_files};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A recipe file, and where what is known of it comes from.
pub(crate) struct Part {
    pub(crate) mc: String,
    pub(crate) file: RecipeFile,
    pub(crate) content: Content,
}

/// What is known of a recipe file.
pub(crate) enum Content {
    /// Nothing yet.
    Open,
    /// The cache has it.
    Kept(Kept),
    /// It was evaluated just now.
    New(Record),
    /// It cannot be evaluated.
    Failed(String),
}

/// The cache of a build directory.
pub struct RecipeCache {
    path: PathBuf,
    level: String,
    env: Vec<(String, String)>,
    program: String,
    head: Option<Head<'static>>,
    records: Option<Records>,
    /// Records that hold, by multiconfig and path, if the configuration does.
    recipes: HashMap<(String, String), Kept>,
    /// Nothing but .conf files of the configuration changed: these configurations may be the same.
    configurations: Option<Vec<Configuration>>,
    /// Paths by the numbers that records name them by.
    paths: Paths<'static>,
    /// Which of them are as they were.
    same: Checked,
}

impl RecipeCache {
    /// Reads what there is. An unreadable cache counts as none. `changed` is called as soon as a file is found
    /// to be another one; others are still being read then.
    pub fn open(build_dir: &BuildDir, watch: &dyn Watch, changed: impl FnOnce() + Send) -> RecipeCache {
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
            head: None,
            records: None,
            paths: Paths::default(),
            recipes: HashMap::new(),
            configurations: None,
            same: Checked::default(),
        };
        cache.read(watch, changed);
        cache
    }

    fn read(&mut self, watch: &dyn Watch, changed: impl FnOnce() + Send) {
        let unreadable = || {
            let path = self.path.display();
            watch.note(&format!("the recipe cache {path} cannot be read; evaluating anew"));
        };
        let opened = match cache_file::open(&self.path) {
            Found::Nothing => return,
            Found::Opened(opened) => opened,
            Found::Unreadable => return unreadable(),
        };
        let mut same = Checked::default();
        let head = std::thread::scope(|scope| {
            scope.spawn(|| {
                same.add(&opened.files);
                if !same.all() {
                    changed();
                }
            });
            opened.head()
        });
        let Ok(head) = head else { return unreadable() };
        let ignored = head.configurations.first().and_then(|c| c.variables.get("BB_HASHCONFIG_IGNORE_VARS"));
        let settings = self.settings(ignored.map_or("", String::as_str), passed(&head.settings));
        if head.program == self.program && head.level == self.level && head.settings == settings {
            let (files, records) = opened.into_parts();
            self.paths.files = files;
            self.same = same;
            self.head = Some(head);
            self.records = Some(records);
        }
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

    /// Everything, if nothing changed at all: the configurations, and what is kept in their order.
    pub(crate) fn complete(&mut self) -> Option<(Vec<Configuration>, Vec<Kept>)> {
        let Head { configurations, config_paths, paths, mut recipes, .. } = self.head.take()?;
        let configurations = configurations.into_owned();
        let same_files = std::thread::scope(|scope| {
            let files = scope.spawn(|| same_files(&configurations));
            self.same.add(&paths);
            files.join().unwrap_or(false)
        });
        self.paths.others = paths;
        let (same, paths) = (&self.same, &self.paths);
        let total: usize = configurations.iter().map(|c| c.recipes.len()).sum();
        let before = recipes.len();
        recipes.retain(|kept| kept.paths.iter().all(|&path| same.holds(path)));
        let whole = before == total && recipes.len() == total;
        if whole && config_paths.iter().all(|&path| same.holds(path)) && same_files {
            return Some((configurations, recipes));
        }
        let settings_alone = |path: u32| paths.get(path).is_some_and(|(path, _)| path.ends_with(".conf"));
        if config_paths.iter().all(|&path| same.holds(path) || settings_alone(path)) {
            self.configurations = Some(configurations);
            let key = |kept: &Kept| (kept.mc.clone(), kept.file.path.clone());
            self.recipes = recipes.into_iter().map(|kept| (key(&kept), kept)).collect();
        }
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

    /// What is kept of a recipe file, if it holds. It is given once.
    pub(crate) fn take(&mut self, mc: &str, file: &RecipeFile) -> Option<Kept> {
        let kept = self.recipes.remove(&(mc.to_owned(), file.path.clone()))?;
        (kept.file == *file).then_some(kept)
    }

    /// The record of a recipe file, whole; None where there is none or it is damaged.
    pub(crate) fn record(&self, content: &Content) -> Option<Evaluated> {
        match content {
            Content::Kept(kept) => self.records.as_ref()?.get(kept),
            Content::New(record) => Record::unpack(record.packed()).ok(),
            Content::Open | Content::Failed(_) => None,
        }
    }

    /// What is known of the next cache while recipes are still being evaluated.
    pub(crate) fn draft(&self, configurations: &[Configuration], parts: &[Part]) -> Draft<'_> {
        let mut table = Table::new(&self.paths, &self.same);
        let files = configurations.iter().flat_map(|configuration| &configuration.files);
        let config_paths = files.map(|path| table.add(path)).collect();
        let mut kept = Vec::new();
        for part in parts {
            if let Content::Kept(old) = &part.content {
                let paths = old.paths.iter().filter_map(|&number| table.keep(number)).collect();
                kept.push(old.with_paths(paths));
            }
        }
        let written = Writer::begin(&self.path).and_then(|mut writer| {
            if let Some(old) = &self.records {
                writer.keep(old, &mut kept)?;
            }
            Ok(writer)
        });
        Draft { table, config_paths, kept, written }
    }

    /// Replaces the cache by these parts. What cannot be written is only slower next time.
    pub(crate) fn save(
        &self,
        draft: Draft<'_>,
        configurations: &[Configuration],
        parts: &[Part],
        watch: &dyn Watch,
    ) {
        if let Err(error) = self.write(draft, configurations, parts) {
            watch.warn(&format!(
                "cannot write the recipe cache {}: {error}; make its folder writable, else the next start is slow too",
                self.path.display()
            ));
        }
    }

    fn write(&self, draft: Draft<'_>, configurations: &[Configuration], parts: &[Part]) -> io::Result<()> {
        let Draft { mut table, mut config_paths, kept, written } = draft;
        let mut writer = written?;
        let mut kept = kept.into_iter();
        let mut recipes = Vec::with_capacity(parts.len());
        for Part { mc, file, content } in parts {
            match content {
                Content::Kept(_) => recipes.extend(kept.next()),
                Content::New(record) if record.lasting => {
                    let mut paths: Vec<u32> = record.files.iter().map(|path| table.add(path)).collect();
                    paths.extend(record.checksums.iter().filter_map(|word| table.add_checksum(word)));
                    paths.sort_unstable();
                    paths.dedup();
                    recipes.push(writer.add(mc, file, paths, record)?);
                }
                Content::New(_) | Content::Failed(_) | Content::Open => {}
            }
        }
        let (paths, settle) = table.finish();
        settle(&mut config_paths);
        recipes.iter_mut().for_each(|kept| settle(&mut kept.paths));
        let ignored = configurations.first().and_then(|c| c.variables.get("BB_HASHCONFIG_IGNORE_VARS"));
        let head = Head {
            program: self.program.clone(),
            level: self.level.clone(),
            settings: self.settings(ignored.map_or("", String::as_str), ""),
            configurations: Cow::Borrowed(configurations),
            config_paths,
            paths: paths.others,
            recipes,
        };
        writer.finish(&paths.files, &head)
    }
}

/// The next cache, but for what is being evaluated.
pub(crate) struct Draft<'c> {
    table: Table<'c>,
    config_paths: Vec<u32>,
    /// What is kept of the parts, in their order.
    kept: Vec<Kept>,
    written: io::Result<Writer>,
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
