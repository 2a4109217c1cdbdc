//! Lock files: which repositories they pin and how they are brought up to
//! date.

use crate::file::{ConfigFile, Role};
use crate::value::{Map, Value};
use crate::yaml::Locations;
use std::path::PathBuf;

/// The format version that lock files need.
pub const LOCK_VERSION: i128 = 14;

/// A repository whose wanted commit is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floating {
    /// Key in the project.
    pub id: String,
    /// Display name.
    pub name: String,
    /// The commit its branch or tag stands for now.
    pub revision: String,
    /// The object of its annotated tag, which may stand in a lock as well.
    pub annotated_tag: Option<String>,
    /// A lock file of another repository pins it to something else.
    pub locked_elsewhere: bool,
}

/// What happened to one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockEvent {
    /// The lock says what it should.
    UpToDate {
        /// Display name.
        name: String,
        /// The commit in the lock.
        commit: String,
    },
    /// The lock says something new.
    Updated {
        /// Key in the project.
        id: String,
        /// Display name.
        name: String,
        /// The commit that was in the lock.
        old: String,
        /// The commit that is in it now.
        new: String,
    },
    /// The lock is out of date but belongs to another repository.
    Elsewhere {
        /// Display name.
        name: String,
    },
    /// The repository is in the lock for the first time.
    Added {
        /// Display name.
        name: String,
        /// Its commit.
        commit: String,
    },
    /// The lock file had an old format version.
    OldVersion(i128),
}

/// A lock file that does not exist yet.
pub fn new_lock(path: PathBuf) -> ConfigFile {
    let header: Map = [("version".into(), Value::Int(LOCK_VERSION))].into_iter().collect();
    let config: Map = [("header".into(), Value::from(header))].into_iter().collect();
    ConfigFile { path, config, lines: Locations::default(), role: Role { lock: true, ..Role::default() } }
}

/// Brings the locks of one file up to date and takes what it pins out of
/// `floating`; with `add`, everything left goes into it. Answers what was done
/// and whether the file has to be written.
pub fn update_lock(file: &mut ConfigFile, floating: &mut Vec<Floating>, add: bool) -> (Vec<LockEvent>, bool) {
    let mut events = Vec::new();
    let mut changed = false;
    let version = file.version();
    let header = file.config.get_mut("header").filter(|_| version < LOCK_VERSION);
    if let Some(header) = header.and_then(Value::as_map_mut) {
        header.insert("version".into(), Value::Int(LOCK_VERSION));
        events.push(LockEvent::OldVersion(version));
    }
    let external = file.role.external;
    let pins = pins(&mut file.config);
    for (id, pin) in pins.iter_mut() {
        let Some(at) = floating.iter().position(|repo| *id == *repo.id.as_str()) else { continue };
        let repo = &mut floating[at];
        let old = pin.get("commit").and_then(Value::as_str).unwrap_or_default().to_owned();
        if old == repo.revision || Some(&old) == repo.annotated_tag.as_ref() {
            events.push(LockEvent::UpToDate { name: repo.name.clone(), commit: old });
        } else if external {
            repo.locked_elsewhere = true;
            events.push(LockEvent::Elsewhere { name: repo.name.clone() });
            continue;
        } else {
            let (id, name, new) = (id.to_string(), repo.name.clone(), repo.revision.clone());
            set_commit(pin, &new);
            changed = true;
            events.push(LockEvent::Updated { id, name, old, new });
        }
        floating.remove(at);
    }
    if add {
        for repo in floating.drain(..) {
            let pin = pins.entry(repo.id.as_str().into()).or_insert_with(|| Value::from(Map::new()));
            *pin = Value::from(Map::new());
            set_commit(pin, &repo.revision);
            changed = true;
            events.push(LockEvent::Added { name: repo.name, commit: repo.revision });
        }
    }
    (events, changed)
}

fn set_commit(pin: &mut Value, commit: &str) {
    if let Some(pin) = pin.as_map_mut() {
        pin.insert("commit".into(), commit.into());
    }
}

/// `overrides.repos`, made where it is missing.
fn pins(config: &mut Map) -> &mut Map {
    let mut map = config;
    for key in ["overrides", "repos"] {
        let value = map.entry(key.into()).or_insert_with(|| Value::from(Map::new()));
        if !matches!(value, Value::Map(_)) {
            *value = Value::from(Map::new());
        }
        map = value.as_map_mut().expect("made a mapping above");
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{EmitOptions, emit, parse};

    fn floating(id: &str, revision: &str) -> Floating {
        let annotated_tag = (id == "t").then(|| "tagobject".to_owned());
        Floating {
            id: id.into(),
            name: id.into(),
            revision: revision.into(),
            annotated_tag,
            locked_elsewhere: false,
        }
    }

    fn lock(text: &str, external: bool) -> ConfigFile {
        let mut file = new_lock("k.lock.yml".into());
        file.config = parse(text.as_bytes()).unwrap().value.as_map().unwrap().clone();
        file.role.external = external;
        file
    }

    const TEXT: &str =
        "header: {version: 14}\noverrides: {repos: {a: {commit: old}, t: {commit: tagobject}}}\n";

    #[test]
    fn own_locks_are_updated_and_nothing_is_added_unless_asked() {
        let mut file = lock(TEXT, false);
        let mut repos = vec![floating("a", "new"), floating("t", "x"), floating("z", "zz")];
        let (events, changed) = update_lock(&mut file, &mut repos, false);
        assert!(changed);
        assert_eq!(events.len(), 2);
        assert_eq!(repos, [floating("z", "zz")]);
        let (_, changed) = update_lock(&mut file, &mut repos, true);
        assert!(changed && repos.is_empty());
        let text = emit(&Value::from(file.config), &EmitOptions::default());
        assert_eq!(
            text,
            "header:\n  version: 14\noverrides:\n  repos:\n    a:\n      commit: new\n    t:\n      commit: tagobject\n    z:\n      commit: zz\n"
        );
    }

    #[test]
    fn locks_of_other_repositories_are_left_alone() {
        let mut file = lock(TEXT, true);
        let mut repos = vec![floating("a", "new")];
        let (events, changed) = update_lock(&mut file, &mut repos, false);
        assert!(!changed && repos[0].locked_elsewhere);
        assert_eq!(events, [LockEvent::Elsewhere { name: "a".into() }]);
    }
}
