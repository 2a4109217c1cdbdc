//! A temporary HOME with the credentials the caller hands over, and nothing
//! else of the caller's home.

use crate::context::{Context, Managed};
use crate::error::{IoContext, KasError};
use crate::process::argv;
use base64::Engine;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Variables that have an effect here; told when the caller's own environment
/// is kept instead.
pub const VARIABLES: [&str; 10] = [
    "GIT_CREDENTIAL_HELPER",
    "GIT_CREDENTIAL_USEHTTPPATH",
    "GITCONFIG_FILE",
    "AWS_CONFIG_FILE",
    "AWS_ROLE_ARN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "NETRC_FILE",
    "NPMRC_FILE",
    "REGISTRY_AUTH_FILE",
];

/// Makes the folder, fills it and makes it the HOME of all programs. It is
/// removed with the context.
pub fn set_up(ctx: &mut Context) -> Result<(), KasError> {
    if let Some(managed) = ctx.managed {
        ctx.log.info(&format!("Running on {}", managed.name()));
    }
    let home = match ctx.home.take() {
        Some(home) => home,
        None => {
            let mut builder = tempfile::Builder::new();
            builder.prefix("kas-home-").tempdir_in(ctx.temp_dir()).doing("create", ctx.temp_dir())?
        }
    };
    let dir = home.path().to_owned();
    ctx.environ.insert("HOME".to_owned(), dir.display().to_string());
    ctx.home = Some(home);
    netrc(ctx, &dir)?;
    if let Some(file) = named_file(ctx, "NPMRC_FILE")? {
        copy(&file, &dir.join(".npmrc"))?;
    }
    registry_auth(ctx, &dir)?;
    gitconfig(ctx, &dir)?;
    aws(ctx, &dir)
}

/// The file a variable names; a missing one is an error.
fn named_file(ctx: &Context, name: &str) -> Result<Option<PathBuf>, KasError> {
    let Some(path) = ctx.var(name).map(|path| ctx.cwd.join(path)) else { return Ok(None) };
    if !path.exists() {
        let path = path.display();
        return Err(KasError::User(format!(
            "Environment variable \"{name}\" is set, but the path does not exist: {path}"
        )));
    }
    Ok(Some(path))
}

fn write(path: &Path, text: &str) -> Result<(), KasError> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).doing("write", path)
}

fn copy(from: &Path, to: &Path) -> Result<(), KasError> {
    let text = std::fs::read_to_string(from).doing("read", from)?;
    write(to, &text)
}

fn folder(path: &Path) -> Result<(), KasError> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).doing("create", path)
}

fn netrc(ctx: &Context, home: &Path) -> Result<(), KasError> {
    let mut text = match named_file(ctx, "NETRC_FILE")? {
        Some(file) => std::fs::read_to_string(&file).doing("read", &file)?,
        None => String::new(),
    };
    if let (Some(host), Some(token)) = (ctx.var("CI_SERVER_HOST"), ctx.var("CI_JOB_TOKEN")) {
        text += &format!("machine {host}\nlogin gitlab-ci-token\npassword {token}\n");
    }
    if text.is_empty() { Ok(()) } else { write(&home.join(".netrc"), &text) }
}

fn registry_auth(ctx: &Context, home: &Path) -> Result<(), KasError> {
    folder(&home.join(".docker"))?;
    let target = home.join(".docker/config.json");
    let text = match named_file(ctx, "REGISTRY_AUTH_FILE")? {
        Some(file) => std::fs::read_to_string(&file).doing("read", &file)?,
        None => "{}".to_owned(),
    };
    let ci = (ctx.var("CI_REGISTRY"), ctx.var("CI_JOB_TOKEN"), ctx.var("CI_REGISTRY_USER"));
    let (Some(registry), Some(token), Some(_)) = ci else { return write(&target, &text) };
    let mut data: serde_json::Value = serde_json::from_str(&text)
        .map_err(|e| KasError::User(format!("REGISTRY_AUTH_FILE is no JSON: {e}")))?;
    let invalid = || KasError::User("REGISTRY_AUTH_FILE holds no JSON object with `auths`".to_owned());
    let auths =
        data.as_object_mut().ok_or_else(invalid)?.entry("auths").or_insert_with(|| serde_json::json!({}));
    let auth = base64::engine::general_purpose::STANDARD.encode(token);
    auths
        .as_object_mut()
        .ok_or_else(invalid)?
        .insert(registry.to_owned(), serde_json::json!({ "auth": auth }));
    write(&target, &bitzel_project::emit_json(&bitzel_project::from_json(data), 4, false))
}

