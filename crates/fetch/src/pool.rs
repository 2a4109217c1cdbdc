//! Many downloads at the same time, with their progress told to one listener.

use crate::download::download;
use crate::error::FetchError;
use crate::http::Client;
use crate::job::{Job, Options, Outcome};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Where a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Going on.
    Active,
    /// Downloaded, and right.
    Done,
    /// There: another process was faster.
    Present,
    /// Not to be had, or not what was expected.
    Failed,
}

/// How far a download is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Name of the file.
    pub name: String,
    /// Bytes had.
    pub done: u64,
    /// All bytes, if the server said so.
    pub total: Option<u64>,
    /// Bytes had per second since the download began.
    pub rate: u64,
    /// Downloads that ended are told once.
    pub stage: Stage,
}

struct Slot {
    /// When it began, and its stage; nothing before that and once its end was told.
    state: Mutex<Option<(Instant, Stage)>>,
    done: AtomicU64,
    /// 0: not known.
    total: AtomicU64,
}

/// Downloads all jobs, `options.threads` at a time, and gives their outcomes in order.
///
/// `listen` is called on the calling thread about every `interval` with what is going on or ended since, and at
/// the end; if it returns false everything stops and the rest fails with "interrupted".
pub fn download_all(
    jobs: &[Job],
    options: &Options,
    interval: Duration,
    mut listen: impl FnMut(&[Progress]) -> bool,
) -> Result<Vec<Outcome>, FetchError> {
    let client = Client::new(options)?;
    let stop = AtomicBool::new(false);
    let next = AtomicUsize::new(0);
    let slots: Vec<Slot> = jobs.iter().map(|_| Slot::new()).collect();
    let mut outcomes: Vec<Option<Outcome>> = jobs.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        for _ in 0..options.threads.clamp(1, jobs.len().max(1)) {
            let (sender, client, stop, next, slots) = (sender.clone(), client.clone(), &stop, &next, &slots);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { return };
                    let slot = &slots[index];
                    slot.begin();
                    let outcome =
                        download(&client, job, options, &|done, total| slot.note(done, total, stop));
                    slot.end(&outcome);
                    // The receiver outlives all workers.
                    let _ = sender.send((index, outcome));
                }
            });
        }
        drop(sender);
        let mut told = Instant::now();
        loop {
            match receiver.recv_timeout(interval) {
                Ok((index, outcome)) => outcomes[index] = Some(outcome),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if told.elapsed() >= interval {
                told = Instant::now();
                if !listen(&going_on(jobs, &slots)) {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
        // Nothing is left to be stopped.
        listen(&going_on(jobs, &slots));
    });
    let outcomes = outcomes
        .into_iter()
        .map(|outcome| outcome.expect("each job sends its outcome before its worker ends"));
    Ok(outcomes.collect())
}

fn going_on(jobs: &[Job], slots: &[Slot]) -> Vec<Progress> {
    jobs.iter().zip(slots).filter_map(|(job, slot)| slot.progress(job)).collect()
}

impl Slot {
    fn new() -> Slot {
        Slot { state: Mutex::new(None), done: AtomicU64::new(0), total: AtomicU64::new(0) }
    }

    fn begin(&self) {
        if let Ok(mut state) = self.state.lock() {
            *state = Some((Instant::now(), Stage::Active));
        }
    }

    fn end(&self, outcome: &Outcome) {
        if let Ok(mut state) = self.state.lock()
            && let Some((_, stage)) = &mut *state
        {
            *stage = match outcome {
                Outcome::Done { .. } => Stage::Done,
                Outcome::Present { .. } => Stage::Present,
                Outcome::Mismatch { .. } | Outcome::Failed { .. } => Stage::Failed,
            };
        }
    }

    fn note(&self, done: u64, total: Option<u64>, stop: &AtomicBool) -> bool {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total.unwrap_or(0), Ordering::Relaxed);
        !stop.load(Ordering::Relaxed)
    }

    fn progress(&self, job: &Job) -> Option<Progress> {
        // Whoever sees the end sees all bytes: they were noted before it.
        let mut state = self.state.lock().ok()?;
        let (began, stage) = (*state)?;
        if stage != Stage::Active {
            *state = None;
        }
        drop(state);
        let done = self.done.load(Ordering::Relaxed);
        let total = self.total.load(Ordering::Relaxed);
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        Some(Progress {
            name: job.target.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            done,
            total: (total > 0).then_some(total),
            rate: done.saturating_mul(1000) / millis,
            stage,
        })
    }
}
