//! Every recorded project: exit codes, output, repositories, configuration
//! and files are what kas 5.4 left behind.

use crate::repos::{self, Commits, items, text};
use crate::world::World;
use bitzel_project::{Value, parse};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn recorded_projects_end_as_kas_ends_them() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 50, "the recorded projects are missing");
    let (next, runs, failures) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).max(2) {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::SeqCst)) {
                    runs.fetch_add(project(file, &failures), Ordering::SeqCst);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
    assert!(runs.into_inner() > 400, "too few recorded runs");
}

fn project(file: &Path, failures: &Mutex<Vec<String>>) -> usize {
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    let document = parse(&std::fs::read(file).unwrap()).unwrap().value;
    let runs = items(&document, "runs");
    let upstreams = World::new();
    let made = repos::make(&upstreams, items(&document, "upstreams"));
    for run in runs {
        let found = Run::new(&document, run, &upstreams, &made).go();
        failures
            .lock()
            .unwrap()
            .extend(found.into_iter().map(|f| format!("{name}: {}: {f}", text(run, "name"))));
    }
    println!("{name}: {} runs", runs.len());
    runs.len()
}

/// One recorded sequence of commands in a world of its own.
struct Run<'a> {
    world: World,
    /// Folders shown as `@WORK@`: that of the run and that of its upstreams.
    places: [String; 2],
    commits: Commits,
    steps: &'a [Value],
    expected: BTreeMap<&'static str, Value>,
    rounds: usize,
}

impl<'a> Run<'a> {
    /// Upstreams are shared; a run that adds commits to them has its own.
    fn new(document: &Value, run: &'a Value, upstreams: &World, made: &repos::Made) -> Run<'a> {
        let mut world = World::new();
        let (commits, mut redirects) = made.clone();
        let advances = items(run, "steps").iter().any(|step| repos::texts(step, "do") == ["@advance"]);
        if advances && upstreams.root.join("up").exists() {
            let mut copy = std::process::Command::new("cp");
            copy.arg("-a").arg(upstreams.root.join("up")).arg(&world.root);
            assert!(copy.status().unwrap().success());
            for (_, dir) in &mut redirects {
                *dir = world.root.join(dir.strip_prefix(&upstreams.root).unwrap());
            }
        }
        match run.get("redirect") {
            Some(_) => world.premirrors(&redirects),
            None => world.redirect(&redirects),
        }
        for (name, content) in document.get("project").and_then(Value::as_map).unwrap() {
            let path = world.write(&format!("project/{name}"), &commits.apply(content.as_str().unwrap()));
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_704_164_645);
            std::fs::File::open(path).unwrap().set_modified(time).unwrap();
        }
        if text(run, "vcs") == "git" {
            let dir = world.project();
            crate::world::git(&dir, &["init", "-q", "-b", "main"]);
            crate::world::git(&dir, &["remote", "add", "origin", "https://example.com/project.git"]);
            crate::world::git(&dir, &["add", "-A"]);
            crate::world::git(&dir, &["commit", "-q", "-m", "project"]);
        }
        if run.get("split_dirs").is_some() {
            std::fs::create_dir(world.root.join("wd")).unwrap();
            for (name, dir) in [("KAS_WORK_DIR", "wd"), ("KAS_BUILD_DIR", "bd")] {
                world.env.insert(name.to_owned(), world.root.join(dir).display().to_string());
            }
        }
        for (name, value) in run.get("env").and_then(Value::as_map).into_iter().flatten() {
            world.env.insert(name.to_string(), value.as_str().unwrap().to_owned());
        }
        let places = [&world, upstreams].map(|world| world.root.display().to_string());
        Run { world, places, commits, steps: items(run, "steps"), expected: BTreeMap::new(), rounds: 0 }
    }

    fn go(mut self) -> Vec<String> {
        let mut failures = Vec::new();
        for step in self.steps {
            if step.get("do").is_some() {
                self.prepare(&repos::texts(step, "do"));
            } else {
                failures.extend(self.step(step));
            }
        }
        failures
    }

    /// What happens to the world between commands.
    fn prepare(&mut self, words: &[String]) {
        match words[0].as_str() {
            "@env" => {
                let value = words[2].replace("@WORK@", &self.world.root.display().to_string());
                if words[1].ends_with("_DIR") {
                    std::fs::create_dir_all(&value).unwrap();
                }
                self.world.env.insert(words[1].clone(), value);
            }
            "@advance" => {
                self.rounds += 1;
                repos::advance(&self.world, self.rounds);
            }
            "@dirty" => {
                for (path, _) in tree(&self.world.root).repos {
                    let readme = self.world.root.join(path).join("README");
                    if readme.exists() {
                        std::fs::write(readme, "dirty\n").unwrap();
                    }
                }
            }
            "@artifacts" => {
                let dir = if self.world.env.contains_key("KAS_BUILD_DIR") { "bd" } else { "project/build" };
                for file in ["tmp/a/b", "tmp-glibc/c", "sstate-cache/d", "downloads/e"] {
                    self.world.write(&format!("{dir}/{file}"), "x");
                }
            }
            other => panic!("unknown step {other}"),
        }
    }

