//! `bitzel build PROJECT.yml`: from a kas project file to a finished build.

use anyhow::{Context, Result};
use bitzel_kas::{Cancel, Invocation, Level, Logger, PrepareOptions, prepare};
use std::process::{Command, ExitCode};

/// Whether a target is a project file, or several separated by colons, and no recipe.
pub fn is_project(target: &str) -> bool {
    target.split(':').all(|file| [".yml", ".yaml", ".json"].iter().any(|end| file.ends_with(end)))
}

/// Checks the project's repositories out, writes its configuration and builds its targets.
/// `options` are those of `bitbake`.
pub fn build(files: &str, options: &[String]) -> Result<ExitCode> {
    let cwd = std::env::current_dir().context("the working directory is gone")?;
    let invocation = Invocation::new("bitzel build", std::env::vars_os(), cwd);
    let cancel = Cancel::listen().context("cannot listen for Ctrl-C")?;
    let log = Logger::new(Level::Info);
    let prepared = prepare(&invocation, Some(files), &PrepareOptions::default(), log, cancel)?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    // A process of its own: the environment and the working directory are the build's.
    let status = Command::new(program)
        .arg("bitbake")
        .args(["-c", &prepared.task])
        .args(options)
        .args(&prepared.targets)
        .current_dir(&prepared.build_dir)
        .env_clear()
        .envs(&prepared.environment)
        .status()
        .context("cannot start the build")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_files_and_recipes_are_told_apart() {
        for project in ["kas.yml", "a/kas.yaml:b.json"] {
            assert!(is_project(project), "{project}");
        }
        for target in ["core-image-minimal", "busybox:do_compile", "mc:a.yml:x"] {
            assert!(!is_project(target), "{target}");
        }
    }
}
