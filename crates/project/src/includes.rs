//! The files of a project: includes followed depth first, lock files beside
//! them, everything merged in kas' order.

use crate::error::{Note, ProjectError};
use crate::file::{ConfigFile, Role, lock_path};
use crate::paths::resolve;
use crate::schema::Schema;
use crate::value::{Map, Value, merge};
use indexmap::IndexMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// More files than this are no project but a bomb of includes.
const MAX_FILES: usize = 2000;

/// Answers which repository a folder belongs to.
pub trait RepoRoots {
    /// The root of the git or hg repository around `dir` (of the outer one if
    /// it is a submodule); `None` outside of version control.
    fn root_of(&self, dir: &Path) -> Option<PathBuf>;
}

/// A project as far as its files can be found.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// All files merged.
    pub config: Map,
    /// In the order of merging; lock files are in it even when not used.
    pub files: Vec<ConfigFile>,
    /// Ids of repositories that includes ask for and that are not there yet.
    pub missing: Vec<String>,
}

/// Follows the includes of a project.
#[derive(Clone, Debug)]
pub struct Includes {
    top_files: Vec<PathBuf>,
    use_locks: bool,
    top_repo: PathBuf,
}

/// One walk over the files.
struct Walk<'a> {
    schema: &'a Schema,
    repos: &'a IndexMap<String, PathBuf>,
    notes: &'a mut Vec<Note>,
    files: Vec<ConfigFile>,
    missing: Vec<String>,
    /// The files that include each other down to the present one.
    stack: Vec<PathBuf>,
}

impl Includes {
    /// A project of `top_files` (absolute paths, at least one), which have to
    /// belong to one repository. Lock files are read but not used where
    /// `use_locks` is false.
    pub fn new(
        roots: &dyn RepoRoots,
        top_files: Vec<PathBuf>,
        use_locks: bool,
    ) -> Result<Includes, ProjectError> {
        let found: Vec<_> = top_files.iter().map(|file| roots.root_of(&folder(file))).collect();
        if found.iter().any(|root| *root != found[0]) {
            return Err(ProjectError::Include(
                "All concatenated config files must belong to the same repository or all must be outside of \
                 versioning control"
                    .to_owned(),
            ));
        }
        let top_repo = found.into_iter().next().flatten().unwrap_or_else(|| folder(&top_files[0]));
        Ok(Includes { top_files, use_locks, top_repo })
    }

    /// The file given first; its lock file takes new locks.
    pub fn main_file(&self) -> &Path {
        &self.top_files[0]
    }

    /// The repository of the first file, its folder outside of version
    /// control, or what `_source_dir` says.
    pub fn top_repo(&self) -> &Path {
        &self.top_repo
    }

    /// Reads the project with the repositories that are there (`repos`: id
    /// to folder).
    pub fn load(
        &mut self,
        schema: &Schema,
        repos: &IndexMap<String, PathBuf>,
        notes: &mut Vec<Note>,
    ) -> Result<Loaded, ProjectError> {
        let mut walk =
            Walk { schema, repos, notes, files: Vec::new(), missing: Vec::new(), stack: Vec::new() };
        for (i, file) in self.top_files.clone().iter().enumerate() {
            let base = self.top_repo.clone();
            self.visit(file, &base, Role { main: i == 0, ..Role::default() }, &mut walk)?;
        }
        let Walk { files, mut missing, .. } = walk;
        let mut seen = std::collections::BTreeSet::new();
        missing.retain(|id| seen.insert(id.clone()));
        let mut config = Map::new();
        let mut version = 0;
        for file in files.iter().filter(|file| self.use_locks || !file.role.lock) {
            merge(&mut config, &file.config);
            version = version.max(file.version());
        }
        if let Some(header) = config.get_mut("header").and_then(Value::as_map_mut) {
            header.insert("version".into(), Value::Int(version));
        }
        Ok(Loaded { config, files, missing })
    }

