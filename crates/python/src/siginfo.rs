//! Signature files: the part that a recipe's text makes comes from its evaluation, the
//! part that other tasks make from whoever ordered them.

use crate::failure::OrRaise;
use crate::prepared::{Prepared, prepared};
use crate::session::Session;
use bitzel_data::{DataStore, Signatures, Value};
use bitzel_recipe::protocol::{SignatureOrder, TaskSignatureParts};
use bitzel_taskgraph::{SigRuntime, compress_siginfo, is_siginfo_of, siginfo_json};
use pyo3::exceptions::{PyKeyError, PyOSError, PyValueError};
use pyo3::prelude::*;
use serde_json::{Value as Json, json};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;
use std::time::SystemTime;

/// What the signatures of a recipe's tasks stand on.
pub(crate) struct TaskTexts {
    signatures: Signatures,
    /// BB_BASEHASH_IGNORE_VARS, as JSON.
    ignored: Vec<u8>,
    /// BB_TASKHASH_IGNORE_TASKS, as JSON.
    ignored_tasks: Vec<u8>,
    pieces: OnceCell<Vec<Piece>>,
}

/// JSON of a name, of the names it depends on and of what is hashed for it. Tasks share
/// most of them.
struct Piece {
    name: Vec<u8>,
    dependencies: Vec<u8>,
    value: Vec<u8>,
}

impl TaskTexts {
    /// What is ignored is the configuration's to say, as when the hashes were computed.
    pub(crate) fn new(py: Python<'_>, config: &DataStore, signatures: Signatures) -> PyResult<TaskTexts> {
        let words = config.get_or_empty("BB_BASEHASH_IGNORE_VARS").or_raise(py)?;
        let words: BTreeSet<&str> = words.split_whitespace().collect();
        let tasks = config.get_or_empty("BB_TASKHASH_IGNORE_TASKS").or_raise(py)?;
        Ok(TaskTexts {
            signatures,
            ignored: siginfo_json(&json!({ "_set_object": words })),
            ignored_tasks: siginfo_json(&Some(&*tasks).filter(|text| !text.is_empty())),
            pieces: OnceCell::new(),
        })
    }

    /// Computes what the files of all tasks are put together from.
    pub(crate) fn make_ready(&self) {
        self.pieces();
    }

    fn pieces(&self) -> &[Piece] {
        self.pieces.get_or_init(|| {
            let piece = |(name, dependencies, value): (&str, Vec<&str>, Option<&Value>)| Piece {
                name: siginfo_json(&name),
                dependencies: siginfo_json(&json!({ "_set_object": dependencies })),
                value: siginfo_json(&value_of(value)),
            };
            self.signatures.nodes().map(piece).collect()
        })
    }

    /// The text of a task's file, keys sorted.
    fn json(&self, task: &str, runtime: Option<&SigRuntime>) -> Option<Vec<u8>> {
        let (_, basehash) = self.signatures.base_hashes().find(|(name, _)| *name == task)?;
        let (own, reached) = self.signatures.reached(task)?;
        let pieces = || self.pieces().iter().enumerate();
        let dependencies = || pieces().filter(|(place, _)| reached[*place]).map(|(_, piece)| piece);
        let mut text = Object::new();
        text.field("basehash", &siginfo_json(&basehash));
        text.field("basehash_ignore_vars", &self.ignored);
        if let Some(runtime) = runtime {
            text.field("file_checksum_values", &siginfo_json(&runtime.file_checksum_values));
        }
        text.all("gendeps", dependencies().map(|piece| (&piece.name, &piece.dependencies)));
        if let Some(runtime) = runtime {
            text.field("runtaskdeps", &siginfo_json(&runtime.runtaskdeps));
            text.field("runtaskhashes", &siginfo_json(&runtime.runtaskhashes));
            if let Some(taint) = &runtime.taint {
                text.field("taint", &siginfo_json(taint));
            }
        }
        text.field("task", &siginfo_json(&task));
        let names: Vec<&[u8]> = dependencies().map(|piece| &*piece.name).collect();
        text.field("taskdeps", &[b"{\"_set_object\":[", &*names.join(&b','), b"]}"].concat());
        if let Some(runtime) = runtime {
            text.field("taskhash", &siginfo_json(&runtime.taskhash));
        }
        text.field("taskhash_ignore_tasks", &self.ignored_tasks);
        if let Some(runtime) = runtime {
            text.field("unihash", &siginfo_json(&runtime.unihash));
        }
        let values = pieces().filter(|(place, _)| reached[*place] || *place == own);
        text.all("varvals", values.map(|(_, piece)| (&piece.name, &piece.value)));
        Some(text.end())
    }

    /// Writes the file of a task; without `runtime` that of its text alone.
    fn write(&self, task: &str, runtime: &str, path: &Path, shared: bool) -> PyResult<()> {
        let runtime: Option<SigRuntime> = match runtime {
            "" => None,
            text => Some(
                serde_json::from_str(text)
                    .map_err(|error| PyValueError::new_err(format!("signature of `{task}`: {error}")))?,
            ),
        };
        let json = self.json(task, runtime.as_ref());
        let json = json.ok_or_else(|| PyKeyError::new_err(format!("there is no task `{task}`")))?;
        put(path, shared, &json)
            .map_err(|error| PyOSError::new_err(format!("cannot write {}: {error}", path.display())))
    }

