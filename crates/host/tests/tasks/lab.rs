//! A tiny layer, a build directory and a host with one runner.

use bitzel_host::{Channel, Host, HostOptions, Payload};
use bitzel_recipe::RecipeFile;
use bitzel_recipe::protocol::{
    Configure, HostEvent, RecipeAddress, Reply, Request, TaskEnd, TaskOrder, TaskSignatureParts,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

const BITBAKE_CONF: &str = r#"
TMPDIR = "${TOPDIR}/tmp"
CACHE = "${TOPDIR}/cache"
PERSISTENT_DIR = "${TOPDIR}/cache"
PN = "${@bb.parse.vars_from_file(d.getVar('FILE', False), d)[0] or 'none'}"
PV = "1.0"
PF = "${PN}-${PV}"
WORKDIR = "${TMPDIR}/work/${PN}"
T = "${WORKDIR}/temp"
B = "${WORKDIR}/b"
STAMP = "${TMPDIR}/stamps/${PN}"
DL_DIR = "${TOPDIR}/downloads"
BB_SIGNATURE_HANDLER = "basichash"
BB_BASEHASH_IGNORE_VARS = "TMPDIR TOPDIR WORKDIR FILE BBPATH PATH HOME LAYERDIR LOGFIFO BB_WORKERCONTEXT"
LOGFIFO = "${T}/fifo.${@os.getpid()}"
FAKEROOTNOENV = "NOT_FAKED=1"
export EXPORTED = "yes ${PN}"
NOT_EXPORTED = "no"
# Tasks of these tests write to TOPDIR to tell what they saw.
BITZEL_SANDBOX ?= "off"
"#;

const BASE_CLASS: &str = r#"
say() {
    if [ -p ${LOGFIFO} ]; then printf '%b\0' "$*" > ${LOGFIFO}; else echo "$*"; fi
}
addhandler note_events
note_events[eventmask] = "bb.event.BuildStarted bb.build.TaskStarted bb.build.TaskSucceeded bb.build.TaskFailed"
python note_events() {
    if d.getVar("EVENTS_OFF"):
        return
    bb.utils.mkdirhier(d.getVar("TMPDIR"))
    with open(d.getVar("TMPDIR") + "/events", "a") as file:
        file.write("%s %s %s\n" % (type(e).__name__, d.getVar("PN"), d.getVar("WHO")))
}
"#;

pub struct Lab {
    folder: tempfile::TempDir,
    pub host: Host,
    pub runner: Channel,
}

impl Lab {
    pub fn new(recipe: &str) -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let layer = folder.path().join("layer");
        let build = folder.path().join("build");
        for path in [layer.join("conf"), layer.join("classes"), layer.join("recipes"), build.join("conf")] {
            fs::create_dir_all(path).unwrap();
        }
        fs::write(layer.join("conf/bitbake.conf"), BITBAKE_CONF).unwrap();
        fs::write(layer.join("classes/base.bbclass"), BASE_CLASS).unwrap();
        fs::write(layer.join("recipes/a.bb"), recipe).unwrap();
        let conf = "BBPATH .= \":${LAYERDIR}\"\nBBFILES += \"${LAYERDIR}/recipes/*.bb\"\n\
            BBFILE_COLLECTIONS += \"t\"\nBBFILE_PATTERN_t = \"^${LAYERDIR}/\"\n\
            LAYERSERIES_CORENAMES = \"any\"\nLAYERSERIES_COMPAT_t = \"any\"\n";
        fs::write(layer.join("conf/layer.conf"), conf).unwrap();
        let conf = format!("BBPATH = \"${{TOPDIR}}\"\nBBFILES ?= \"\"\nBBLAYERS = \"{}\"\n", layer.display());
        fs::write(build.join("conf/bblayers.conf"), conf).unwrap();
        let user = rustix::process::getuid().as_raw();
        let payload = Payload::unpack(&folder.path().join("cache"), user).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let env = BTreeMap::from([
            ("PATH".to_owned(), path.to_string_lossy().into_owned()),
            ("HOME".to_owned(), "/home/somebody".to_owned()),
            ("SECRET".to_owned(), "not for tasks".to_owned()),
        ]);
        let options = HostOptions {
            path,
            directory: build,
            env: env.clone(),
            channels: 1,
            level: "2.18",
            launcher: Vec::new(),
        };
        let mut host = Host::start(&payload, &options).unwrap();
        host.configure(Configure { env, ..Configure::default() }).unwrap();
        let arguments = ["{\"BUILDNAME\": \"today\"}", "20", ""].map(str::to_owned).to_vec();
        host.ask(&Request::Call("begin_build".to_owned(), arguments)).unwrap();
        let runner = host.fork(1).unwrap().remove(0);
        Lab { folder, host, runner }
    }

    pub fn build(&self) -> PathBuf {
        self.folder.path().join("build")
    }

    pub fn address(&self) -> RecipeAddress {
        let path = self.folder.path().join("layer/recipes/a.bb");
        let recipe = RecipeFile { path: path.to_string_lossy().into_owned(), ..RecipeFile::default() };
        RecipeAddress { recipe, ..RecipeAddress::default() }
    }

    pub fn order(&self, task: &str) -> TaskOrder {
        TaskOrder {
            address: self.address(),
            task: task.to_owned(),
            task_hash: "1".repeat(64),
            unihash: "1".repeat(64),
            signature: TaskSignatureParts {
                task: task.to_owned(),
                runtime: r#"{"runtaskdeps":[],"taskhash":"1","unihash":"1"}"#.to_owned(),
                path: String::new(),
            },
            variables: BTreeMap::from([("BUILDNAME".to_owned(), "today".to_owned())]),
            ..TaskOrder::default()
        }
    }

    pub fn run(&mut self, task: &str) -> (TaskEnd, Vec<HostEvent>) {
        self.run_order(self.order(task))
    }

    pub fn run_order(&mut self, order: TaskOrder) -> (TaskEnd, Vec<HostEvent>) {
        let mut events = Vec::new();
        let request = Request::RunTask(Box::new(order));
        match self.runner.ask_and_watch(&request, &mut |event| events.push(event)).unwrap() {
            Reply::TaskEnded(end) => (end, events),
            other => panic!("{other:?}"),
        }
    }

    /// The content of a file of the build directory.
    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.build().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The names in a folder of the build directory, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.build().join(folder)).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }
}

/// Names of classes; for log records level and message.
pub fn told(events: &[HostEvent]) -> Vec<String> {
    let mut told = Vec::new();
    for event in events {
        let fields: serde_json::Value = serde_json::from_str(&event.fields).unwrap();
        if event.class == "logging.LogRecord" {
            told.push(format!("{} {}", fields["levelno"], fields["msg"].as_str().unwrap()));
        } else {
            told.push(event.class.clone());
        }
    }
    told
}
