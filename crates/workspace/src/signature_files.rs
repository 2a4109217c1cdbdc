//! Signature files that builds left: beside the stamps and in the sstate cache.

use crate::Recipes;
use bitzel_base::RecipeId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

/// A signature file of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureFile {
    /// Where.
    pub path: PathBuf,
    /// The hash in its name.
    pub hash: String,
    /// When it was written.
    pub modified: SystemTime,
    /// It tells of an object in the sstate cache, not of a stamp.
    pub in_sstate: bool,
}

/// `.siginfo` files of an sstate cache, sorted by name.
type Listing = Vec<(String, PathBuf)>;

/// Finds signature files.
pub struct SignatureFiles<'a> {
    recipes: &'a Recipes,
    /// By SSTATE_DIR, each read once.
    sstate: RefCell<BTreeMap<String, Rc<Listing>>>,
}

impl<'a> SignatureFiles<'a> {
    /// Of the recipes of a build directory.
    pub fn new(recipes: &'a Recipes) -> SignatureFiles<'a> {
        SignatureFiles { recipes, sstate: RefCell::default() }
    }

    /// All files of a task, newest first: those beside stamps of any version of the recipe,
    /// then those of the sstate cache.
    pub fn of_task(&self, id: &RecipeId, task: &str) -> Vec<SignatureFile> {
        let mut found = self.beside_stamps(id, task);
        found.extend(self.in_sstate(id, task));
        found.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.path.cmp(&b.path)));
        found
    }

    /// The file of a task with this hash.
    pub fn with_hash(&self, id: &RecipeId, task: &str, hash: &str) -> Option<PathBuf> {
        self.of_task(id, task).into_iter().find(|file| file.hash == hash).map(|file| file.path)
    }

    fn beside_stamps(&self, id: &RecipeId, task: &str) -> Vec<SignatureFile> {
        let Some(ix) = self.recipes.index.find(id) else { return Vec::new() };
        let info = &self.recipes.index.recipe(ix).info;
        let stamp = Path::new(&info.stamp);
        let (Some(folder), Some(version)) = (stamp.parent(), stamp.file_name()) else { return Vec::new() };
        // In a folder of the recipe's own, stamps of other versions are the recipe's too.
        let own = folder.file_name().is_some_and(|name| name == info.pn.as_str());
        let middle = format!(".{task}.sigdata.");
        files_of(folder, &|name| {
            let (begin, hash) = name.split_once(&middle)?;
            (own || version == begin).then(|| hash.to_owned())
        })
    }

    /// `sstate:PN:…:HASH_TASK.tar.zst.siginfo`.
    fn in_sstate(&self, id: &RecipeId, task: &str) -> Vec<SignatureFile> {
        let Some(ix) = self.recipes.index.find(id) else { return Vec::new() };
        let Some(top) = self.recipes.variable_of(&id.mc, "SSTATE_DIR") else { return Vec::new() };
        let begin = format!("sstate:{}:", self.recipes.index.recipe(ix).info.pn);
        let end = format!("_{}.tar.zst.siginfo", task.trim_start_matches("do_"));
        let listing = self.listing(top);
        let first = listing.partition_point(|(name, _)| *name < begin);
        let of_recipe = listing[first..].iter().take_while(|(name, _)| name.starts_with(&begin));
        let file = |(name, path): &(String, PathBuf)| {
            let rest = name.strip_prefix(&begin)?.strip_suffix(&end)?;
            let hash = rest.rsplit(':').next().unwrap_or(rest).to_owned();
            let modified = fs::metadata(path).ok()?.modified().ok()?;
            Some(SignatureFile { path: path.clone(), hash, modified, in_sstate: true })
        };
        of_recipe.filter_map(file).collect()
    }

    fn listing(&self, top: &str) -> Rc<Listing> {
        let mut known = self.sstate.borrow_mut();
        known.entry(top.to_owned()).or_insert_with(|| Rc::new(list_sstate(top))).clone()
    }
}

/// Objects lie at most three folders deep.
fn list_sstate(top: &str) -> Listing {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(top)];
    for _ in 0..=3 {
        let mut next = Vec::new();
        for entry in folders.iter().flat_map(fs::read_dir).flatten().flatten() {
            match (entry.file_type(), entry.file_name().into_string()) {
                (Ok(kind), _) if kind.is_dir() => next.push(entry.path()),
                (Ok(_), Ok(name)) if name.ends_with(".siginfo") => found.push((name, entry.path())),
                _ => {}
            }
        }
        folders = next;
    }
    found.sort_unstable();
    found
}

/// Files whose names hold a hash. A folder that is not there has none.
fn files_of(folder: &Path, hash_of: &dyn Fn(&str) -> Option<String>) -> Vec<SignatureFile> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let file = |entry: fs::DirEntry| {
        let hash = hash_of(entry.file_name().to_str()?)?;
        let modified = entry.metadata().ok()?.modified().ok()?;
        Some(SignatureFile { path: entry.path(), hash, modified, in_sstate: false })
    };
    entries.filter_map(file).collect()
}
