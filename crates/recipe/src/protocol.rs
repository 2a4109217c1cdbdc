//! What the command line and the Python host processes say to each other: frames of
//! a 32-bit little-endian length and a MessagePack value.

use crate::{RecipeFile, Record};
use bitzel_base::{ErrorKind, RecipeInfo};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// Asked of a host. The first request is always `Configure`.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Read the base configuration.
    Configure(Configure),
    /// Fork this many processes, each for the next channel that has none yet. They
    /// answer all other requests.
    Fork(usize),
    /// Evaluate a recipe file of a multiconfig.
    Evaluate(String, RecipeFile),
    /// All variables of a configuration.
    Variables(String),
    /// Call a function of `bitzel_host.commands` with text arguments; it answers with text.
    Call(String, Vec<String>),
    /// Write the export's shard of these recipe files.
    Export(ExportShard),
    /// Run a task. Events come before the answer.
    RunTask(Box<TaskOrder>),
    /// Write signature files of tasks of one recipe.
    WriteSignatures(SignatureOrder),
}

/// What to read the base configuration with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Configure {
    /// The caller's environment.
    pub env: BTreeMap<String, String>,
    /// `-r` files.
    pub pre_files: Vec<String>,
    /// `-R` files.
    pub post_files: Vec<String>,
    /// Record who set what.
    pub track_history: bool,
    /// The command line.
    pub command_line: Vec<String>,
}

/// A part of an export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportShard {
    /// Folder to write to.
    pub out: String,
    /// Number in file names; shard 0 writes the configuration too.
    pub number: usize,
    /// Multiconfig and recipe files.
    pub recipes: Vec<(String, RecipeFile)>,
    /// What stands for the BitBake checkout.
    pub bitbake: String,
    /// `$HOME` and `$USER`.
    pub home: String,
    /// `$USER`.
    pub user: String,
}

/// A host's answer.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To `Configure`.
    Configured(Vec<Configuration>),
    /// To `Evaluate`.
    Evaluated(Record),
    /// To `Variables`.
    Variables(BTreeMap<String, String>),
    /// To `Call`.
    Text(String),
    /// To `Export`: variants written.
    Count(usize),
    /// To `Fork` and `WriteSignatures`.
    Done,
    /// Before the answer to any request: something happened.
    Event(HostEvent),
    /// To `RunTask`: the task ended, well or not.
    TaskEnded(TaskEnd),
    /// It did not work.
    Failed(Failure),
}

/// An error that crossed the process boundary.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Who has to act.
    pub kind: ErrorKind,
    /// Name of the exception BitBake would raise.
    pub exception: String,
    /// What happened, where and what to do.
    pub message: String,
}

/// A base configuration as the command line needs to know it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Configuration {
    /// Multiconfig.
    pub mc: String,
    /// Its recipe files, in order.
    pub recipes: Vec<RecipeFile>,
    /// Files that BBMASK takes out.
    pub masked: Vec<String>,
    /// Files of a lower layer hidden by one of the same name.
    pub overlayed: BTreeMap<String, Vec<String>>,
    /// BBFILES in order of priority.
    pub patterns: Vec<String>,
    /// All files these name.
    pub found: Vec<String>,
    /// Paths the configuration depends on, existing or not.
    pub files: Vec<String>,
    /// TOPDIR.
    pub topdir: String,
    /// Layers in order of BBLAYERS: path, collection, priority.
    pub layers: Vec<LayerInfo>,
    /// All variables that have a value and are no functions, expanded.
    pub variables: BTreeMap<String, String>,
    /// The module that defines the class BB_SIGNATURE_HANDLER names; empty if none does.
    pub signature_module: String,
    /// Another one whenever a variable is, but for those that BB_HASHCONFIG_IGNORE_VARS names.
    pub digest: [u8; 32],
}

/// A layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerInfo {
    /// Folder.
    pub path: String,
    /// BBFILE_COLLECTIONS name.
    pub name: String,
    /// BBFILE_PATTERN.
    pub pattern: String,
    /// Priority.
    pub priority: i64,
}

