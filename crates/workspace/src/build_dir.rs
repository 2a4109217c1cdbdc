//! Where the build directory is, what of the caller's environment counts, and
//! starting a host for it.

use crate::{Error, Result};
use bitzel_base::CompatLevel;
use bitzel_host::{Host, HostOptions, Payload};
use bitzel_recipe::protocol::Configure;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Variables a host's Python may see; the rest reaches metadata only as BB_ORIGENV.
const SEEN: [&str; 10] =
    ["HOME", "LOGNAME", "PATH", "PWD", "SHELL", "USER", "LC_ALL", "TERM", "TMPDIR", "BBPATH"];

/// What a user may choose of the configuration.
#[derive(Clone, Debug, Default)]
pub struct ConfigChoice {
    /// Files read before bitbake.conf.
    pub read: Vec<String>,
    /// Files read after bitbake.conf.
    pub postread: Vec<String>,
    /// `2.8` or `2.18`; by the layers' LAYERSERIES_CORENAMES where not given.
    pub compat: Option<String>,
}

/// What a command works on.
pub struct BuildDir {
    /// The folder bitzel runs in.
    pub directory: PathBuf,
    /// What to read the configuration with.
    pub configure: Configure,
    /// The BitBake to behave as.
    pub level: CompatLevel,
}

impl BuildDir {
    /// Finds it from the working directory and the environment.
    pub fn find(choice: &ConfigChoice, track_history: bool) -> Result<BuildDir> {
        let directory = std::env::current_dir().map_err(Error::NoDirectory)?;
        let mut env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        env.insert("LC_ALL".to_owned(), "en_US.UTF-8".to_owned());
        let files = |given: &[String], variable: &str| {
            let mut files = given.to_vec();
            if let Some(more) = env.get(variable) {
                files.extend(more.split_whitespace().map(str::to_owned));
            }
            files
        };
        let configure = Configure {
            pre_files: files(&choice.read, "BBPRECONF"),
            post_files: files(&choice.postread, "BBPOSTCONF"),
            track_history,
            command_line: std::env::args().collect(),
            env: env.clone(),
        };
        let level = match choice.compat.as_deref() {
            Some("2.8") => CompatLevel::V2_8,
            Some(_) => CompatLevel::V2_18,
            // What the layer that names the release series says.
            None => CompatLevel::from_core_names(&series_names(&directory).unwrap_or_default()),
        };
        Ok(BuildDir { directory, configure, level })
    }

    /// `2.8` or `2.18`, as hosts and `--compat` name it.
    pub(crate) fn level_name(&self) -> &'static str {
        match self.level {
            CompatLevel::V2_8 => "2.8",
            CompatLevel::V2_18 => "2.18",
        }
    }

    /// Starts a host that can be asked on this many further channels.
    pub fn start_host(&self, channels: usize) -> Result<Host> {
        self.start_host_by(channels, &[], &[])
    }

    /// As [`BuildDir::start_host`], started by a command (FAKEROOTCMD) and with further
    /// variables in the environment (FAKEROOTBASEENV).
    pub fn start_host_by(
        &self,
        channels: usize,
        launcher: &[String],
        more: &[(String, String)],
    ) -> Result<Host> {
        let env: BTreeMap<String, String> = self
            .configure
            .env
            .iter()
            .filter(|(name, _)| SEEN.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .chain(more.iter().cloned())
            .collect();
        let options = HostOptions {
            path: std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()),
            directory: self.directory.clone(),
            env,
            channels,
            level: self.level_name(),
            launcher: launcher.to_vec(),
        };
        Ok(Host::start(&payload()?, &options)?)
    }
}

/// What hosts load, unpacked.
pub fn payload() -> Result<Payload> {
    Ok(Payload::unpack(&cache_folder(), rustix::process::getuid().as_raw())?)
}

/// The user's cache folder for bitzel.
pub fn cache_folder() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    base.or_else(home).unwrap_or_else(std::env::temp_dir).join("bitzel")
}

/// LAYERSERIES_CORENAMES of the layers in conf/bblayers.conf, by their text: nothing can be
/// evaluated before the level is known.
fn series_names(directory: &Path) -> Option<String> {
    let folder = directory.ancestors().find(|folder| folder.join("conf/bblayers.conf").is_file())?;
    let text = std::fs::read_to_string(folder.join("conf/bblayers.conf")).ok()?;
    let text = text.replace("${TOPDIR}", folder.to_str()?);
    let words = text.split(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    words.filter(|word| word.starts_with('/')).find_map(|layer| {
        let conf = std::fs::read_to_string(Path::new(layer).join("conf/layer.conf")).ok()?;
        let line = conf.lines().find(|line| line.starts_with("LAYERSERIES_CORENAMES"))?;
        Some(line.split('"').nth(1)?.to_owned())
    })
}
