//! A build directory with one tiny layer, and the built program run in it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A build directory with one layer.
pub struct Layer {
    /// Holds `build` and `layer`.
    pub dir: tempfile::TempDir,
}

impl Layer {
    /// A layer with these recipes, `NAME.bb` and text.
    pub fn new(recipes: &[(&str, &str)]) -> Layer {
        let layer = Layer { dir: tempfile::tempdir().unwrap() };
        layer
            .write("build/conf/bblayers.conf", "BBPATH = \"${TOPDIR}\"\nBBLAYERS = \"${TOPDIR}/../layer\"\n");
        layer.write(
            "layer/conf/layer.conf",
            concat!(
                "BBPATH .= \":${LAYERDIR}\"\nBBFILES += \"${LAYERDIR}/*.bb ${LAYERDIR}/*.bbappend\"\n",
                "BBFILE_COLLECTIONS += \"tiny\"\nBBFILE_PATTERN_tiny = \"^${LAYERDIR}/\"\nBBFILE_PRIORITY_tiny = \"5\"\n",
                "LAYERSERIES_CORENAMES = \"wrynose\"\nLAYERSERIES_COMPAT_tiny = \"wrynose\"\n",
            ),
        );
        layer.write(
            "layer/conf/bitbake.conf",
            concat!(
                "PN = \"${@bb.parse.vars_from_file(d.getVar('FILE', False), d)[0] or 'none'}\"\n",
                "PV = \"1.0\"\nPR = \"r0\"\nPROVIDES = \"${PN}\"\nOVERRIDES = \"pn-${PN}\"\n",
                "TMPDIR = \"${TOPDIR}/tmp\"\nCACHE = \"${TMPDIR}/cache\"\nSTAMP = \"${TMPDIR}/stamps/${PN}\"\n",
                "T = \"${TMPDIR}/work\"\nGREETING ?= \"hello\"\n",
            ),
        );
        layer.write("layer/classes/base.bbclass", "do_build() {\n:\n}\naddtask build\n");
        for (name, text) in recipes {
            layer.write(&format!("layer/{name}"), text);
        }
        layer
    }

    /// Writes a file below the folder that holds `build` and `layer`.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs `bitzel` in the build directory.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The command that [`Layer::run`] runs.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bitzel"));
        command.args(arguments).current_dir(self.dir.path().join("build"));
        command.env("XDG_CACHE_HOME", cache()).env_remove("BBPATH");
        command
    }
}

/// Hosts' files, unpacked once for all tests.
fn cache() -> std::path::PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// What a successful run printed.
pub fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}
