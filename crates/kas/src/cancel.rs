//! Interruption: SIGINT and SIGTERM end the running programs, the command
//! cleans up and answers with exit code 130.

use crate::error::KasError;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Knows the programs that run and whether they were cancelled.
#[derive(Debug, Default)]
pub struct Cancel {
    cancelled: AtomicBool,
    /// Process group ids of background programs.
    running: Mutex<BTreeSet<i32>>,
    /// An interactive program has the terminal: signals are its business.
    foreground: AtomicBool,
}

impl Cancel {
    /// Starts to listen for signals, for the rest of the process' life.
    pub fn listen() -> std::io::Result<Arc<Cancel>> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let cancel = Arc::new(Cancel::default());
        let shared = Arc::clone(&cancel);
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for _ in signals.forever() {
                if shared.foreground.load(Ordering::SeqCst) {
                    continue;
                }
                if shared.cancelled.swap(true, Ordering::SeqCst) {
                    std::process::exit(130); // asked twice: do not wait for anything
                }
                shared.end_running();
            }
        })?;
        Ok(cancel)
    }

    fn groups(&self) -> std::sync::MutexGuard<'_, BTreeSet<i32>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_running(&self) {
        for group in self.groups().iter() {
            if let Some(group) = Pid::from_raw(*group) {
                // a group that is gone already needs no signal
                let _ = kill_process_group(group, Signal::TERM);
            }
        }
    }

    /// Fails once a signal came.
    pub fn check(&self) -> Result<(), KasError> {
        if self.cancelled.load(Ordering::SeqCst) { Err(KasError::Cancelled) } else { Ok(()) }
    }

    /// Notes a program that has its own process group.
    pub(crate) fn started(&self, group: u32) {
        self.groups().insert(group as i32);
        if self.cancelled.load(Ordering::SeqCst) {
            self.end_running();
        }
    }

    /// Forgets a program.
    pub(crate) fn ended(&self, group: u32) {
        self.groups().remove(&(group as i32));
    }

    /// Runs `body` while signals are left to an interactive program.
    pub(crate) fn in_foreground<T>(&self, body: impl FnOnce() -> T) -> T {
        self.foreground.store(true, Ordering::SeqCst);
        let result = body();
        self.foreground.store(false, Ordering::SeqCst);
        result
    }
}
