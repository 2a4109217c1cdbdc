//! `kas diff`: two projects compared, and the commits between them.

use crate::args::{is_set, skipped, text};
use crate::error::KasError;
use crate::process::argv;
use crate::repository::Repository;
use crate::session::Session;
use crate::steps::with_steps;
use bitzel_project::{Changes, Map, RepoSpec, Value, Vcs, changes, comparable, emit_json};
use clap::ArgMatches;
use indexmap::IndexMap;

/// One commit of a repository.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    id: String,
    author: String,
    email: String,
    date: String,
    message: String,
}

/// Runs the command.
pub fn run(mut session: Session, matches: &ArgMatches) -> Result<(), KasError> {
    let mut skip = skipped(matches);
    skip.extend(["setup_environ", "write_bbconfig"].map(str::to_owned));
    with_steps(&mut session, &skip, |_| Ok(()))?;
    let (old, old_repos) = (comparable(&session.config), session.repo_list());
    skip.extend(["setup_dir", "setup_home", "setup_ssh_agent"].map(str::to_owned));
    let mut session = session.restart(text(matches, "config2").unwrap_or_default());
    with_steps(&mut session, &skip, |_| Ok(()))?;
    let changes = changes(&old, &comparable(&session.config));
    let commits = changed_commits(&session, &changes, &old_repos)?;
    if text(matches, "format") == Some("json") {
        println!("{}", emit_json(&Value::from(as_data(&changes, &commits)), 4, false));
        return Ok(());
    }
    let style = if is_set(matches, "no-color") { Style::plain() } else { Style::coloured() };
    let (a, b) = (text(matches, "config1").unwrap_or_default(), text(matches, "config2").unwrap_or_default());
    println!("kas diff {a} {b}\n---  {a}\n+++  {b}");
    if !is_set(matches, "commit-only") {
        show_changes(&changes, &style);
    }
    if !is_set(matches, "content-only") {
        let commits: Vec<_> = commits.into_iter().collect();
        show_commits(&commits, is_set(matches, "oneline"), &style);
    }
    Ok(())
}

/// The commits that lead from one revision to the other, by repository.
fn changed_commits(
    session: &Session,
    changes: &Changes,
    old_repos: &[RepoSpec],
) -> Result<IndexMap<String, Vec<Commit>>, KasError> {
    let mut found = IndexMap::new();
    let revision = |value: &Value| value.as_str().unwrap_or("HEAD").to_owned();
    for (key, (old, new)) in changes {
        let parts: Vec<&str> = key.split('.').collect();
        let [top, name, _, ..] = parts[..] else { continue };
        if !(key.contains("commit") || key.contains("tag")) || top != "repos" {
            continue;
        }
        let (old, new) = (revision(old), revision(new));
        let new_repos = session.repo_list();
        let asked = old_repos
            .iter()
            .map(|repo| (repo, &new, &old))
            .chain(new_repos.iter().map(|repo| (repo, &old, &new)));
        for (repo, from, to) in asked.filter(|(repo, ..)| repo.name == name) {
            let repository = Repository::new(&session.ctx, repo);
            if !repo.is_managed() && repository.local_state()?.0.is_none() {
                continue;
            }
            if let Some(commits) = commits(repository, from, to)?.filter(|commits| !commits.is_empty()) {
                found.insert(name.to_owned(), commits);
            }
        }
    }
    Ok(found)
}

/// The commits in `to` that are not in `from`, newest first; `None` for hg.
pub fn commits(repo: Repository<'_>, from: &str, to: &str) -> Result<Option<Vec<Commit>>, KasError> {
    if repo.spec.vcs != Vcs::Git {
        return Ok(None);
    }
    let name = &repo.spec.name;
    if let Some(bad) = [from, to].iter().find(|revision| revision.starts_with('-')) {
        return Err(KasError::User(format!("repository `{name}`: `{bad}` is no commit")));
    }
    if repo.spec.path.join(".git/shallow").is_file() {
        repo.tell(&argv(&["git", "fetch", "-q", "--unshallow"]))?;
    }
    let format = "--format=%H%x01%an%x01%ae%x01%cd%x01%B";
    let range = format!("{from}..{to}");
    let words = ["git", "log", "-z", format, "--date=format:%Y-%m-%d %H:%M:%S", &range, "--"];
    let output = repo.ask(&argv(&words))?;
    if !output.ok() {
        let valid = |revision: &str| -> Result<bool, KasError> {
            Ok(repo.ask(&argv(&["git", "cat-file", "-e", revision]))?.ok())
        };
        let why = match (valid(from)?, valid(to)?) {
            (false, false) => format!("Commits ({from} and {to}) are not valid"),
            (false, true) => format!("First commit ({from}) is not valid"),
            (true, false) => format!("Second commit ({to}) is not valid"),
            (true, true) => output.stderr,
        };
        return Err(KasError::User(format!("Could not compute diff for repository \"{name}\": {why}")));
    }
    let commit = |text: &str| {
        let mut fields = text.splitn(5, '\u{1}').map(str::to_owned);
        let mut field = || fields.next().unwrap_or_default();
        Commit { id: field(), author: field(), email: field(), date: field(), message: field() }
    };
    Ok(Some(output.stdout.split_terminator('\0').map(commit).collect()))
}