    fn base_hashes(&self) -> BTreeMap<String, String> {
        let owned = |(task, hash): (&str, &str)| (task.to_owned(), hash.to_owned());
        self.signatures.base_hashes().map(owned).collect()
    }
}

/// The text of a JSON object while it is written.
struct Object(Vec<u8>);

impl Object {
    fn new() -> Object {
        Object(vec![b'{'])
    }

    fn key(&mut self, json: &[u8]) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.0.extend_from_slice(json);
        self.0.push(b':');
    }

    fn field(&mut self, name: &str, json: &[u8]) {
        self.key(&siginfo_json(&name));
        self.0.extend_from_slice(json);
    }

    /// A field that is an object itself.
    fn all<'p>(&mut self, name: &str, fields: impl Iterator<Item = (&'p Vec<u8>, &'p Vec<u8>)>) {
        self.key(&siginfo_json(&name));
        self.0.push(b'{');
        for (key, json) in fields {
            self.key(key);
            self.0.extend_from_slice(json);
        }
        self.0.push(b'}');
    }

    fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

fn value_of(value: Option<&Value>) -> Json {
    match value {
        None | Some(Value::None) => Json::Null,
        Some(Value::Str(text)) => text.to_string().into(),
        Some(Value::Int(number)) => (*number).into(),
        Some(Value::Bool(truth)) => (*truth).into(),
        Some(other) => format!("{other:?}").into(),
    }
}

/// Sees to it that the file holds this text.
fn put(path: &Path, shared: bool, json: &[u8]) -> io::Result<()> {
    // Only its time is new: that costs less than to compress, and a file that takes the place of
    // another is written to the disk at once by some file systems.
    let now = |file: File| file.set_modified(SystemTime::now());
    if fs::read(path).is_ok_and(|content| is_siginfo_of(&content, json))
        && File::open(path).and_then(now).is_ok()
    {
        return Ok(());
    }
    replace(path, shared, &compress_siginfo(json))
}

/// Writes a file that others see whole or not at all. By the C library alone: under pseudo
/// every change has to pass it.
///
/// While it is written it has a name made of its own, so that what a killed process leaves is
/// replaced when its task runs again; in a `shared` folder, where other builds may be writing
/// the same file, one that nobody has.
#[allow(unsafe_code)]
fn replace(path: &Path, shared: bool, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // BitBake: the group may write to the folders too, whatever the umask.
    // SAFETY: the call takes and gives a number; the process has one thread.
    let umask = unsafe { libc::umask(0o002) };
    let made = fs::create_dir_all(folder);
    // SAFETY: as above.
    unsafe { libc::umask(umask) };
    made?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut temporary = folder.join(format!("sigtask.{name}"));
    let mut number = 0;
    let mut file = loop {
        match OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(!shared)
            .create_new(shared)
            .open(&temporary)
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                number += 1;
                temporary = folder.join(format!("sigtask.{name}.{number}"));
            }
            opened => break opened?,
        }
    };
    let mut write = || -> io::Result<()> {
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(0o664))?;
        fs::rename(&temporary, path)
    };
    write().inspect_err(|_| {
        // Nothing more can be done about a file that is left behind.
        drop(fs::remove_file(&temporary));
    })
}

/// Writes the signature files of tasks of one recipe.
pub(crate) fn write_signatures(py: Python<'_>, order: &SignatureOrder) -> PyResult<()> {
    let recipe = prepared(py, &order.address)?;
    for TaskSignatureParts { task, runtime, path } in &order.tasks {
        recipe.texts().write(task, runtime, Path::new(path), false)?;
    }
    Ok(())
}

/// `write_siginfo(task, runtime, path, shared)`: writes the signature file of a task of the recipe
/// that this process runs a task of. `runtime` is JSON, empty for a file of the text alone; in a
/// `shared` folder other builds may write the same file at this moment.
#[pyfunction]
#[pyo3(name = "write_siginfo")]
pub fn write_current(py: Python<'_>, task: &str, runtime: &str, path: &str, shared: bool) -> PyResult<()> {
    current(py)?.texts().write(task, runtime, Path::new(path), shared)
}

/// `base_hashes() -> dict[str, str]`: the base hashes of the tasks of the same recipe.
#[pyfunction]
pub fn base_hashes(py: Python<'_>) -> PyResult<BTreeMap<String, String>> {
    Ok(current(py)?.texts().base_hashes())
}

fn current(py: Python<'_>) -> PyResult<Rc<Prepared>> {
    let session = Session::of(py)?;
    let recipe = session.borrow().prepared.borrow().front().cloned();
    recipe.ok_or_else(|| PyKeyError::new_err("this process runs no task"))
}