    /// Loads `file`: its lock, its includes, then itself.
    fn visit(
        &mut self,
        file: &Path,
        base: &Path,
        role: Role,
        walk: &mut Walk<'_>,
    ) -> Result<(), ProjectError> {
        if walk.stack.iter().any(|outer| outer == file) {
            let chain: Vec<_> = walk.stack.iter().map(|file| file.display().to_string()).collect();
            let chain = chain.join("` -> `");
            return Err(ProjectError::Include(format!("`{}` includes itself: `{chain}`", file.display())));
        }
        if walk.files.len() + walk.stack.len() > MAX_FILES {
            return Err(ProjectError::Include(format!("more than {MAX_FILES} files are included")));
        }
        let config = ConfigFile::load(file, role, walk.schema, walk.notes)?;
        walk.stack.push(file.to_owned());
        let lock = lock_path(file);
        if lock.exists() {
            if role.external {
                inside(base, &lock)?;
            }
            self.visit(&lock, base, Role { main: false, lock: true, ..role }, walk)?;
        }
        let mut base = base.to_owned();
        if let Some(dir) = config.source_dir().filter(|dir| !dir.is_empty()) {
            self.top_repo = PathBuf::from(dir);
            base = self.top_repo.clone();
        }
        let includes = match config.config.get("header").and_then(|header| header.get("includes")) {
            Some(Value::Seq(includes)) => Arc::clone(includes),
            _ => Arc::default(),
        };
        for include in includes.iter() {
            self.follow(include, &config, &base, walk)?;
        }
        walk.stack.pop();
        walk.files.push(config);
        Ok(())
    }

    fn follow(
        &mut self,
        include: &Value,
        from: &ConfigFile,
        base: &Path,
        walk: &mut Walk<'_>,
    ) -> Result<(), ProjectError> {
        let external = from.role.external;
        if let Some(name) = include.as_str() {
            let mut file = inside(base, Path::new(name))?;
            if !file.exists() {
                let beside = inside(&folder(&from.path), Path::new(name))?;
                if beside.exists() {
                    let text =
                        format!("Falling back to file-relative addressing of local include \"{name}\"");
                    walk.notes.push(Note::Warning(text));
                    let text = "Update your layer to repo-relative addressing to avoid this warning";
                    walk.notes.push(Note::Warning(text.to_owned()));
                    file = beside;
                }
            }
            return self.visit(&file, base, Role { external, ..Role::default() }, walk);
        }
        let part = |key| include.get(key).and_then(Value::as_str).unwrap_or_default();
        let Some(dir) = walk.repos.get(part("repo")) else {
            walk.missing.push(part("repo").to_owned());
            return Ok(());
        };
        let external = *dir != self.top_repo;
        let file = inside(dir, Path::new(part("file")))?;
        self.visit(&file, &dir.clone(), Role { external, ..Role::default() }, walk)
    }
}

fn folder(file: &Path) -> PathBuf {
    file.parent().map(Path::to_owned).unwrap_or_default()
}

