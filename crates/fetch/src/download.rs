//! One download: resumed, verified while it streams, given its name only when it is complete and right.

use crate::checksum::{Checksums, Hasher};
use crate::error::FetchError;
use crate::http::Client;
use crate::job::{Job, Options, Outcome};
use crate::lock::FileLock;
use crate::redact::redact;
use crate::stamp::{maybe_zip, write_stamp};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::{StatusCode, header};

/// Told the bytes had and the whole size, if known; returns false to stop.
pub(crate) type Watch<'a> = &'a (dyn Fn(u64, Option<u64>) -> bool + Sync);

/// Downloads a job; never fails, the answer says what came of it.
pub fn download(client: &Client, job: &Job, options: &Options, watch: Watch<'_>) -> Outcome {
    let url = job.url.clone();
    match locked(client, job, options, watch) {
        Ok(Some(found)) => Outcome::Done { url, found },
        Ok(None) => Outcome::Present { url, present: true },
        Err(FetchError::Mismatch { ref path, kind, ref found, ref expected, ref computed }) => {
            Outcome::Mismatch {
                url,
                bad_checksum: true,
                computed: (**computed).clone(),
                error: format!("`{}` has {kind} checksum {found}, expected {expected}", path.display()),
            }
        }
        Err(error) => Outcome::Failed { url, error: error.to_string() },
    }
}

/// None: the file is there already.
fn locked(
    client: &Client,
    job: &Job,
    options: &Options,
    watch: Watch<'_>,
) -> Result<Option<Checksums>, FetchError> {
    let _lock = match &job.lock {
        Some(path) => Some(FileLock::acquire(path, &|| !watch(0, None))?),
        None => None,
    };
    if job.lock.is_some() && job.target.exists() {
        return Ok(None);
    }
    let found = attempts(client, job, options, watch)?;
    if let (Some(done), false) = (&job.done, maybe_zip(&job.target)?) {
        write_stamp(done, &found, &found.goh1_of_plain_file())?;
    }
    Ok(Some(found))
}

fn attempts(
    client: &Client,
    job: &Job,
    options: &Options,
    watch: Watch<'_>,
) -> Result<Checksums, FetchError> {
    let temporary = with_suffix(&job.target, ".tmp");
    if job.expected.is_empty() {
        // DIFFERS: the part may be of another version of the file, and no checksum would tell.
        remove(&temporary)?;
    }
    let mut failures = 0;
    loop {
        let before = size(&temporary);
        match once(client, job, &temporary, watch) {
            Ok(found) => match job_mismatch(job, &found) {
                None => return finish(job, &temporary, found),
                // What was resumed may belong to another version of the file: once more from the beginning.
                Some(_) if before > 0 => remove(&temporary)?,
                Some(mismatch) => return Err(put_aside(job, &temporary, found, mismatch)),
            },
            Err(error) if error.is_transient() => {
                // A server that breaks off but goes on later is not given up while there is progress.
                failures = if size(&temporary) > before { 1 } else { failures + 1 };
                if failures >= options.tries.max(1) {
                    drop_empty(&temporary);
                    return Err(error);
                }
                std::thread::sleep(Duration::from_millis(200 * u64::from(failures)));
            }
            Err(error) => {
                drop_empty(&temporary);
                return Err(error);
            }
        }
    }
}

fn job_mismatch(job: &Job, found: &Checksums) -> Option<(&'static str, String, String)> {
    found.mismatch(&job.expected)
}

