//! The buildtools a project asks for: downloaded, verified, installed.

use crate::context::Context;
use crate::error::{IoContext, KasError};
use crate::guard::below;
use crate::process::{Runner, argv};
use bitzel_project::{Environment, Map, Value};
use sha2::{Digest, Sha256};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where releases of the Yocto Project are.
const DEFAULT_BASE_URL: &str = "https://downloads.yoctoproject.org/releases/yocto";

/// What a project says about its buildtools.
struct Wanted {
    version: String,
    sha256sum: String,
    url: String,
    filename: String,
}

/// Sees to it that the wanted buildtools are installed; answers with the
/// script to source.
pub fn install(ctx: &Context, config: &Map) -> Result<PathBuf, KasError> {
    let wanted = wanted(config)?;
    let dir = directory(ctx)?;
    std::fs::create_dir_all(&dir).doing("create", &dir)?;
    let empty = std::fs::read_dir(&dir).doing("read", &dir)?.next().is_none();
    if empty {
        ctx.log.info(&format!("Buildtools ({}): directory is empty", dir.display()));
        download(ctx, &wanted, &dir)?;
    } else {
        let found = installed_version(&dir);
        if found.as_deref() != Some(&wanted.version) {
            ctx.log.warning("Buildtools: version mismatch");
            ctx.log.info(&format!("Required version: {}", wanted.version));
            ctx.log.info(&format!("Found version: {}", found.as_deref().unwrap_or("unknown")));
            std::fs::remove_dir_all(&dir).doing("remove", &dir)?;
            std::fs::create_dir_all(&dir).doing("create", &dir)?;
            download(ctx, &wanted, &dir)?;
        }
    }
    let scripts = files_named(&dir, "environment-setup-");
    match &scripts[..] {
        [script] => Ok(script.clone()),
        _ => Err(KasError::User(format!(
            "Expected 1 environment setup file, found {}. Invalid or misconfigured buildtools package.",
            scripts.len()
        ))),
    }
}

/// KAS_BUILDTOOLS_DIR, else `buildtools` in the build directory.
fn directory(ctx: &Context) -> Result<PathBuf, KasError> {
    let dir = match ctx.var("KAS_BUILDTOOLS_DIR") {
        Some(dir) => ctx.cwd.join(dir),
        None => below(&ctx.build_dir, "buildtools")?,
    };
    Ok(bitzel_project::resolve(&dir))
}

fn wanted(config: &Map) -> Result<Wanted, KasError> {
    let section = config.get("buildtools").and_then(Value::as_map).cloned().unwrap_or_default();
    let text = |key: &str| section.get(key).and_then(Value::as_str).map(str::to_owned);
    let version = text("version").unwrap_or_default();
    let arch = std::env::consts::ARCH;
    let filename = text("filename")
        .unwrap_or_else(|| format!("{arch}-buildtools-extended-nativesdk-standalone-{version}.sh"));
    if filename.contains('/') || matches!(filename.as_str(), "" | "." | "..") {
        return Err(KasError::User(format!(
            "buildtools: the filename `{filename}` is not the name of a file"
        )));
    }
    let base = text("base_url").unwrap_or_else(|| format!("{DEFAULT_BASE_URL}/yocto-{version}/buildtools/"));
    let url = format!("{base}/{}", quote(&filename));
    Ok(Wanted { version, sha256sum: text("sha256sum").unwrap_or_default(), url, filename })
}

/// A file name as part of a url.
fn quote(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-~".contains(&b);
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn download(ctx: &Context, wanted: &Wanted, dir: &Path) -> Result<(), KasError> {
    ctx.log.info(&format!("Downloading Buildtools {}", wanted.version));
    let installer = dir.join(&wanted.filename);
    let path = installer.display().to_string();
    ctx.runner().require(&argv(&["wget", "-q", "-O", &path, "--", &wanted.url]), &ctx.work_dir)?;
    let bytes = std::fs::read(&installer).doing("read", &installer)?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    ctx.log.info(&format!("Buildtools installer's checksum (sha256) is: {digest}"));
    if digest != wanted.sha256sum {
        // a file of the right name must not be taken for an installation
        std::fs::remove_file(&installer).doing("remove", &installer)?;
        return Err(KasError::User("sha256sum mismatch: installer may be corrupted".to_owned()));
    }
    std::fs::set_permissions(&installer, PermissionsExt::from_mode(0o755)).doing("protect", &installer)?;
    let environ = Environment::from([("PATH".to_owned(), "/usr/sbin:/usr/bin:/sbin:/bin".to_owned())]);
    let runner = Runner { environ: &environ, ..ctx.runner() };
    runner.require(&argv(&[&path, "-d", &dir.display().to_string(), "-y"]), &ctx.work_dir)?;
    Ok(())
}

/// What the single `version-*` file says in its second line, if its name is
/// that of a distribution version.
fn installed_version(dir: &Path) -> Option<String> {
    let files = files_named(dir, "version-");
    let [file] = &files[..] else { return None };
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find(|line| line.starts_with("Distro Version"))?;
    text.lines().nth(1)?.split_once(':').map(|(_, version)| version.trim().to_owned())
}

fn files_named(dir: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}
