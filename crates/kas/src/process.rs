//! Programs run for a command: with the environment of the context alone,
//! their output kept or passed on line by line.

use crate::cancel::Cancel;
use crate::error::KasError;
use crate::log::Logger;
use bitzel_project::Environment;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Where programs are looked for when the environment has no PATH.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// What a program answered.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Exit code; a signal is its negative number.
    pub code: i32,
    /// Standard output, invalid UTF-8 replaced.
    pub stdout: String,
    /// Standard error, invalid UTF-8 replaced.
    pub stderr: String,
}

impl Output {
    /// Whether the program succeeded.
    pub fn ok(&self) -> bool {
        self.code == 0
    }
}

/// Runs programs with one environment.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    /// The whole environment of the programs.
    pub environ: &'a Environment,
    /// Where commands are logged.
    pub log: &'a Logger,
    /// Ends the programs on signals.
    pub cancel: &'a Cancel,
}

impl Runner<'_> {
    fn command(&self, argv: &[String], dir: &Path) -> Result<Command, KasError> {
        self.log.debug(&format!("{}$ {}", dir.display(), argv.join(" ")));
        self.cancel.check()?;
        let start = |source| KasError::Start { program: argv[0].clone(), dir: dir.to_owned(), source };
        let path = self.environ.get("PATH").map_or(DEFAULT_PATH, String::as_str);
        let program = find_program(path, &argv[0])
            .ok_or_else(|| start(std::io::Error::from(std::io::ErrorKind::NotFound)))?;
        let mut command = Command::new(program);
        command.args(&argv[1..]).current_dir(dir).env_clear().envs(self.environ);
        Ok(command)
    }

    /// Runs a program to its end and answers with what it wrote. A failure of
    /// the program is an answer.
    pub fn capture(&self, argv: &[String], dir: &Path) -> Result<Output, KasError> {
        self.feed(argv, dir, None, &|_| {})
    }

    /// As [`Runner::capture`]; a failure is logged and an error.
    pub fn require(&self, argv: &[String], dir: &Path) -> Result<Output, KasError> {
        self.required(argv, dir, self.capture(argv, dir)?)
    }

    /// As [`Runner::require`]; every line of stderr, also one ended by a
    /// carriage return, is shown to `watch`.
    pub fn watch(
        &self,
        argv: &[String],
        dir: &Path,
        watch: &(dyn Fn(&str) + Sync),
    ) -> Result<Output, KasError> {
        self.required(argv, dir, self.feed(argv, dir, None, watch)?)
    }

    fn required(&self, argv: &[String], dir: &Path, output: Output) -> Result<Output, KasError> {
        if output.ok() {
            return Ok(output);
        }
        self.cancel.check()?;
        if !output.stderr.is_empty() {
            let text =
                format!("Command \"{}$ {}\" failed:\n{}", dir.display(), argv.join(" "), output.stderr);
            self.log.error(text.trim_end_matches('\n'));
        }
        Err(failed(argv, output.code))
    }

    /// Runs a program with `input` on its standard input.
    pub fn feed(
        &self,
        argv: &[String],
        dir: &Path,
        input: Option<&str>,
        watch: &(dyn Fn(&str) + Sync),
    ) -> Result<Output, KasError> {
        let mut command = self.command(argv, dir)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let start = |source| KasError::Start { program: argv[0].clone(), dir: dir.to_owned(), source };
        let mut child = command.spawn().map_err(start)?;
        let group = child.id();
        self.cancel.started(group);
        let result = collect(&mut child, input, watch);
        self.cancel.ended(group);
        let output = result.map_err(start)?;
        self.cancel.check()?;
        Ok(output)
    }

    /// Runs a program that has the terminal; answers with its exit code.
    pub fn foreground(&self, argv: &[String], dir: &Path) -> Result<i32, KasError> {
        let mut command = self.command(argv, dir)?;
        let status = self.cancel.in_foreground(|| command.status());
        let start = |source| KasError::Start { program: argv[0].clone(), dir: dir.to_owned(), source };
        Ok(code(status.map_err(start)?))
    }

    /// Runs a program whose output goes into the log line by line: standard
    /// output as info, standard error as errors.
    pub fn logged(&self, argv: &[String], dir: &Path) -> Result<(), KasError> {
        let mut command = self.command(argv, dir)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let start = |source| KasError::Start { program: argv[0].clone(), dir: dir.to_owned(), source };
        let mut child = command.spawn().map_err(start)?;
        let group = child.id();
        self.cancel.started(group);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        std::thread::scope(|scope| {
            scope.spawn(|| each_line(err, |line| self.log.error(line)));
            each_line(out, |line| self.log.info(line));
        });
        let status = child.wait();
        self.cancel.ended(group);
        self.cancel.check()?;
        match code(status.map_err(start)?) {
            0 => Ok(()),
            code => Err(failed(argv, code)),
        }
    }
}

fn each_line(stream: Option<impl Read>, mut tell: impl FnMut(&str)) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        tell(String::from_utf8_lossy(&line).trim());
        line.clear();
    }
}

fn collect(child: &mut Child, input: Option<&str>, watch: &(dyn Fn(&str) + Sync)) -> std::io::Result<Output> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let Some(mut stderr) = stderr else { return };
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut chunk) {
                err.extend_from_slice(&chunk[..read]);
                for line in String::from_utf8_lossy(&chunk[..read]).split(['\r', '\n']) {
                    watch(line);
                }
            }
        });
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // a program that does not read its input says so by its exit code
            let _ = stdin.write_all(input.as_bytes());
        }
        if let Some(mut stdout) = stdout {
            let _ = stdout.read_to_end(&mut out);
        }
    });
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Output { code: code(child.wait()?), stdout: text(out), stderr: text(err) })
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().unwrap_or(1))
}

/// The error of a program that failed.
pub(crate) fn failed(argv: &[String], code: i32) -> KasError {
    KasError::Command { command: shown(argv), code, forward: false }
}

/// A command for messages: words with spaces are quoted.
pub(crate) fn shown(argv: &[String]) -> String {
    let quoted = |word: &String| if word.contains(' ') { format!("'{word}'") } else { word.clone() };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The file of the program `name` in the folders of `path`.
pub fn find_program(path: &str, name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    path.split(':').map(|dir| Path::new(dir).join(name)).find(|file| file.is_file())
}

/// Words as owned texts.
pub(crate) fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
