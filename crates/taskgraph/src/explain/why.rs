//! Why a task has another hash than before: back along changed dependencies to
//! the variables and files that changed first.

use crate::siginfo::{SigRuntime, SigValue, Siginfo};
use bitzel_base::SourceLoc;
use std::collections::BTreeSet;
use std::fmt;

/// Finds signatures by name and hash, and where variables were set.
pub trait SigFinder {
    /// The signature of `PN:TASK` with a hash, if it is still to be had.
    fn signature(&mut self, task: &str, hash: &str) -> Option<Siginfo>;

    /// The file and line that set a variable or function of a task's recipe.
    fn place(&mut self, task: &str, variable: &str) -> Option<SourceLoc>;
}

/// A difference of one task's own inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A variable or function has another value, appeared or went.
    Variable {
        /// Its name.
        name: String,
        /// Before; `None` if it was not there.
        old: Option<String>,
        /// Now; `None` if it is not there.
        new: Option<String>,
        /// Where it is set now.
        place: Option<SourceLoc>,
    },
    /// A file's content changed.
    FileChanged(String),
    /// A file is read that was not.
    FileAdded(String),
    /// A file is no longer read.
    FileRemoved(String),
    /// A dependency is new.
    DependencyAdded(String),
    /// A dependency is gone.
    DependencyRemoved(String),
    /// The task was forced, or is never up to date.
    Taint,
    /// A dependency changed, and no record of it says why.
    NoRecord {
        /// The dependency.
        task: String,
    },
}

/// A task whose own inputs changed, and how the task asked about depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// From the task asked about to this one; each depends on the next.
    pub chain: Vec<String>,
    /// What changed.
    pub changes: Vec<Change>,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// Shortest chains first.
    pub causes: Vec<Cause>,
}

/// Compares two signatures of `task` and, where dependencies differ, theirs.
/// Each task is looked at once, along the shortest chain.
pub fn why(task: &str, old: &Siginfo, new: &Siginfo, finder: &mut dyn SigFinder) -> Why {
    let mut seen = BTreeSet::from([task.to_owned()]);
    let mut level = vec![(vec![task.to_owned()], old.clone(), new.clone())];
    let mut answer = Why::default();
    while !level.is_empty() {
        let mut next = Vec::new();
        for (chain, old, new) in level {
            let name = &chain[chain.len() - 1];
            let mut changes = own_changes(name, &old, &new, finder);
            for (dep, from, to) in changed_dependencies(&old, &new) {
                if !seen.insert(dep.clone()) {
                    continue;
                }
                match (finder.signature(&dep, &from), finder.signature(&dep, &to)) {
                    (Some(from), Some(to)) => {
                        let mut longer = chain.clone();
                        longer.push(dep);
                        next.push((longer, from, to));
                    }
                    _ => changes.push(Change::NoRecord { task: dep }),
                }
            }
            if !changes.is_empty() {
                answer.causes.push(Cause { chain, changes });
            }
        }
        level = next;
    }
    answer
}

fn own_changes(task: &str, old: &Siginfo, new: &Siginfo, finder: &mut dyn SigFinder) -> Vec<Change> {
    let mut changes = Vec::new();
    let value = |info: &Siginfo, name: &str| {
        let used = name == info.task || info.taskdeps.contains(name);
        used.then(|| info.varvals.get(name).and_then(SigValue::to_python).unwrap_or_default())
    };
    let mut names: BTreeSet<&String> = old.taskdeps.union(&new.taskdeps).collect();
    names.insert(&old.task);
    for name in names {
        let (before, now) = (value(old, name), value(new, name));
        if before != now {
            let place = finder.place(task, name);
            changes.push(Change::Variable { name: name.clone(), old: before, new: now, place });
        }
    }
    if let (Some(a), Some(b)) = (&old.runtime, &new.runtime) {
        file_changes(a, b, &mut changes);
        let gone = a.runtaskhashes.keys().filter(|dep| !b.runtaskhashes.contains_key(*dep));
        changes.extend(gone.map(|dep| Change::DependencyRemoved(dep.clone())));
        let added = b.runtaskhashes.keys().filter(|dep| !a.runtaskhashes.contains_key(*dep));
        changes.extend(added.map(|dep| Change::DependencyAdded(dep.clone())));
        if a.taint != b.taint {
            changes.push(Change::Taint);
        }
    }
    changes
}

fn file_changes(a: &SigRuntime, b: &SigRuntime, changes: &mut Vec<Change>) {
    let names =
        |r: &SigRuntime| r.file_checksum_values.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
    let sums = |r: &SigRuntime, name: &String| {
        let mut sums: Vec<_> =
            r.file_checksum_values.iter().filter(|(n, _)| n == name).map(|(_, sum)| sum.clone()).collect();
        sums.sort();
        sums
    };
    let (before, now) = (names(a), names(b));
    for name in before.union(&now) {
        match (before.contains(name), now.contains(name)) {
            (true, false) => changes.push(Change::FileRemoved(name.clone())),
            (false, true) => changes.push(Change::FileAdded(name.clone())),
            _ if sums(a, name) != sums(b, name) => changes.push(Change::FileChanged(name.clone())),
            _ => {}
        }
    }
}

fn changed_dependencies(old: &Siginfo, new: &Siginfo) -> Vec<(String, String, String)> {
    let (Some(a), Some(b)) = (&old.runtime, &new.runtime) else { return Vec::new() };
    let both = a.runtaskhashes.iter().filter_map(|(dep, from)| Some((dep, from, b.runtaskhashes.get(dep)?)));
    both.filter(|(_, from, to)| from != to)
        .map(|(dep, from, to)| (dep.clone(), from.clone(), to.clone()))
        .collect()
}

