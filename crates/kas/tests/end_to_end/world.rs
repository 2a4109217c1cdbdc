//! A folder for one test: a project, its upstreams, and the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The example program, which cargo builds before it runs tests; or the one
/// named by KAS_UNDER_TEST, so that kas itself can be asked the same.
pub fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("KAS_UNDER_TEST") {
        return program.into();
    }
    let exe = std::env::current_exe().unwrap();
    let path = exe.parent().unwrap().parent().unwrap().join("examples/kas");
    assert!(path.exists(), "build the program first: cargo build -p bitzel-kas --example kas");
    path
}

/// A folder for one test.
pub struct World {
    _dir: tempfile::TempDir,
    pub root: PathBuf,
    pub env: BTreeMap<String, String>,
}

impl World {
    pub fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for name in ["home", "project"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        let env = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("HOME", &root.join("home").display().to_string()),
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            ("SHELL", "/bin/sh"),
            ("TERM", "dumb"),
        ];
        let env = env.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        World { _dir: dir, root, env }
    }

    pub fn project(&self) -> PathBuf {
        self.root.join("project")
    }

    /// Writes a file, with `@WORK@` for the folder of the test.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text.replace("@WORK@", &self.root.display().to_string())).unwrap();
        path
    }

    /// As [`World::write`]; the file can be run.
    pub fn write_program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, text);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// Sets a variable of the caller, with `@WORK@` for the folder of the test.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.replace("@WORK@", &self.root.display().to_string()));
    }

    /// Lets git find `url` in `target`.
    pub fn redirect(&mut self, pairs: &[(String, PathBuf)]) {
        let mut text = String::from("[safe]\n\tdirectory = *\n[protocol \"file\"]\n\tallow = always\n");
        for (url, target) in pairs {
            text += &format!("[url \"file://{}\"]\n\tinsteadOf = {url}\n", target.display());
        }
        let file = self.write("gitconfig", &text);
        self.env.insert("GITCONFIG_FILE".to_owned(), file.display().to_string());
    }

    /// Lets kas find `url` in `target` by KAS_PREMIRRORS.
    pub fn premirrors(&mut self, pairs: &[(String, PathBuf)]) {
        let line = |(url, target): &(String, PathBuf)| format!("^{url}$ file://{}\n", target.display());
        let lines: String = pairs.iter().map(line).collect();
        self.env.insert("KAS_PREMIRRORS".to_owned(), lines);
    }

    /// Runs a kas command in the project.
    pub fn kas(&self, args: &[&str]) -> Output {
        Command::new(program())
            .args(args)
            .current_dir(self.project())
            .env_clear()
            .envs(&self.env)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// As [`World::kas`]: exit code, standard output, standard error.
    pub fn run(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.kas(args);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

/// Runs a tool without showing what it says; `false` where it is not installed.
pub fn tool(name: &str, args: &[&str]) -> bool {
    match Command::new(name).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) => {
            assert!(status.success(), "{name} {args:?}");
            true
        }
        Err(_) => false,
    }
}

/// Runs git with a fixed identity and no configuration; its trimmed output.
pub fn git(dir: &Path, args: &[&str]) -> String {
    try_git(dir, args).unwrap_or_else(|error| panic!("git {args:?} in {}: {error}", dir.display()))
}

pub fn try_git(dir: &Path, args: &[&str]) -> Result<String, String> {
    let date = "2024-01-02T03:04:05+0000";
    let output = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs([("GIT_AUTHOR_NAME", "up"), ("GIT_AUTHOR_EMAIL", "up@example.com"), ("GIT_AUTHOR_DATE", date)])
        .envs([
            ("GIT_COMMITTER_NAME", "up"),
            ("GIT_COMMITTER_EMAIL", "up@example.com"),
            ("GIT_COMMITTER_DATE", date),
        ])
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("TZ", "UTC")])
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