fn as_data(changes: &Changes, commits: &IndexMap<String, Vec<Commit>>) -> Map {
    let change = |(key, (old, new)): (&String, &(Value, Value))| {
        (key.as_str().into(), Value::mapping([("old_value", old.clone()), ("new_value", new.clone())]))
    };
    let commit = |commit: &Commit| {
        Value::mapping([
            ("commit", commit.id.as_str().into()),
            ("author", commit.author.as_str().into()),
            ("email", commit.email.as_str().into()),
            ("commit_date", commit.date.as_str().into()),
            ("message", commit.message.as_str().into()),
        ])
    };
    let mut data = Map::new();
    data.insert("values_changed".into(), changes.iter().map(change).collect::<Map>().into());
    if !commits.is_empty() {
        let list = |list: &Vec<Commit>| Value::from(list.iter().map(commit).collect::<Vec<_>>());
        let repos = commits.iter().map(|(name, commits)| (name.as_str().into(), list(commits)));
        data.insert("vcs".into(), repos.collect::<Map>().into());
    }
    data
}

/// Colours of the text form.
pub struct Style {
    old: &'static str,
    new: &'static str,
    commit: &'static str,
    file: &'static str,
    end: &'static str,
}

impl Style {
    /// Without colours.
    pub fn plain() -> Style {
        Style { old: "", new: "", commit: "", file: "", end: "" }
    }

    /// With the colours of kas.
    pub fn coloured() -> Style {
        Style { old: "\x1b[31m", new: "\x1b[32m", commit: "\x1b[33m", file: "\x1b[34m", end: "\x1b[0m" }
    }
}

fn show_changes(changes: &Changes, style: &Style) {
    if changes.is_empty() {
        return;
    }
    println!("{}@@ config changed @@{}", style.file, style.end);
    for (key, (old, new)) in changes {
        if let (Value::Str(old), Value::Str(new)) = (old, new) {
            show_text_change(key, old, new, style);
            continue;
        }
        for (value, colour, sign) in [(old, style.old, '-'), (new, style.new, '+')] {
            if !value.is_falsy() {
                let shown = python_text(value).replace('\n', &format!("\n{sign}"));
                println!("{colour}{sign}    {key}: {shown}{}", style.end);
            }
        }
    }
}

fn show_text_change(key: &str, old: &str, new: &str, style: &Style) {
    let ended = |text: &str| if text.contains('\n') { text.to_owned() } else { format!("{text}\n") };
    let (old, new) = (ended(old), ended(new));
    println!("     {key}:");
    let diff = similar::TextDiff::from_lines(&old, &new);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        println!("{}         {}{}", style.file, hunk.header(), style.end);
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            match change.tag() {
                similar::ChangeTag::Delete => println!("{}-        {line}{}", style.old, style.end),
                similar::ChangeTag::Insert => println!("{}+        {line}{}", style.new, style.end),
                similar::ChangeTag::Equal => println!("         {line}"),
            }
        }
    }
}

/// A value as Python's `str` shows it.
fn python_text(value: &Value) -> String {
    let inner = |value: &Value| match value {
        Value::Str(text) => format!("'{text}'"),
        other => python_text(other),
    };
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(truth) => if *truth { "True" } else { "False" }.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Str(text) => text.clone(),
        Value::Opaque(what) => (*what).to_owned(),
        Value::Seq(items) => format!("[{}]", items.iter().map(inner).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(key, value)| format!("'{key}': {}", inner(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

/// Prints commits, in one line each or in full.
pub fn show_commits(repos: &[(String, Vec<Commit>)], oneline: bool, style: &Style) {
    for (i, (name, commits)) in repos.iter().enumerate() {
        println!("{}@@ {name} commits diff @@{}", style.file, style.end);
        for commit in commits {
            if oneline {
                let id = commit.id.get(..7).unwrap_or(&commit.id);
                println!(
                    "{}{id}{} {}",
                    style.commit,
                    style.end,
                    commit.message.lines().next().unwrap_or_default()
                );
            } else {
                println!("{}{}: {}{} {}", style.commit, commit.id, style.end, commit.author, commit.date);
                commit.message.split('\n').for_each(|line| println!("    {line}"));
            }
        }
        if i + 1 < repos.len() {
            println!("---");
        }
    }
}
