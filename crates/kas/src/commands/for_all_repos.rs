//! `kas for-all-repos`: one shell command in every repository.

use crate::args::{is_set, skipped, text};
use crate::commands::shell::preserve_env;
use crate::error::KasError;
use crate::process::{Runner, failed};
use crate::session::Session;
use crate::steps::with_steps;
use clap::ArgMatches;

/// Runs the command; the first failure ends it.
pub fn run(mut session: Session, matches: &ArgMatches) -> Result<(), KasError> {
    preserve_env(&mut session.ctx, is_set(matches, "preserve-env"))?;
    let command = text(matches, "command").unwrap_or_default();
    with_steps(&mut session, &skipped(matches), |session| {
        session.resolve_repos()?;
        for repo in session.repos.values() {
            let ctx = &session.ctx;
            let mut environ = ctx.environ.clone();
            for (name, value) in [
                ("NAME", Some(&repo.name)),
                ("PATH", Some(&repo.path.display().to_string())),
                ("URL", repo.url.as_ref()),
                ("COMMIT", repo.commit.as_ref().filter(|_| repo.is_managed())),
                ("BRANCH", repo.branch.as_ref()),
                ("TAG", repo.tag.as_ref()),
                ("REFSPEC", repo.refspec.as_ref()),
            ] {
                environ.insert(format!("KAS_REPO_{name}"), value.cloned().unwrap_or_default());
            }
            ctx.log.info(&format!("{}$ {command}", repo.path.display()));
            let argv = ["/bin/sh".to_owned(), "-c".to_owned(), command.to_owned()];
            let code = Runner { environ: &environ, ..ctx.runner() }.foreground(&argv, &repo.path)?;
            if code != 0 {
                return Err(failed(&argv[2..], code));
            }
        }
        Ok(())
    })
}
