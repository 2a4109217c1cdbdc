//! What differs between two signatures: the text of `bitbake-diffsigs`.

use crate::siginfo::dump::{python_list, shown_taint};
use crate::siginfo::record::{SigRuntime, SigValue, Siginfo};
use crate::siginfo::textdiff::{line_diff, list_diff, word_diff};
use bitzel_base::python_repr;
use std::collections::{BTreeMap, BTreeSet};

/// Whether to mark differences for a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// With escape sequences.
    Always,
    /// Plain text.
    Never,
}

impl Color {
    fn wrap(self, start: &str, text: &str) -> String {
        match self {
            Color::Always => format!("{start}{text}\x1b[0m"),
            Color::Never => text.to_owned(),
        }
    }

    fn title(self, text: &str) -> String {
        self.wrap("\x1b[1m", text)
    }

    pub(super) fn added(self, text: &str) -> String {
        self.wrap("\x1b[0;32m", text)
    }

    pub(super) fn removed(self, text: &str) -> String {
        self.wrap("\x1b[0;31m", text)
    }
}

/// Looks further where the hash of a dependency differs: gets its name and its
/// two hashes, answers with lines, none if it knows nothing.
pub type Recurse<'a> = dyn FnMut(&str, &str, &str) -> Vec<String> + 'a;

/// The lines `bitbake-diffsigs` prints for two signatures. With `recurse` only
/// the differences it finds are shown for a changed dependency, as those are
/// the cause of the others.
pub fn compare(a: &Siginfo, b: &Siginfo, color: Color, recurse: Option<&mut Recurse<'_>>) -> Vec<String> {
    let mut c = Comparison { a, b, color, lines: Vec::new() };
    c.sets("basehash_ignore_vars", &a.basehash_ignore_vars, &b.basehash_ignore_vars);
    c.ignored_tasks();
    c.task_dependencies();
    c.base_hash();
    c.variables();
    if let (Some(ra), Some(rb)) = (&a.runtime, &b.runtime) {
        c.files(ra, rb);
        c.dependencies(ra, rb);
        c.dependency_hashes(ra, rb, recurse);
        c.taints(ra, rb);
    }
    c.lines
}

struct Comparison<'a> {
    a: &'a Siginfo,
    b: &'a Siginfo,
    color: Color,
    lines: Vec<String>,
}

