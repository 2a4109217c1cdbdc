//! An ssh-agent of the command's own, for keys in SSH_PRIVATE_KEY and
//! SSH_PRIVATE_KEY_FILE.

use crate::context::Context;
use crate::error::{IoContext, KasError};
use crate::process::{argv, find_program};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;

/// Whether the caller hands over keys; together with an agent of the caller's
/// that is an error.
pub fn is_wanted(ctx: &Context) -> Result<bool, KasError> {
    let wanted = ctx.env.contains_key("SSH_PRIVATE_KEY") || ctx.env.contains_key("SSH_PRIVATE_KEY_FILE");
    if wanted && ctx.env.contains_key("SSH_AUTH_SOCK") {
        return Err(KasError::User(
            "Invalid combination of arguments: Internal SSH agent (e.g. for \"SSH_PRIVATE_KEY\") can only be \
             started if no external one is passed."
                .to_owned(),
        ));
    }
    Ok(wanted)
}

/// Starts the agent and adds the keys.
pub fn start(ctx: &mut Context) -> Result<(), KasError> {
    let path = ctx.env.get("PATH").cloned().unwrap_or_default();
    for tool in ["ssh", "ssh-add", "ssh-agent"] {
        if find_program(&path, tool).is_none() {
            let text = format!("SSH setup requested but could not find \"{tool}\" in PATH");
            return Err(KasError::Environment(text));
        }
    }
    let output = ctx.runner().require(&argv(&["ssh-agent", "-s"]), &ctx.work_dir)?;
    for assignment in output.stdout.split(['\n', ';']) {
        if let Some((name, value)) = assignment.trim().split_once('=') {
            ctx.environ.insert(name.to_owned(), value.to_owned());
        }
    }
    let mut keys = Vec::new();
    if let Some(key) = ctx.var("SSH_PRIVATE_KEY") {
        ctx.log.info("adding SSH key from env-var 'SSH_PRIVATE_KEY'");
        keys.push(key.to_owned());
    }
    if let Some(file) = ctx.var("SSH_PRIVATE_KEY_FILE") {
        ctx.log.info(&format!("adding SSH key from file '{file}'"));
        let file = ctx.cwd.join(file);
        keys.push(std::fs::read_to_string(&file).doing("read", &file)?);
    }
    if keys.is_empty() {
        let names = "SSH_PRIVATE_KEY, SSH_PRIVATE_KEY_FILE";
        ctx.log.warning(&format!("None of the following environment keys were set: {names}"));
    }
    for mut key in keys {
        // without a line break at the end ssh-add asks for a passphrase
        if !key.ends_with('\n') {
            key.push('\n');
        }
        let output = ctx.runner().feed(&argv(&["ssh-add", "-"]), &ctx.work_dir, Some(&key), &|_| {})?;
        if !output.ok() {
            ctx.log.error(&format!("failed to add ssh key: {}", output.stderr));
        }
    }
    // this outlives the command, so only where the home is not a person's
    if ctx.managed.is_some() { trust_hosts(ctx) } else { Ok(()) }
}

/// Ends the agent.
pub fn stop(ctx: &Context) {
    for (words, what) in
        [(["ssh-add", "-D"], "delete SSH identities"), (["ssh-agent", "-k"], "stop SSH agent")]
    {
        if !ctx.runner().capture(&argv(&words), &ctx.work_dir).is_ok_and(|output| output.ok()) {
            ctx.log.error(&format!("failed to {what}"));
        }
    }
}

/// Turns host key checks off in the caller's ssh configuration, unless there
/// is one.
fn trust_hosts(ctx: &Context) -> Result<(), KasError> {
    const TEXT: &str = "Host *\n\tStrictHostKeyChecking no\n\n";
    let Some(home) = ctx.caller_home() else { return Ok(()) };
    let dir = home.join(".ssh");
    if !dir.exists() {
        std::fs::DirBuilder::new().mode(0o700).create(&dir).doing("create", &dir)?;
    }
    let file = dir.join("config");
    match std::fs::OpenOptions::new().write(true).create_new(true).open(&file) {
        Ok(mut config) => config.write_all(TEXT.as_bytes()).doing("write", &file),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            if std::fs::read_to_string(&file).unwrap_or_default() != TEXT {
                let file = file.display();
                ctx.log.warning(&format!(
                    "{file} already exists, not touching it to disable StrictHostKeyChecking"
                ));
            }
            Ok(())
        }
        Err(e) => Err(e).doing("write", &file),
    }
}