    fn step(&mut self, step: &Value) -> Vec<String> {
        let words: Vec<String> =
            repos::texts(step, "run").iter().map(|word| self.commits.apply(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (code, stdout, stderr) = self.world.run(&words);
        let mut failures = Vec::new();
        let line = words.join(" ");
        let mut check = |what: &str, got: String, wanted: String| {
            if got != wanted && !(what == "output" && same_data(&got, &wanted)) {
                failures.push(format!("[{line}] {what}: got\n{got}\nwanted\n{wanted}\n{stderr}"));
            }
        };
        check("exit code", code.to_string(), format!("{}", number(step.get("code"))));
        let hide = |text: &str| {
            self.places.iter().fold(text.to_owned(), |text, place| text.replace(place, "@WORK@"))
        };
        check("output", hide(&stdout), self.commits.apply(text(step, "out")));
        for key in ["repos", "files", "paths"] {
            if let Some(value) = step.get(key) {
                self.expected.insert(key, value.clone());
            }
        }
        let now = tree(&self.world.root);
        let expected = |key: &str| self.expected.get(key).cloned().unwrap_or_default();
        let lines = |pairs: BTreeMap<String, String>| -> String {
            pairs.into_iter().map(|(path, text)| format!("{path}: {}\n", hide(&text))).collect()
        };
        let wanted = |key: &str| -> BTreeMap<String, String> {
            let value = expected(key);
            let pairs = value.as_map().cloned().unwrap_or_default().into_iter();
            pairs
                .map(|(path, text)| (path.to_string(), self.commits.apply(text.as_str().unwrap_or_default())))
                .collect()
        };
        check("repositories", lines(now.repos), lines(wanted("repos")));
        check("files", lines(sorted_multiconfig(now.files)), lines(sorted_multiconfig(wanted("files"))));
        let wanted: BTreeSet<String> = match expected("paths") {
            Value::Seq(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => BTreeSet::new(),
        };
        let list = |paths: BTreeSet<String>| paths.into_iter().collect::<Vec<_>>().join("\n");
        check("paths", list(now.paths), list(wanted));
        failures
    }
}

fn number(value: Option<&Value>) -> i128 {
    match value {
        Some(Value::Int(number)) => *number,
        _ => panic!("no exit code"),
    }
}

/// The same data in another order.
fn same_data(a: &str, b: &str) -> bool {
    matches!((parse(a.as_bytes()), parse(b.as_bytes())), (Ok(a), Ok(b)) if a.value == b.value)
}

/// kas joins a set, so its BBMULTICONFIG has no order.
fn sorted_multiconfig(files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let line =
        |line: &str| match line.strip_prefix("BBMULTICONFIG ?= \"").and_then(|rest| rest.strip_suffix('"')) {
            Some(names) => {
                let mut names: Vec<&str> = names.split(' ').collect();
                names.sort_unstable();
                format!("BBMULTICONFIG ?= \"{}\"", names.join(" "))
            }
            None => line.to_owned(),
        };
    files.into_iter().map(|(path, text)| (path, text.lines().map(|l| line(l) + "\n").collect())).collect()
}

/// What a command left behind.
#[derive(Default)]
struct Tree {
    repos: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    paths: BTreeSet<String>,
}

fn tree(root: &Path) -> Tree {
    let mut out = Tree::default();
    walk(root, root, &mut out);
    out
}

fn walk(root: &Path, dir: &Path, out: &mut Tree) {
    for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let relative = path.strip_prefix(root).unwrap().display().to_string();
        if dir == root && matches!(name.as_str(), "up" | "home" | "gitconfig") {
            continue;
        }
        if path.is_dir() {
            if name == ".git" {
                continue;
            }
            if path.join(".git").exists() || (path.join("HEAD").exists() && path.join("objects").is_dir()) {
                out.repos.insert(relative, repos::describe(&path));
                continue;
            }
            out.paths.insert(format!("{relative}/"));
            walk(root, &path, out);
        } else if name.ends_with(".conf")
            || name.contains(".lock.")
            || name == ".config.yaml"
            || name == "bitbake.called"
        {
            out.files.insert(relative, std::fs::read_to_string(&path).unwrap());
        } else if name != ".kas_shell_history" && name != "bitbake.env" {
            out.paths.insert(relative);
        }
    }
}
