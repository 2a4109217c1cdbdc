//! The build environment: what the init script of the build system sets up.

use crate::buildtools;
use crate::context::Context;
use crate::error::{IoContext, KasError};
use crate::log::Level;
use crate::process::{Runner, argv};
use bitzel_project::{Config, Environment, RepoSpec};
use std::path::Path;

/// Passed on to bitbake by name when the caller has them.
const PASSED_THROUGH: [&str; 4] = ["SSTATE_DIR", "SSTATE_MIRRORS", "DL_DIR", "TMPDIR"];
/// Forwarded to the environment, not to bitbake.
const FORWARDED: [&str; 5] = ["SSH_AUTH_SOCK", "SHELL", "TERM", "GIT_PROXY_COMMAND", "NO_PROXY"];
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs the init script of the one repository that has it; answers with what
/// it adds to the environment.
pub fn build_environ(ctx: &Context, config: &Config, repos: &[RepoSpec]) -> Result<Environment, KasError> {
    let script = config.build_system().init_script();
    let having: Vec<&RepoSpec> = repos.iter().filter(|repo| repo.path.join(script).exists()).collect();
    let repo = match having[..] {
        [repo] => repo,
        [] => return Err(KasError::User("Did not find any init-build-env script".to_owned())),
        [first, second, ..] => {
            return Err(KasError::User(format!(
                "Multiple init scripts found ({} vs. {}). Resolve ambiguity by removing one of the repos",
                second.name, first.name
            )));
        }
    };
    let tools = match config.map.contains_key("buildtools") {
        true => Some(buildtools::install(ctx, &config.map)?),
        false => None,
    };
    let mut environ = run_script(ctx, script, &repo.path, tools.as_deref())?;
    let own = config.environment(&ctx.env);
    let mut names: Vec<&str> = PASSED_THROUGH.to_vec();
    names.extend(own.keys().map(String::as_str));
    for (name, value) in &own {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(KasError::User(format!(
                "`env`: `{}` is no name of a variable",
                name.escape_default()
            )));
        }
        match value {
            Some(value) => environ.insert(name.clone(), value.clone()),
            None => environ.remove(name),
        };
    }
    // the older name belongs to bitbake before 2.0
    let list =
        ["BB_ENV_PASSTHROUGH_ADDITIONS", "BB_ENV_EXTRAWHITE"].into_iter().find(|l| environ.contains_key(*l));
    if let Some(value) = list.and_then(|list| environ.get_mut(list)) {
        *value = format!("{value} {}", names.join(" "));
    }
    for name in names.into_iter().chain(FORWARDED) {
        if let Some(value) = ctx.env.get(name) {
            environ.insert(name.to_owned(), value.clone());
        }
    }
    Ok(environ)
}

/// Sources the script in a shell with an empty environment.
fn run_script(
    ctx: &Context,
    script: &str,
    dir: &Path,
    tools: Option<&Path>,
) -> Result<Environment, KasError> {
    let temporary = tempfile::tempdir_in(ctx.temp_dir()).doing("create", ctx.temp_dir())?;
    let log = temporary.path().join("init_script.log");
    let debug = ctx.log.shows(Level::Debug);
    let output_file = if debug { log.display().to_string() } else { "/dev/null".to_owned() };
    // older buildtools fail for want of pkg-config, which is harmless
    let source_tools = if tools.is_some() { "source \"$3\" || true\n" } else { "" };
    let text = format!("set -e\n{source_tools}source {script} \"$1\" > \"$2\"\nenv -0\n");
    let file = temporary.path().join("get_bb_env");
    std::fs::write(&file, text).doing("write", &file)?;
    let environ = Environment::from([("PATH".to_owned(), PATH.to_owned())]);
    let runner = Runner { environ: &environ, ..ctx.runner() };
    let words = argv(&[
        "bash",
        &file.display().to_string(),
        &ctx.build_dir.display().to_string(),
        &output_file,
        &tools.map(|tools| tools.display().to_string()).unwrap_or_default(),
    ]);
    let output = runner.require(&words, dir)?;
    if debug {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        ctx.log.debug(format!("{script} output:\n{text}").trim_end_matches('\n'));
    }
    let pairs = output.stdout.split('\0').filter_map(|entry| entry.split_once('='));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
