//! What a host process loads: the extension module and the Python packages. They
//! travel inside the executable and are unpacked once, under a digest of their
//! contents, into a folder that only the user can write to.

use crate::{Error, Result};
use include_dir::{Dir, include_dir};
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

static PYTHON: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../python/python");
static EXTENSION: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/_bitzel.abi3.so"));
/// Of all of them, made by the build script.
const DIGEST: &str = env!("BITZEL_PAYLOAD");

/// The folder to put into Python's module path.
#[derive(Clone, Debug)]
pub struct Payload {
    root: PathBuf,
}

impl Payload {
    /// Unpacks below `cache` (`~/.cache/bitzel`) what is not there yet. `uid` is the
    /// user's; a folder of somebody else is refused.
    pub fn unpack(cache: &Path, uid: u32) -> Result<Payload> {
        let root = cache.join("python").join(DIGEST);
        if !root.join("complete").exists() {
            unpack_all(cache, &root, &contents())?;
        }
        let owner = fs::metadata(&root).map_err(|cause| at(&root, cause))?.uid();
        if owner != uid && owner != 0 {
            let cause = std::io::Error::other("the folder belongs to another user");
            return Err(at(&root, cause));
        }
        Ok(Payload { root })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

fn at(path: &Path, cause: std::io::Error) -> Error {
    Error::Unpack { path: path.to_owned(), cause }
}

/// Paths and contents of all files.
fn contents() -> Vec<(PathBuf, &'static [u8])> {
    fn walk(dir: &'static Dir<'static>, files: &mut Vec<(PathBuf, &'static [u8])>) {
        for file in dir.files() {
            // Folders Python has run in hold its caches too.
            if file.path().extension().is_none_or(|extension| extension != "pyc") {
                files.push((file.path().to_owned(), file.contents()));
            }
        }
        for dir in dir.dirs() {
            walk(dir, files);
        }
    }
    let mut files = vec![(PathBuf::from("_bitzel.abi3.so"), EXTENSION)];
    walk(&PYTHON, &mut files);
    files.sort();
    files
}

/// Writes everything into a folder beside the final one, then renames: a reader sees
/// all or nothing, and of two writers one wins.
fn unpack_all(cache: &Path, root: &Path, files: &[(PathBuf, &'static [u8])]) -> Result<()> {
    let parent = cache.join("python");
    make_private(&parent)?;
    let temporary = parent.join(format!(".new-{}", std::process::id()));
    make_private(&temporary)?;
    for (path, contents) in files {
        let path = temporary.join(path);
        if let Some(folder) = path.parent() {
            make_private(folder)?;
        }
        let mut file = fs::File::create(&path).map_err(|cause| at(&path, cause))?;
        let mode = if contents.starts_with(b"#!") { 0o700 } else { 0o600 };
        file.write_all(contents)
            .and_then(|()| file.set_permissions(fs::Permissions::from_mode(mode)))
            .and_then(|()| file.sync_all())
            .map_err(|cause| at(&path, cause))?;
    }
    let mark = temporary.join("complete");
    fs::write(&mark, b"").map_err(|cause| at(&mark, cause))?;
    match fs::rename(&temporary, root) {
        Ok(()) => Ok(()),
        Err(_) if root.join("complete").exists() => {
            fs::remove_dir_all(&temporary).map_err(|cause| at(&temporary, cause))
        }
        Err(cause) => Err(at(root, cause)),
    }
}

fn make_private(folder: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|cause| at(folder, cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_digest_is_that_of_what_is_unpacked() {
        let dir = tempfile::tempdir().unwrap();
        let payload = Payload::unpack(dir.path(), fs::metadata(dir.path()).unwrap().uid()).unwrap();
        let mut files: Vec<PathBuf> = contents().into_iter().map(|(path, _)| path).collect();
        let extension = files.iter().position(|path| path.ends_with("_bitzel.abi3.so")).unwrap();
        let extension = files.remove(extension);
        files.insert(0, extension);
        let mut hasher = Sha256::new();
        for path in files {
            let contents = fs::read(payload.root().join(&path)).unwrap();
            hasher.update(path.as_os_str().as_encoded_bytes());
            hasher.update([0]);
            hasher.update((contents.len() as u64).to_le_bytes());
            hasher.update(contents);
        }
        let digest: String = hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(payload.root(), dir.path().join("python").join(digest));
    }
}