/// An evaluated recipe file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// Variant names and records.
    pub variants: Vec<(String, RecipeInfo)>,
    /// Paths looked at, existing or not.
    pub files: Vec<String>,
}

/// Names a variant of a recipe file for a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeAddress {
    /// Multiconfig.
    pub mc: String,
    /// The file with its appends.
    pub recipe: RecipeFile,
    /// Variant, empty for the recipe itself.
    pub variant: String,
}

/// What a task's signature stands on beyond the recipe's own text, which the host knows:
/// the fields of a siginfo file's run-time part as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSignatureParts {
    /// Task name, with `do_`.
    pub task: String,
    /// The object of `file_checksum_values`, `runtaskdeps`, `runtaskhashes`, `taint`,
    /// `taskhash` and `unihash`; empty for a `sigbasedata` file.
    pub runtime: String,
    /// Where to write it.
    pub path: String,
}

/// Signature files to write for one recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureOrder {
    /// The recipe.
    pub address: RecipeAddress,
    /// One file each.
    pub tasks: Vec<TaskSignatureParts>,
}

/// A task to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOrder {
    /// The recipe.
    pub address: RecipeAddress,
    /// Task name: `do_compile`, or `do_populate_sysroot_setscene`.
    pub task: String,
    /// BB_TASKHASH.
    pub task_hash: String,
    /// BB_UNIHASH.
    pub unihash: String,
    /// BB_TASKDEPDATA as a JSON object: tid to the fields of `TaskData` by name.
    pub task_dep_data: String,
    /// For signature files written beside stamps and sstate objects; `path` is empty, the
    /// host knows where they belong.
    pub signature: TaskSignatureParts,
    /// Variables that are the same in all tasks of a build: BUILDNAME, DATE, TIME, ...
    pub variables: BTreeMap<String, String>,
    /// Do everything but run the functions.
    pub dry_run: bool,
    /// A failure is no error: the real task follows (setscene tasks).
    pub quiet_errors: bool,
}

/// How a task ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskEnd {
    /// Exit status of the task's process; a killed one has 128 + signal.
    pub status: i32,
    /// User and system time of the task and all it started, in microseconds.
    pub cpu_us: u64,
    /// The largest resident set of any of its processes, in KiB.
    pub max_rss_kib: u64,
}

/// Something that happened in a host, for the terminal and logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostEvent {
    /// Name of the event's class as Python knows it, `bb.build.TaskStarted`, or
    /// `logging.LogRecord`.
    pub class: String,
    /// Its public attributes as a JSON object, in text. A log record has `levelno`,
    /// `name`, `msg` (formatted) and what `extra` added.
    pub fields: String,
}

/// Reads a frame; None at the end of the stream.
pub fn read_frame<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut frame = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut frame)?;
    rmp_serde::from_slice(&frame).map(Some).map_err(io::Error::other)
}

/// Writes a frame.
pub fn write_frame(stream: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let frame = rmp_serde::to_vec_named(value).map_err(io::Error::other)?;
    let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_le_bytes())?;
    stream.write_all(&frame)?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_round_trip_and_end_cleanly() {
        let mut bytes = Vec::new();
        let evaluated = Evaluated { files: vec!["/a".into()], ..Evaluated::default() };
        let record = Record::pack(&evaluated).unwrap();
        write_frame(&mut bytes, &Reply::Evaluated(record.clone())).unwrap();
        let mut stream = &bytes[..];
        let Some(Reply::Evaluated(back)) = read_frame(&mut stream).unwrap() else { panic!("another reply") };
        assert_eq!(back, record);
        assert!(read_frame::<Reply>(&mut stream).unwrap().is_none());
    }

    #[test]
    fn a_truncated_frame_is_an_error() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &Reply::Done).unwrap();
        bytes.pop();
        assert!(read_frame::<Reply>(&mut &bytes[..]).is_err());
    }
}
