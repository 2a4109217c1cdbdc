//! Upstream repositories with commits that are the same on every machine.

use crate::world::{World, git, try_git};
use bitzel_project::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub fn texts(value: &Value, key: &str) -> Vec<String> {
    items(value, key).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match value.get(key) {
        Some(Value::Seq(items)) => items,
        _ => &[],
    }
}

/// Placeholder commits of a recorded project and the real ones.
#[derive(Clone, Default)]
pub struct Commits(BTreeMap<String, String>);

impl Commits {
    pub fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

fn commit(dir: &Path, message: &str) {
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", message]);
}

/// Upstreams: their placeholder commits, and which url is which folder.
pub type Made = (Commits, Vec<(String, PathBuf)>);

/// Makes the upstreams of a recorded project below `up`.
pub fn make(world: &World, upstreams: &[Value]) -> Made {
    let (mut commits, mut redirects) = (Commits::default(), Vec::new());
    for upstream in upstreams {
        let name = format!("up/{}", text(upstream, "dir"));
        let dir = world.root.join(&name);
        std::fs::create_dir_all(&dir).unwrap();
        git(&dir, &["init", "-q", "-b", "master"]);
        for (file, content) in upstream.get("files").and_then(Value::as_map).unwrap() {
            world.write(&format!("{name}/{file}"), &commits.apply(content.as_str().unwrap()));
        }
        for file in texts(upstream, "executable") {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(dir.join(file), mode).unwrap();
        }
        commit(&dir, "initial");
        fill(&dir, upstream, &mut commits);
        redirects.extend(texts(upstream, "urls").into_iter().map(|url| (url, dir.clone())));
    }
    (commits, redirects)
}

fn fill(dir: &Path, upstream: &Value, commits: &mut Commits) {
    for placeholder in texts(upstream, "commits") {
        std::fs::write(dir.join("pinned"), format!("{placeholder}\n")).unwrap();
        commit(dir, &format!("pinned {placeholder}"));
        let real = git(dir, &["rev-parse", "HEAD"]);
        if placeholder.bytes().all(|b| b.is_ascii_hexdigit()) && placeholder.len() >= 6 {
            commits.0.insert(placeholder.clone(), real[..placeholder.len()].to_owned());
        }
    }
    for branch in texts(upstream, "branches") {
        git(dir, &["branch", "-f", &branch, "master"]);
        git(dir, &["checkout", "-q", &branch]);
        std::fs::write(dir.join("branch"), format!("{branch}\n")).unwrap();
        commit(dir, &format!("on {branch}"));
        git(dir, &["checkout", "-q", "master"]);
    }
    for tag in items(upstream, "tags") {
        let (name, target) = (text(tag, "name"), commits.apply(text(tag, "ref")));
        let message = format!("tag {name}");
        match tag.get("annotated") {
            Some(Value::Bool(true)) => git(dir, &["tag", "-f", "-a", "-m", &message, name, &target]),
            _ => git(dir, &["tag", "-f", name, &target]),
        };
    }
    std::fs::write(dir.join("tip"), "tip\n").unwrap();
    commit(dir, "tip of master");
    git(dir, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
}

/// One more commit on every branch of every upstream.
pub fn advance(world: &World, round: usize) {
    let Ok(dirs) = std::fs::read_dir(world.root.join("up")) else { return };
    for dir in dirs.map(|entry| entry.unwrap().path()) {
        for branch in
            git(&dir, &["for-each-ref", "--format=%(refname:short)", "refs/heads"]).split_whitespace()
        {
            git(&dir, &["checkout", "-q", branch]);
            std::fs::write(dir.join("advanced"), format!("{branch} {round}\n")).unwrap();
            commit(&dir, &format!("advance {branch} {round}"));
        }
        git(&dir, &["checkout", "-q", "master"]);
    }
}

/// A git repository in one line: tree, branch, origin, changes.
pub fn describe(dir: &Path) -> String {
    let ask = |args: &[&str]| {
        let mut words = vec!["-c", "safe.directory=*"];
        words.extend(args);
        try_git(dir, &words).ok()
    };
    let part = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or("-".to_owned());
    let tree: String = part(ask(&["rev-parse", "HEAD^{tree}"])).chars().take(12).collect();
    let mut words = vec![
        tree,
        format!("on {}", part(ask(&["symbolic-ref", "-q", "--short", "HEAD"]))),
        format!("from {}", part(ask(&["remote", "get-url", "origin"]))),
    ];
    let data = if dir.join(".git").is_dir() { dir.join(".git") } else { dir.to_owned() };
    if let Some(status) = ask(&["status", "--porcelain"]).filter(|status| data != dir && !status.is_empty()) {
        words.push(format!("status {}", status.replace('\n', ",")));
    }
    words.extend(data.join("shallow").exists().then(|| "shallow".to_owned()));
    words.extend(data.join("objects/info/alternates").exists().then(|| "borrows".to_owned()));
    words.join(" ")
}
