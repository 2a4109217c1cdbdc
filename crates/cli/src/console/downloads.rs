//! Downloads of running tasks, told in lines where there is no terminal to draw on.

use bitzel_engine::Job;
use bitzel_fetch::{Progress, Stage};
use indicatif::BinaryBytes;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Between two lines of a download that takes long.
const EVERY: Duration = Duration::from_secs(10);

/// Remembers when each download was told of.
#[derive(Debug, Default)]
pub struct DownloadLines {
    told: HashMap<(Job, String), Instant>,
}

impl DownloadLines {
    /// What there is to say now of a task's downloads: one line when each ended, and some of those that take long.
    pub fn take(&mut self, job: Job, downloads: &[Progress], now: Instant) -> Vec<String> {
        downloads.iter().filter_map(|download| self.line(job, download, now)).collect()
    }

    fn line(&mut self, job: Job, download: &Progress, now: Instant) -> Option<String> {
        let key = (job, download.name.clone());
        let size = BinaryBytes(download.done);
        match download.stage {
            Stage::Active => {
                let told = self.told.entry(key).or_insert(now);
                if now.duration_since(*told) < EVERY {
                    return None;
                }
                *told = now;
                Some(format!("{}: {}", download.name, state(download)))
            }
            ended => {
                self.told.remove(&key);
                let fate = match ended {
                    Stage::Done => format!("fetched, {size}"),
                    Stage::Failed => format!("failed after {size}"),
                    _ => "fetched by another process".to_owned(),
                };
                Some(format!("{}: {fate}", download.name))
            }
        }
    }
}

/// How far a download is: bytes had, of all if that is known, and each second.
pub fn state(download: &Progress) -> String {
    let of = download.total.map_or(String::new(), |total| format!(" of {}", BinaryBytes(total)));
    format!("{}{of}, {}/s", BinaryBytes(download.done), BinaryBytes(download.rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitzel_taskgraph::TaskIx;

    #[test]
    fn a_download_is_told_when_it_ends_and_now_and_then_before() {
        let job = Job { task: TaskIx(0), setscene: false };
        let mut lines = DownloadLines::default();
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let one = |stage, done| Progress { name: "f".into(), done, total: Some(4096), rate: 512, stage };
        assert!(lines.take(job, &[one(Stage::Active, 0)], at(0)).is_empty());
        assert!(lines.take(job, &[one(Stage::Active, 1024)], at(9)).is_empty());
        assert_eq!(
            lines.take(job, &[one(Stage::Active, 2048)], at(10)),
            ["f: 2.00 KiB of 4.00 KiB, 512 B/s"]
        );
        assert!(lines.take(job, &[one(Stage::Active, 3072)], at(19)).is_empty());
        assert_eq!(lines.take(job, &[one(Stage::Done, 4096)], at(21)), ["f: fetched, 4.00 KiB"]);
        assert_eq!(lines.take(job, &[one(Stage::Failed, 1)], at(21)), ["f: failed after 1 B"]);
    }
}