/// One request: appends to the part that is there, or begins anew.
fn once(client: &Client, job: &Job, temporary: &Path, watch: Watch<'_>) -> Result<Checksums, FetchError> {
    let mut offset = size(temporary);
    let mut response = client.get(job, offset)?;
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        // Either the part is the whole, or the file became shorter: the checksums cannot tell, so anew.
        remove(temporary)?;
        offset = 0;
        response = client.get(job, 0)?;
    }
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        let url = redact(&job.url);
        return Err(FetchError::Status { url, status: 416, hint: "" });
    }
    let (mut file, mut hasher) = open_part(temporary)?;
    if response.status() != StatusCode::PARTIAL_CONTENT || range_start(&response) != Some(offset) {
        // The server gives the whole file, or another part than asked for.
        if response.status() == StatusCode::PARTIAL_CONTENT {
            drop(file);
            remove(temporary)?;
            return Err(FetchError::Network {
                url: redact(&job.url),
                reason: "the server sent another part than asked for".to_owned(),
            });
        }
        file.set_len(0).map_err(FetchError::io("truncate", temporary))?;
        file.rewind().map_err(FetchError::io("truncate", temporary))?;
        (offset, hasher) = (0, Hasher::default());
    }
    let length = content_length(&response);
    let total = length.map(|length| offset + length);
    let broke_off = |had: u64, why: &str| {
        let of = total.map_or(String::new(), |total| format!(" of {total}"));
        FetchError::Network {
            url: redact(&job.url),
            reason: format!("it broke off after {had}{of} bytes{why}"),
        }
    };
    let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
    let mut buffer = vec![0; 1 << 17];
    let mut had = offset;
    loop {
        if !watch(had, total) {
            return Err(FetchError::Interrupted);
        }
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) => return Err(broke_off(had, &format!(": {error}"))),
        };
        file.write_all(&buffer[..count]).map_err(FetchError::io("write", temporary)).inspect_err(|_| {
            // A full disk is not made better by keeping the part.
            let _ = std::fs::remove_file(temporary);
        })?;
        hasher.update(&buffer[..count]);
        had += count as u64;
    }
    if total.is_some_and(|total| had != total) {
        return Err(broke_off(had, ""));
    }
    if had == 0 {
        return Err(FetchError::Network { url: redact(&job.url), reason: "it is empty".to_owned() });
    }
    file.sync_data().map_err(FetchError::io("write", temporary))?;
    Ok(hasher.finish())
}

/// The part, open for appending, with its bytes hashed.
fn open_part(temporary: &Path) -> Result<(File, Hasher), FetchError> {
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(temporary)
        .map_err(FetchError::io("create", temporary))?;
    let mut hasher = Hasher::default();
    hasher.update_from(&mut file).map_err(FetchError::io("read", temporary))?;
    file.seek(SeekFrom::End(0)).map_err(FetchError::io("read", temporary))?;
    Ok((file, hasher))
}

fn content_length<B>(response: &ureq::http::Response<B>) -> Option<u64> {
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Where a part begins: `Content-Range: bytes FIRST-LAST/TOTAL` (RFC 9110, 14.4).
fn range_start<B>(response: &ureq::http::Response<B>) -> Option<u64> {
    let text = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    text.trim().strip_prefix("bytes")?.trim_start().split('-').next()?.parse().ok()
}

fn finish(job: &Job, temporary: &Path, found: Checksums) -> Result<Checksums, FetchError> {
    std::fs::rename(temporary, &job.target).map_err(FetchError::io("rename to", &job.target))?;
    Ok(found)
}

fn put_aside(
    job: &Job,
    temporary: &Path,
    found: Checksums,
    (kind, wrong, expected): (&'static str, String, String),
) -> FetchError {
    let path = with_suffix(&job.target, &format!("_bad-checksum_{wrong}"));
    match std::fs::rename(temporary, &path).map_err(FetchError::io("rename to", &path)) {
        Ok(()) => FetchError::Mismatch { path, kind, found: wrong, expected, computed: Box::new(found) },
        Err(error) => error,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

fn remove(path: &Path) -> Result<(), FetchError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(FetchError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn drop_empty(path: &Path) {
    if size(path) == 0 {
        // Nothing to resume; a file that cannot be removed does no harm.
        let _ = std::fs::remove_file(path);
    }
}
