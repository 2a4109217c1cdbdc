//! Locks on downloads, the same as BitBake's: `flock` on `NAME.lock`, removed by the last holder.

use crate::error::FetchError;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An exclusive lock, held until dropped.
#[derive(Debug)]
pub struct FileLock {
    path: PathBuf,
    file: Option<File>,
}

impl FileLock {
    /// Waits for the lock. `stop` is asked while waiting; if it says so the wait ends with
    /// [`FetchError::Interrupted`].
    pub fn acquire(path: &Path, stop: &dyn Fn() -> bool) -> Result<FileLock, FetchError> {
        let mut pause = Duration::from_millis(1);
        loop {
            let file = File::options()
                .create(true)
                .append(true)
                .open(path)
                .map_err(FetchError::io("create the lock file", path))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if still_there(&file, path) => {
                    return Ok(FileLock { path: path.to_owned(), file: Some(file) });
                }
                // Its holder removed it between our opening and locking it: a new one is needed.
                Ok(()) => continue,
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {}
                Err(error) => return Err(FetchError::io("lock", path)(error.into())),
            }
            if stop() {
                return Err(FetchError::Interrupted);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

fn still_there(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => held.dev() == named.dev() && held.ino() == named.ino(),
        _ => false,
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // BitBake: the file goes while the lock is still held, so nobody locks a file without name for long.
        // If it cannot be removed it stays, unlocked, and does no harm.
        let _ = std::fs::remove_file(&self.path);
        drop(self.file.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn only_one_holder_at_a_time_and_no_file_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let inside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let lock = FileLock::acquire(&path, &|| false).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert!(!path.exists());
    }

    #[test]
    fn waiting_ends_when_told_to_stop() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let _held = FileLock::acquire(&path, &|| false).unwrap();
        assert!(matches!(FileLock::acquire(&path, &|| true), Err(FetchError::Interrupted)));
    }
}