fn gitconfig(ctx: &Context, home: &Path) -> Result<(), KasError> {
    let target = home.join(".gitconfig");
    let mut host = named_file(ctx, "GITCONFIG_FILE")?;
    if host.is_none() && ctx.managed.is_some() {
        host = ctx.caller_home().map(|home| home.join(".gitconfig")).filter(|file| file.exists());
    }
    match &host {
        Some(file) => copy(file, &target)?,
        None => write(&target, "")?,
    }
    let file = target.display().to_string();
    let add = |args: &[&str]| -> Result<(), KasError> {
        let mut words = argv(&["git", "config", "--file", &file]);
        words.extend(argv(args));
        ctx.runner().require(&words, home).map(|_| ())
    };
    if let Some(helper) = ctx.var("GIT_CREDENTIAL_HELPER") {
        add(&["--replace-all", "credential.helper", helper])?;
        if let Some(flag) = ctx.var("GIT_CREDENTIAL_USEHTTPPATH") {
            add(&["credential.useHttpPath", flag])?;
        }
    }
    if ctx.managed == Some(Managed::GitLabCi) && host.is_none() {
        if let Some(dir) = named_file(ctx, "CI_PROJECT_DIR")? {
            add(&["--add", "safe.directory", &dir.display().to_string()])?;
        }
        if let Some(server) = ctx.var("CI_SERVER_HOST").filter(|_| !ssh_config_present(ctx)) {
            for (key, value) in gitlab_rewrites(ctx, server) {
                add(&["--add", &key, &value])?;
            }
        }
    }
    Ok(())
}

fn ssh_config_present(ctx: &Context) -> bool {
    ["SSH_PRIVATE_KEY", "SSH_PRIVATE_KEY_FILE", "SSH_AUTH_SOCK"]
        .iter()
        .any(|name| ctx.env.contains_key(*name))
        || ctx.caller_home().is_some_and(|home| home.join(".ssh/config").exists())
}

/// ssh urls of the GitLab server as https urls, which the job token opens.
fn gitlab_rewrites(ctx: &Context, host: &str) -> Vec<(String, String)> {
    let or = |name: &str, default: &str| ctx.env.get(name).map_or(default, String::as_str).to_owned();
    let (port, protocol) = (or("CI_SERVER_PORT", "443"), or("CI_SERVER_PROTOCOL", "https"));
    let (ssh_host, ssh_port) = (or("CI_SERVER_SHELL_SSH_HOST", host), or("CI_SERVER_SHELL_SSH_PORT", "22"));
    let mut rewrites = Vec::new();
    for target in [host.to_owned(), format!("{host}:{port}")] {
        for from in [
            format!("git@{ssh_host}:"),
            format!("git@{ssh_host}:{ssh_port}"),
            format!("ssh://git@{ssh_host}/"),
            format!("ssh://git@{ssh_host}:{ssh_port}/"),
        ] {
            rewrites.push((format!("url.{protocol}://{target}/.insteadOf"), from));
        }
    }
    rewrites
}

fn aws(ctx: &Context, home: &Path) -> Result<(), KasError> {
    let dir = home.join(".aws");
    folder(&dir)?;
    let config = named_file(ctx, "AWS_CONFIG_FILE")?;
    if let (Some(config), Some(shared)) = (&config, named_file(ctx, "AWS_SHARED_CREDENTIALS_FILE")?) {
        copy(config, &dir.join("config"))?;
        copy(&shared, &dir.join("credentials"))?;
    }
    if let (Some(token), Some(role)) =
        (named_file(ctx, "AWS_WEB_IDENTITY_TOKEN_FILE")?, ctx.var("AWS_ROLE_ARN"))
    {
        let target = dir.join("web_identity_token");
        copy(&token, &target)?;
        let old = std::fs::read_to_string(dir.join("config")).unwrap_or_default();
        let values =
            [("role_arn", role.to_owned()), ("web_identity_token_file", target.display().to_string())];
        write(&dir.join("config"), &with_defaults(&old, &values))?;
    }
    let Some(config) = config else { return Ok(()) };
    // in a container the folder is not below HOME but beside the config file
    let caches = [
        config.parent().map(|dir| dir.join("sso/cache")),
        ctx.caller_home().map(|h| h.join(".aws/sso/cache")),
    ];
    if let Some(cache) = caches.into_iter().flatten().find(|cache| cache.is_dir()) {
        copy(&config, &dir.join("config"))?;
        copy_tree(&cache, &dir.join("sso/cache"))?;
    }
    Ok(())
}

/// An INI text with `values` set in its `[default]` section.
fn with_defaults(text: &str, values: &[(&str, String)]) -> String {
    let mut out = String::new();
    let mut in_default = false;
    let mut done = false;
    let lines: String = values.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    for line in text.lines() {
        if line.trim_start().starts_with('[') {
            in_default = line.trim() == "[default]";
            out += &format!("{line}\n");
            if in_default && !std::mem::replace(&mut done, true) {
                out += &lines;
            }
            continue;
        }
        let key = line.split(['=', ':']).next().unwrap_or_default().trim().to_lowercase();
        if !(in_default && values.iter().any(|(name, _)| *name == key)) {
            out += &format!("{line}\n");
        }
    }
    if !done {
        out += &format!("[default]\n{lines}");
    }
    out
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), KasError> {
    folder(to)?;
    for entry in std::fs::read_dir(from).doing("read", from)? {
        let entry = entry.doing("read", from)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_set_in_the_default_section() {
        let values = [("role_arn", "r".to_owned())];
        assert_eq!(with_defaults("", &values), "[default]\nrole_arn = r\n");
        assert_eq!(
            with_defaults("[a]\nx = 1\n[default]\nrole_arn = old\nregion = e\n", &values),
            "[a]\nx = 1\n[default]\nrole_arn = r\nregion = e\n"
        );
    }
}