/// Longer values are cut in messages.
const SHOWN: usize = 60;

fn shown(value: &str) -> String {
    let line = value.trim().lines().next().unwrap_or("");
    let cut = line.chars().count() > SHOWN || value.trim().lines().count() > 1;
    let text: String = line.chars().take(SHOWN).collect();
    if cut { format!("`{text}…`") } else { format!("`{text}`") }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Variable { name, old, new, place } => {
                match (old, new) {
                    (Some(_), Some(new)) if new.trim().contains('\n') => {
                        write!(f, "the text of `{name}` changed")?
                    }
                    (Some(old), Some(new)) => {
                        write!(f, "`{name}` changed from {} to {}", shown(old), shown(new))?
                    }
                    (None, Some(new)) => write!(f, "`{name}` is used now, with the value {}", shown(new))?,
                    (_, None) => write!(f, "`{name}` is no longer used")?,
                }
                place.as_ref().map_or(Ok(()), |place| write!(f, ", set at {place}"))
            }
            Change::FileChanged(name) => write!(f, "the file `{name}` changed"),
            Change::FileAdded(name) => write!(f, "the file `{name}` is read now"),
            Change::FileRemoved(name) => write!(f, "the file `{name}` is no longer read"),
            Change::DependencyAdded(task) => write!(f, "it depends on `{task}` now"),
            Change::DependencyRemoved(task) => write!(f, "it no longer depends on `{task}`"),
            Change::Taint => write!(f, "it was forced to run, or is never up to date ([nostamp])"),
            Change::NoRecord { task } => {
                write!(
                    f,
                    "`{task}` changed, but no signature file says why; run `-S none` before and after a change"
                )
            }
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.causes.is_empty() {
            return write!(f, "nothing the hash is made of changed");
        }
        for (n, cause) in self.causes.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:", cause.chain.join(" -> "))?;
            for change in &cause.changes {
                write!(f, "\n  {change}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Kept(BTreeMap<(String, String), Siginfo>);

    impl SigFinder for Kept {
        fn signature(&mut self, task: &str, hash: &str) -> Option<Siginfo> {
            self.0.get(&(task.to_owned(), hash.to_owned())).cloned()
        }
        fn place(&mut self, _task: &str, variable: &str) -> Option<SourceLoc> {
            (variable == "V").then(|| SourceLoc::new("/l/x.bb", 7))
        }
    }

    fn sig(value: &str, deps: &[(&str, &str)]) -> Siginfo {
        Siginfo {
            task: "do_t".into(),
            taskdeps: ["V".to_owned()].into(),
            varvals: [("V".to_owned(), SigValue::text(value)), ("do_t".to_owned(), SigValue::text("body"))]
                .into(),
            runtime: Some(SigRuntime {
                runtaskdeps: deps.iter().map(|(dep, _)| (*dep).to_owned()).collect(),
                runtaskhashes: deps
                    .iter()
                    .map(|(dep, hash)| ((*dep).to_owned(), (*hash).to_owned()))
                    .collect(),
                ..SigRuntime::default()
            }),
            ..Siginfo::default()
        }
    }

    #[test]
    fn the_chain_ends_where_something_changed() {
        let mut kept = Kept(BTreeMap::new());
        let mut keep =
            |task: &str, hash: &str, info: Siginfo| kept.0.insert((task.into(), hash.into()), info);
        keep("b:do_t", "b1", sig("same", &[("c:do_t", "c1"), ("gone:do_t", "g1")]));
        keep("b:do_t", "b2", sig("same", &[("c:do_t", "c2"), ("gone:do_t", "g2")]));
        keep("c:do_t", "c1", sig("one", &[]));
        keep("c:do_t", "c2", sig("two", &[]));
        let (old, new) = (sig("same", &[("b:do_t", "b1")]), sig("same", &[("b:do_t", "b2")]));
        let answer = why("a:do_t", &old, &new, &mut kept);
        assert_eq!(
            answer.to_string(),
            "a:do_t -> b:do_t:\n  `gone:do_t` changed, but no signature file says why; run `-S none` before and after a change\n\
             a:do_t -> b:do_t -> c:do_t:\n  `V` changed from `one` to `two`, set at /l/x.bb:7"
        );
        assert_eq!(why("a:do_t", &old, &old, &mut kept).to_string(), "nothing the hash is made of changed");
    }

    #[test]
    fn files_dependencies_and_taints_are_named() {
        let mut old = sig("x", &[("p:do_t", "1")]);
        let mut new = sig("x", &[("q:do_t", "1")]);
        let files = |list: &[(&str, &str)]| {
            list.iter().map(|(n, m)| ((*n).to_owned(), Some((*m).to_owned()))).collect()
        };
        if let (Some(a), Some(b)) = (&mut old.runtime, &mut new.runtime) {
            a.file_checksum_values = files(&[("a", "1"), ("b", "1")]);
            b.file_checksum_values = files(&[("a", "2"), ("c", "1")]);
            b.taint = Some("nostamp:1".into());
        }
        let text = why("t", &old, &new, &mut Kept(BTreeMap::new())).to_string();
        for line in [
            "`a` changed",
            "`b` is no longer read",
            "`c` is read now",
            "depends on `q:do_t` now",
            "no longer depends on `p:do_t`",
            "forced",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
