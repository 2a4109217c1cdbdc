//! Files written so that readers never see half of one, and not at all when
//! nothing changed.

use crate::error::{IoContext, KasError};
use std::io::Write;
use std::path::Path;

/// Writes `text` unless the file holds it already; answers whether it wrote.
/// An unchanged file keeps its time, so that nothing is parsed again for it.
///
/// DIFFERS: kas writes bblayers.conf and local.conf every time.
pub fn write_if_changed(path: &Path, text: &str) -> Result<bool, KasError> {
    let is_file = path.symlink_metadata().is_ok_and(|data| data.is_file());
    if is_file && std::fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(false);
    }
    replace(path, text, false)?;
    Ok(true)
}

/// Writes `text` durably; a link at `path` is replaced, not followed.
pub fn write(path: &Path, text: &str) -> Result<(), KasError> {
    replace(path, text, true)
}

/// What can be made again need not be `durable`.
fn replace(path: &Path, text: &str, durable: bool) -> Result<(), KasError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let put = || -> std::io::Result<()> {
        let mut builder = tempfile::Builder::new();
        let all: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666); // less the umask
        let mut file = builder.prefix(".kas-").permissions(all).tempfile_in(dir)?;
        file.write_all(text.as_bytes())?;
        if durable {
            file.as_file().sync_all()?;
        }
        file.persist(path).map_err(|e| e.error)?;
        if durable { std::fs::File::open(dir)?.sync_all() } else { Ok(()) }
    };
    put().doing("write", path)
}

/// Removes a file, a link (not what it points at) or a whole folder.
pub fn remove(path: &Path) -> Result<(), KasError> {
    let is_dir = path.symlink_metadata().doing("remove", path)?.is_dir();
    if is_dir { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.doing("remove", path)
}

/// Removes what is in a folder, not the folder.
pub fn clear(dir: &Path) -> Result<(), KasError> {
    for entry in std::fs::read_dir(dir).doing("read", dir)? {
        remove(&entry.doing("read", dir)?.path())?;
    }
    Ok(())
}

/// Marks a folder as one that backups may leave out.
pub fn cachedir_tag(dir: &Path, comment: &str) -> Result<(), KasError> {
    let file = dir.join("CACHEDIR.TAG");
    if file.symlink_metadata().is_ok() {
        return Ok(());
    }
    let text = format!(
        "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by kas.\n\
         # For information about cache directory tags, see:\n# https://bford.info/cachedir/spec.html\n#\n# {comment}\n"
    );
    replace(&file, &text, false)
}
