//! One line on the terminal that tells how far the clones are.

use crate::log::Logger;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The progress of several repositories.
pub struct Progress<'a> {
    log: &'a Logger,
    total: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: usize,
    /// Repository to percent of its present phase.
    running: BTreeMap<String, String>,
}

impl<'a> Progress<'a> {
    /// For `total` repositories.
    pub fn new(log: &'a Logger, total: usize) -> Progress<'a> {
        Progress { log, total, state: Mutex::default() }
    }

    /// Whether git should report progress.
    pub fn wanted(&self) -> bool {
        self.log.shows_progress()
    }

    /// Takes a line of git: `Receiving objects:  45% (...)`.
    pub fn line(&self, name: &str, line: &str) {
        if let Some((before, _)) = line.split_once('%').filter(|_| self.wanted()) {
            let percent = before.rsplit(' ').next().unwrap_or_default();
            self.update(|state| {
                state.running.insert(name.to_owned(), format!("{percent}%"));
            });
        }
    }

    /// Counts a repository as done.
    pub fn done(&self, name: &str) {
        self.update(|state| {
            state.done += 1;
            state.running.remove(name);
        });
    }

    /// Removes the line.
    pub fn finish(&self) {
        if self.wanted() && self.total > 0 {
            self.log.progress("");
        }
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let text = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut state);
            let running: Vec<_> =
                state.running.iter().map(|(name, percent)| format!("{name} {percent}")).collect();
            format!("[{}/{}] {}", state.done, self.total, running.join(", "))
        };
        if self.wanted() {
            self.log.progress(&text);
        }
    }
}