/// `base/name` with links followed; refused where that is not below `base`.
fn inside(base: &Path, name: &Path) -> Result<PathBuf, ProjectError> {
    let path = resolve(&base.join(name));
    if path.starts_with(resolve(base)) {
        return Ok(path);
    }
    let (path, base) = (path.display(), base.display());
    Err(ProjectError::Include(format!("include {path} resolves outside repository {base}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoVcs;
    impl RepoRoots for NoVcs {
        fn root_of(&self, _: &Path) -> Option<PathBuf> {
            None
        }
    }

    fn write(dir: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = dir.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("header:\n  version: 14\n{text}")).unwrap();
        }
    }

    fn load(dir: &Path, top: &str, locks: bool, repos: &[(&str, &str)]) -> Result<Loaded, ProjectError> {
        let files = top.split(':').map(|name| dir.join(name)).collect();
        let repos = repos.iter().map(|(id, path)| (id.to_string(), dir.join(path))).collect();
        Includes::new(&NoVcs, files, locks)?.load(&Schema::new(), &repos, &mut Vec::new())
    }

    fn names(loaded: &Loaded) -> Vec<String> {
        loaded.files.iter().map(|f| f.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    fn dir() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn locks_come_first_then_includes_depth_first_then_the_file() {
        let dir = dir();
        let d = &dir.path().canonicalize().unwrap();
        write(
            d,
            &[
                ("k.yml", "  includes: [a.yml, b.yml]\nmachine: k\n"),
                ("a.yml", "  includes: [sub/c.yml]\nmachine: a\ntask: a\n"),
                ("sub/c.yml", "task: c\ndistro: c\n"),
                ("b.yml", ""),
                ("k.lock.yml", "task: k-lock\n"),
                ("a.lock.yml", "distro: a-lock\n"),
            ],
        );
        let loaded = load(d, "k.yml:b.yml", true, &[]).unwrap();
        assert_eq!(names(&loaded), ["k.lock.yml", "a.lock.yml", "c.yml", "a.yml", "b.yml", "k.yml", "b.yml"]);
        assert_eq!(loaded.config["machine"].as_str(), Some("k"));
        assert_eq!(loaded.config["distro"].as_str(), Some("c"));
        let without = load(d, "k.yml", false, &[]).unwrap();
        assert_eq!(without.files.len(), 6);
        assert_eq!(without.config.keys().collect::<Vec<_>>(), ["header", "task", "distro", "machine"]);
    }

    #[test]
    fn repositories_that_are_not_there_yet_are_named_once() {
        let dir = dir();
        let d = &dir.path().canonicalize().unwrap();
        let both = "  includes: [{repo: x, file: x.yml}, {repo: y, file: y.yml}, {repo: x, file: z.yml}]\n";
        write(d, &[("k.yml", both), ("yy/y.yml", "machine: y\n"), ("yy/y.lock.yml", "")]);
        let loaded = load(d, "k.yml", true, &[("y", "yy")]).unwrap();
        assert_eq!(loaded.missing, ["x"]);
        assert!(loaded.files.iter().any(|f| f.role.external && f.role.lock));
    }

    #[test]
    fn includes_stay_in_their_repository_even_through_links() {
        let dir = dir();
        let d = &dir.path().canonicalize().unwrap();
        write(
            d,
            &[
                ("p/up.yml", "  includes: [../out.yml]\n"),
                ("p/abs.yml", "  includes: [/etc/passwd.yml]\n"),
                ("p/link.yml", "  includes: [l/out.yml]\n"),
                ("out.yml", ""),
            ],
        );
        std::os::unix::fs::symlink("..", d.join("p/l")).unwrap();
        for top in ["up.yml", "abs.yml", "link.yml"] {
            let error = load(&d.join("p"), top, true, &[]).unwrap_err().to_string();
            assert!(error.contains("resolves outside repository"), "{error}");
        }
    }

    #[test]
    fn a_file_that_includes_itself_is_refused() {
        let dir = dir();
        write(dir.path(), &[("a.yml", "  includes: [b.yml]\n"), ("b.yml", "  includes: [a.yml]\n")]);
        let d = dir.path().canonicalize().unwrap();
        assert!(load(&d, "a.yml", true, &[]).unwrap_err().to_string().contains("includes itself"));
    }

    #[test]
    fn a_bomb_of_includes_is_stopped() {
        let dir = dir();
        let d = &dir.path().canonicalize().unwrap();
        for i in 0..20 {
            let next = i + 1;
            write(d, &[(&format!("f{i}.yml"), &format!("  includes: [f{next}.yml, f{next}.yml]\n"))]);
        }
        write(d, &[("f20.yml", "")]);
        assert!(load(d, "f0.yml", true, &[]).unwrap_err().to_string().contains("more than"));
    }

    #[test]
    fn only_the_main_file_may_move_the_source_folder() {
        let dir = dir();
        let d = &dir.path().canonicalize().unwrap();
        write(d, &[("k.yml", "  includes: [x.yml]\n_source_dir: SRC\n"), ("i.yml", "  includes: [k.yml]\n")]);
        let text = std::fs::read_to_string(d.join("k.yml"))
            .unwrap()
            .replace("SRC", &d.join("src").display().to_string());
        std::fs::write(d.join("k.yml"), text).unwrap();
        write(d, &[("src/x.yml", "machine: x\n")]);
        assert_eq!(load(d, "k.yml", true, &[]).unwrap().config["machine"].as_str(), Some("x"));
        assert!(load(d, "i.yml", true, &[]).unwrap_err().to_string().contains("_source_dir"));
    }
}