impl Comparison<'_> {
    /// A line that begins with a title; coloured lines end with a reset.
    fn say(&mut self, title: &str, rest: &str) {
        let end = if self.color == Color::Always && !title.is_empty() { "\x1b[0m" } else { "" };
        let line = format!("{}{rest}{end}", self.color.title(title));
        self.lines.push(line);
    }

    /// `NAME changed from 'A' to 'B'`, with the quotes in the title's colour.
    fn changed(&mut self, title: &str, from: &str, to: &str) {
        let text = match self.color {
            Color::Never => format!("{title} changed from '{from}' to '{to}'"),
            Color::Always => {
                format!("\x1b[1m{title} changed from '\x1b[0m{from}\x1b[1m' to '\x1b[0m{to}\x1b[1m'\x1b[0m")
            }
        };
        self.lines.push(text);
    }

    fn sets(&mut self, title: &str, a: &BTreeSet<String>, b: &BTreeSet<String>) {
        if a == b {
            return;
        }
        self.changed(title, &frozenset(a.iter()), &frozenset(b.iter()));
        if !a.is_empty() && !b.is_empty() {
            self.lines.push(format!("changed items: {}", frozenset(a.symmetric_difference(b))));
        }
    }

    fn ignored_tasks(&mut self) {
        let (a, b) = (&self.a.taskhash_ignore_tasks, &self.b.taskhash_ignore_tasks);
        if a != b {
            let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "None".to_owned());
            self.changed("taskhash_ignore_tasks", &shown(a), &shown(b));
        }
    }

    fn task_dependencies(&mut self) {
        let (a, b) = (&self.a.taskdeps, &self.b.taskdeps);
        if a != b {
            let rest = format!(" from:\n{}\nto:\n{}", python_list(a), python_list(b));
            self.say("Task dependencies changed", &rest);
        }
    }

    fn base_hash(&mut self) {
        let (a, b) = (&self.a.basehash, &self.b.basehash);
        if a != b {
            let shown = |hash: &Option<String>| hash.clone().unwrap_or_else(|| "None".to_owned());
            self.say("basehash changed", &format!(" from {} to {}", shown(a), shown(b)));
        }
    }

    fn variables(&mut self) {
        let (a, b) = (self.a, self.b);
        for (name, deps) in &a.gendeps {
            if let Some(other) = b.gendeps.get(name) {
                self.sets(&format!("List of dependencies for variable {name}"), deps, other);
            }
        }
        let new = b.gendeps.keys().filter(|name| !a.gendeps.contains_key(*name));
        let added: Vec<String> = new.map(|name| format!("Dependency on variable {name} was added")).collect();
        added.iter().for_each(|line| self.lines.push(self.color.title(line)));
        let old = a.gendeps.keys().filter(|name| !b.gendeps.contains_key(*name));
        let removed: Vec<String> =
            old.map(|name| format!("Dependency on Variable {name} was removed")).collect();
        removed.iter().for_each(|line| self.lines.push(self.color.title(line)));
        for (name, value) in &a.varvals {
            if let Some(other) = b.varvals.get(name)
                && value != other
            {
                self.value(name, value, other);
            }
        }
    }

    fn value(&mut self, name: &str, a: &SigValue, b: &SigValue) {
        let shown = |value: &SigValue| value.to_python().unwrap_or_else(|| "None".to_owned());
        let (old, new) = (shown(a), shown(b));
        let title = format!("Variable {name} value changed:");
        if old.contains('\n') || new.contains('\n') {
            let diff = line_diff(&old, &new, self.color);
            self.say(&title, &format!("\n{diff}"));
        } else if old.contains(' ') || new.contains(' ') {
            let diff = word_diff(&old, &new, self.color);
            self.say(&title, &format!("\n{diff}"));
        } else {
            self.changed(&format!("Variable {name} value"), &old, &new);
        }
    }

    /// Files with the same name are told apart by their checksums only.
    fn files(&mut self, a: &SigRuntime, b: &SigRuntime) {
        let names = |list: &[(String, Option<String>)], other: &[(String, Option<String>)]| {
            let mut left: Vec<(String, Option<String>)> = list.to_vec();
            for entry in other {
                if let Some(at) = left.iter().position(|e| e == entry) {
                    left.remove(at);
                }
            }
            left
        };
        let mut gone = names(&a.file_checksum_values, &b.file_checksum_values);
        let new = names(&b.file_checksum_values, &a.file_checksum_values);
        let mut added = Vec::new();
        for (name, md5) in new {
            match gone.iter().position(|(old, _)| *old == name) {
                Some(at) => {
                    let (_, old) = gone.remove(at);
                    let shown = |md5: Option<String>| md5.unwrap_or_else(|| "None".to_owned());
                    self.say(
                        &format!("Checksum for file {name} changed"),
                        &format!(" from {} to {}", shown(old), shown(md5)),
                    );
                }
                None => added.push(name),
            }
        }
        for name in added {
            self.say(&format!("Dependency on checksum of file {name} was added"), "");
        }
        for (name, _) in gone {
            self.say(&format!("Dependency on checksum of file {name} was removed"), "");
        }
    }

    fn dependencies(&mut self, a: &SigRuntime, b: &SigRuntime) {
        let hashes = |r: &SigRuntime| -> Vec<String> {
            r.runtaskdeps.iter().map(|dep| r.runtaskhashes.get(dep).cloned().unwrap_or_default()).collect()
        };
        let (ha, hb) = (hashes(a), hashes(b));
        if ha == hb {
            return;
        }
        let mut lines = Vec::new();
        if a.runtaskdeps.len() == b.runtaskdeps.len() {
            for n in 0..ha.len() {
                if ha[n] != hb[n] {
                    lines.push(format!(
                        "{} with hash {}\n changed to\n{} with hash {}",
                        a.runtaskdeps[n], ha[n], b.runtaskdeps[n], hb[n]
                    ));
                }
            }
        }
        if a.runtaskdeps == b.runtaskdeps {
            self.say("runtaskdeps changed:", "");
        } else {
            let list = list_diff(&a.runtaskdeps, &b.runtaskdeps, self.color);
            self.say("runtaskdeps changed:", &format!("\n{list}"));
        }
        if a.runtaskdeps.len() == b.runtaskdeps.len() {
            self.lines.push(lines.join("\n"));
        } else {
            self.lines.push("Number of task dependencies changed".to_owned());
        }
    }

    fn dependency_hashes(&mut self, a: &SigRuntime, b: &SigRuntime, recurse: Option<&mut Recurse<'_>>) {
        let (ha, hb) = (&a.runtaskhashes, &b.runtaskhashes);
        // A dependency that only changed its name gives no line.
        let only = |x: &BTreeMap<String, String>, y: &BTreeMap<String, String>| -> Vec<(String, String)> {
            let others: BTreeSet<&String> =
                y.iter().filter(|(name, _)| !x.contains_key(*name)).map(|(_, h)| h).collect();
            let lone = x.iter().filter(|(name, hash)| !y.contains_key(*name) && !others.contains(hash));
            lone.map(|(name, hash)| (name.clone(), hash.clone())).collect()
        };
        for (name, hash) in only(hb, ha) {
            self.say(&format!("Dependency on task {name} was added"), &format!(" with hash {hash}"));
        }
        for (name, hash) in only(ha, hb) {
            self.say(&format!("Dependency on task {name} was removed"), &format!(" with hash {hash}"));
        }
        let mut recurse = recurse;
        let changed: Vec<(&String, &String, &String)> = ha
            .iter()
            .filter_map(|(name, old)| Some((name, old, hb.get(name).filter(|new| *new != old)?)))
            .collect();
        for (name, old, new) in changed {
            let title = format!("Hash for task dependency {name} changed");
            let found = recurse.as_mut().map(|look| look(name, old, new)).unwrap_or_default();
            if !found.is_empty() {
                self.lines.clear();
            }
            self.say(&title, &format!(" from {old} to {new}"));
            self.lines.extend(found);
        }
    }

    fn taints(&mut self, a: &SigRuntime, b: &SigRuntime) {
        if a.taint != b.taint {
            let shown =
                |taint: &Option<String>| taint.as_deref().map_or_else(|| "None".to_owned(), shown_taint);
            let rest = format!(" from {} to {}", shown(&a.taint), shown(&b.taint));
            self.say("Taint (by forced/invalidated task) changed", &rest);
        }
    }
}

fn frozenset<'a>(items: impl Iterator<Item = &'a String>) -> String {
    let items: Vec<String> = items.map(|item| python_repr(item)).collect();
    if items.is_empty() { "frozenset()".to_owned() } else { format!("frozenset({{{}}})", items.join(", ")) }
}
