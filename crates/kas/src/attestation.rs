//! The provenance of a build: an in-toto statement with a SLSA provenance
//! predicate, without credentials.

use crate::context::distro;
use crate::error::{IoContext, KasError};
use crate::files;
use crate::glob::glob;
use crate::guard::below;
use crate::repository::Repository;
use crate::session::Session;
use crate::vcs;
use base64::Engine;
use bitzel_project::{RepoSpec, Vcs, emit_json, from_json};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What was built.
pub struct Request<'a> {
    /// `mode=max`: the environment, too.
    pub max: bool,
    /// Extra arguments for bitbake.
    pub extra: &'a [String],
    /// When the build began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
}

/// Writes attestation/kas-build.provenance.json in the build directory.
pub fn write(session: &Session, request: &Request<'_>) -> Result<(), KasError> {
    let subjects = subjects(session, request)?;
    if subjects.is_empty() {
        session.ctx.log.warning("Attestation does not contain any artifacts.");
    }
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": predicate(session, request)?,
    });
    let dir = below(&session.ctx.build_dir, "attestation")?;
    std::fs::create_dir_all(&dir).doing("create", &dir)?;
    let text = emit_json(&from_json(statement), 4, false) + "\n";
    files::write(&dir.join("kas-build.provenance.json"), &text)
}

/// Every artifact with its digest; one that is missing is an error.
fn subjects(session: &Session, request: &Request<'_>) -> Result<Vec<serde_json::Value>, KasError> {
    let mut subjects = Vec::new();
    for (name, pattern) in session.config.section("artifacts") {
        let pattern = pattern.as_str().unwrap_or_default();
        let files = glob(&session.ctx.build_dir, pattern)?;
        if files.is_empty() {
            return Err(KasError::User(format!("No artifact found for {name}:\"{pattern}\"")));
        }
        for file in files {
            warn_if_old(session, request, &name, &file);
            let mut hasher = Sha256::new();
            let mut reader = std::fs::File::open(&file).doing("read", &file)?;
            std::io::copy(&mut reader, &mut hasher).doing("read", &file)?;
            let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            subjects.push(json!({ "name": name, "digest": { "sha256": digest } }));
        }
    }
    Ok(subjects)
}

fn warn_if_old(session: &Session, request: &Request<'_>, name: &str, file: &Path) {
    let modified = std::fs::metadata(file).and_then(|data| data.modified()).ok();
    let Some(modified) = modified.and_then(|time| Timestamp::try_from(time).ok()) else { return };
    if modified < request.started || modified > request.finished {
        let (file, from, to) = (file.display(), request.started, request.finished);
        session
            .ctx
            .log
            .warning(&format!("Artifact {name}:{file} mtime {modified} not in build range [{from} - {to}]"));
    }
}

fn predicate(session: &Session, request: &Request<'_>) -> Result<serde_json::Value, KasError> {
    let mut dependencies = Vec::new();
    let mut tracked: Vec<&RepoSpec> = Vec::new();
    for spec in session.repos.values() {
        if let Some(dependency) = dependency(session, spec)? {
            dependencies.push(dependency);
            tracked.push(spec);
        }
    }
    let configs: Vec<(PathBuf, String)> = session
        .files
        .iter()
        .map(|file| Ok((file.clone(), shown_path(session, file)?)))
        .collect::<Result<_, KasError>>()?;
    for (file, shown) in &configs {
        let is_tracked = tracked.iter().try_fold(false, |found, spec| {
            Ok::<bool, KasError>(
                found || Repository::new(&session.ctx, spec).ask(&vcs::tracks(spec.vcs, shown))?.ok(),
            )
        })?;
        if !is_tracked {
            let bytes = std::fs::read(file).doing("read", file)?;
            let kind = if file.extension().is_some_and(|e| e == "json") { "json" } else { "yaml" };
            dependencies.push(json!({
                "name": shown,
                "content": base64::engine::general_purpose::STANDARD.encode(bytes),
                "mediaType": format!("application/vnd.kas+{kind}"),
            }));
        }
    }
    let version = crate::KAS_VERSION;
    let mut internal = json!({});
    if request.max {
        let env = session.config.environment(&session.ctx.env);
        let env: serde_json::Map<_, _> = env.into_iter().map(|(name, value)| (name, json!(value))).collect();
        internal = json!({ "env": env });
    }
    let targets = &session.overrides.targets;
    let system = distro();
    Ok(json!({
        "buildDefinition": {
            "buildType": format!("https://kas.readthedocs.io/en/{version}/userguide/project-configuration.html"),
            "externalParameters": {
                "command": "build",
                "config": configs.iter().map(|(_, shown)| shown).collect::<Vec<_>>(),
                "target": (!targets.is_empty()).then_some(targets),
                "task": session.overrides.task,
                "extra_bitbake_args": request.extra,
            },
            "internalParameters": internal,
            "resolvedDependencies": dependencies,
        },
        "runDetails": {
            "builder": {
                "id": "https://github.com/siemens/kas",
                "version": { "kas": version, "distro.name": system.id, "distro.version": system.version },
            },
            "metadata": {
                "invocationId": session.ctx.env.get("CI_JOB_URL").cloned().unwrap_or_default(),
                "startedOn": rfc3339(request.started),
                "finishedOn": rfc3339(request.finished),
            },
            "byproducts": [],
        },
    }))
}

fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// A repository with its revision; `None` for a folder that is none.
fn dependency(session: &Session, spec: &RepoSpec) -> Result<Option<serde_json::Value>, KasError> {
    let repo = Repository::new(&session.ctx, spec);
    let (url, revision) = match spec.is_managed() {
        true => (spec.url.clone(), repo.revision()?),
        false => repo.local_state()?,
    };
    let (Some(url), Some(revision)) = (url, revision) else { return Ok(None) };
    let kind = match spec.vcs {
        Vcs::Git => "git",
        Vcs::Hg => "hg",
    };
    let layer = |name: &str| if name.is_empty() { ".".to_owned() } else { name.to_owned() };
    let layers: Vec<String> = spec.layers.iter().map(|entry| layer(&entry.name)).collect();
    let digest: serde_json::Map<String, serde_json::Value> =
        [(format!("{kind}Commit"), json!(revision))].into_iter().collect();
    Ok(Some(json!({
        "name": spec.name,
        "uri": format!("{kind}+{}", public_url(&url)),
        "digest": digest,
        "annotations": { "dirty": repo.is_dirty()?, "layers": layers },
    })))
}

/// A url without user and password; `git@` urls as ssh urls. Other kinds are
/// no urls for the public: `None`, as kas writes it.
fn public_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.starts_with("git@") { format!("ssh://{url}") } else { "None".to_owned() };
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    match scheme {
        "ssh" | "http" | "https" => format!("{scheme}://{host}{path}"),
        _ => "None".to_owned(),
    }
}

/// Relative to the work directory, else to the main repository.
fn shown_path(session: &Session, file: &Path) -> Result<String, KasError> {
    let relative = file
        .strip_prefix(&session.ctx.work_dir)
        .or_else(|_| file.strip_prefix(session.top_repo().unwrap_or(file)));
    Ok(relative.unwrap_or(file).display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_never_leave() {
        assert_eq!(public_url("https://user:secret@host:8443/x.git"), "https://host:8443/x.git");
        assert_eq!(public_url("ssh://git@host/x"), "ssh://host/x");
        assert_eq!(public_url("git@host:x"), "ssh://git@host:x");
        assert_eq!(public_url("file:///secret"), "None");
    }
}
