//! How long tasks took, remembered from build to build.

use crate::queue::Durations;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file that remembers. What cannot be read or written is forgotten: order is all that
/// depends on it.
pub struct DurationStore {
    path: PathBuf,
    seconds: BTreeMap<String, f64>,
}

impl DurationStore {
    /// Reads what there is.
    pub fn open(folder: &Path) -> DurationStore {
        let path = folder.join("bitzel-durations.json");
        let text = std::fs::read(&path).unwrap_or_default();
        DurationStore { path, seconds: serde_json::from_slice(&text).unwrap_or_default() }
    }

    /// As the queue wants it.
    pub fn durations(&self) -> Durations {
        let sound = self.seconds.iter().filter(|(_, seconds)| seconds.is_finite() && **seconds >= 0.0);
        sound.map(|(name, &seconds)| (name.clone(), Duration::from_secs_f64(seconds))).collect()
    }

    /// A task took so long; the last builds count most.
    pub fn note(&mut self, name: &str, took: Duration) {
        let new = took.as_secs_f64();
        self.seconds.entry(name.to_owned()).and_modify(|old| *old = (*old + new) / 2.0).or_insert(new);
    }

    /// Keeps it for the next build.
    pub fn save(&self) -> std::io::Result<()> {
        let text = serde_json::to_vec(&self.seconds)?;
        let new = self.path.with_extension("new");
        std::fs::write(&new, text)?;
        std::fs::rename(new, &self.path)
    }
}
