//! The log on stderr, in kas' form: `DATE TIME - LEVEL    - text`.

use bitzel_project::{FORMAT_URL, Note, ProjectError};
use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For finding out what happens.
    Debug,
    /// What happens.
    Info,
    /// What may be wrong.
    Warning,
    /// What is wrong.
    Error,
    /// Nothing is that bad; a level to be quiet.
    Critical,
}

impl Level {
    /// The level of that name in lower case.
    pub fn named(name: &str) -> Option<Level> {
        Some(match name {
            "debug" => Level::Debug,
            "info" => Level::Info,
            "warning" => Level::Warning,
            "error" => Level::Error,
            "critical" => Level::Critical,
            _ => return None,
        })
    }

    fn label(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
            Level::Critical => "CRITICAL",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Level::Debug | Level::Info => "",
            Level::Warning => "\x1b[1;33m",
            Level::Error | Level::Critical => "\x1b[1;31m",
        }
    }
}

/// Writes messages to stderr; shared by the threads that fetch.
#[derive(Debug)]
pub struct Logger {
    level: Level,
    terminal: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Notes about the project told before; it is read more than once.
    told: BTreeSet<String>,
    /// A progress line stands on the terminal.
    progress: bool,
}

impl Logger {
    /// A log of everything from `level` on.
    pub fn new(level: Level) -> Logger {
        Logger { level, terminal: std::io::stderr().is_terminal(), state: Mutex::default() }
    }

    /// Whether messages of `level` are shown.
    pub fn shows(&self, level: Level) -> bool {
        level >= self.level
    }

    /// Writes one message.
    pub fn log(&self, level: Level, text: &str) {
        if !self.shows(level) {
            return;
        }
        let time = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        let line = format!("{time} - {:8} - {text}", level.label());
        let mut state = self.lock();
        let clear = if std::mem::take(&mut state.progress) { "\r\x1b[K" } else { "" };
        // nothing can be done about a stderr that is gone
        let _ = if self.terminal && !level.colour().is_empty() {
            writeln!(std::io::stderr(), "{clear}{}{line}\x1b[0m", level.colour())
        } else {
            writeln!(std::io::stderr(), "{clear}{line}")
        };
    }

    /// Shows what goes on in the last line of a terminal; an empty text
    /// removes it.
    pub fn progress(&self, text: &str) {
        if self.terminal && self.shows(Level::Info) {
            let mut state = self.lock();
            state.progress = !text.is_empty();
            let text: String = text.chars().take(100).collect();
            let mut stderr = std::io::stderr();
            let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
        }
    }

    /// Whether [`Logger::progress`] shows anything.
    pub fn shows_progress(&self) -> bool {
        self.terminal && self.shows(Level::Info)
    }

    /// Tells notes about the project, each once.
    pub fn notes(&self, notes: Vec<Note>) {
        for note in notes {
            let (level, text) = match note {
                Note::Info(text) => (Level::Info, text),
                Note::Warning(text) => (Level::Warning, text),
            };
            if self.lock().told.insert(text.clone()) {
                self.log(level, &text);
            }
        }
    }

    /// Tells what is wrong with a project file, each problem by itself.
    pub fn problems(&self, error: &ProjectError) {
        let ProjectError::Invalid { file, problems, .. } = error else { return };
        for problem in problems {
            self.error(&format!("Config file validation Error:\n{}: {problem}", file.display()));
            self.error(&format!("For a list of supported configuration elements, see {FORMAT_URL}"));
        }
    }

    /// Writes a debug message.
    pub fn debug(&self, text: &str) {
        self.log(Level::Debug, text);
    }

    /// Writes an info message.
    pub fn info(&self, text: &str) {
        self.log(Level::Info, text);
    }

    /// Writes a warning.
    pub fn warning(&self, text: &str) {
        self.log(Level::Warning, text);
    }

    /// Writes an error.
    pub fn error(&self, text: &str) {
        self.log(Level::Error, text);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
