//! Work spread over forked processes of a host.

use crate::{Channel, Error, Host, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

impl Host {
    /// Forks at most `count` processes, as far as there are channels left, and has `ask` put
    /// `jobs` to them: whichever is free gets the next. Answers are in the order of `jobs`. One job
    /// alone is for the host itself.
    ///
    /// # Errors
    /// The first of `ask`, after the jobs that are running; others are not begun.
    pub fn spread<J: Sync, R: Send>(
        &mut self,
        count: usize,
        jobs: &[J],
        ask: impl Fn(&mut Channel, &J) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        if let ([job], Some(control)) = (jobs, self.control()) {
            return Ok(vec![ask(control, job)?]);
        }
        let channels = self.fork(count.min(jobs.len()))?;
        let next = AtomicUsize::new(0);
        let answers: Mutex<Vec<Option<R>>> = Mutex::new(jobs.iter().map(|_| None).collect());
        let work = |mut channel: Channel| -> Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(number) else { return Ok(()) };
                match ask(&mut channel, job) {
                    Ok(answer) => {
                        answers.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(answer);
                    }
                    Err(error) => {
                        next.store(jobs.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
        };
        std::thread::scope(|scope| -> Result<()> {
            let threads: Vec<_> = channels.into_iter().map(|channel| scope.spawn(|| work(channel))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err(Error::Panicked)))
        })?;
        let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers.into_iter().map(|answer| answer.ok_or(Error::Confused)).collect()
    }
}
