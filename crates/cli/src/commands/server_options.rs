//! Options of `bitbake` that are about its server and its other user interfaces. bitzel has
//! neither: each such option either has nothing to do or is refused with the reason.

use anyhow::{Result, bail};

/// The options.
#[derive(clap::Args, Clone, Default)]
#[command(next_help_heading = "Server options (bitzel has no server)")]
pub struct ServerArguments {
    /// The user interface: there is knotty
    #[arg(short = 'u', long, value_name = "UI")]
    ui: Option<String>,
    /// Not supported
    #[arg(long, hide = true)]
    revisions_changed: bool,
    /// Not supported: `bitzel log --json` tells what a build did
    #[arg(short = 'w', long = "write-log", value_name = "FILE", hide = true)]
    write_log: Option<String>,
    /// Not supported
    #[arg(short = 'B', long, value_name = "ADDRESS", hide = true)]
    bind: Option<String>,
    /// Accepted: there is no server to unload
    #[arg(short = 'T', long = "idle-timeout", value_name = "SECONDS", allow_negative_numbers = true)]
    idle_timeout: Option<f64>,
    /// Not supported
    #[arg(long, value_name = "ADDRESS", hide = true)]
    remote_server: Option<String>,
    /// Accepted: there is no server to end
    #[arg(short = 'm', long)]
    kill_server: bool,
    /// Not supported
    #[arg(long, value_name = "TOKEN", hide = true)]
    token: Option<String>,
    /// Not supported
    #[arg(long, hide = true)]
    observe_only: bool,
    /// Not supported
    #[arg(long, hide = true)]
    status_only: bool,
    /// Not supported
    #[arg(long, hide = true)]
    server_only: bool,
}

impl ServerArguments {
    /// Refuses what cannot be done; true if everything that was asked for is done.
    pub fn check(&self) -> Result<bool> {
        let server = "bitzel has no server: every command reads its caches itself";
        let refused = [
            (self.bind.is_some(), "--bind", server),
            (self.remote_server.is_some(), "--remote-server", server),
            (self.token.is_some(), "--token", server),
            (self.observe_only, "--observe-only", server),
            (self.status_only, "--status-only", server),
            (self.server_only, "--server-only", server),
            (self.revisions_changed, "--revisions-changed", "no revisions of earlier builds are kept"),
            (
                self.write_log.is_some(),
                "--write-log",
                "its format holds pickled objects of BitBake; `bitzel log what-ran --json` tells what a build did",
            ),
        ];
        if let Some((_, option, reason)) = refused.iter().find(|(given, ..)| *given) {
            bail!("{option} is not supported: {reason}");
        }
        match self.ui.as_deref() {
            None | Some("knotty") => Ok(self.kill_server),
            Some(ui) => {
                bail!("--ui {ui} is not supported: there is knotty, which is a live view on terminals")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ServerArguments;

    #[test]
    fn what_cannot_be_done_is_refused_with_its_reason() {
        let refused = |given: ServerArguments| given.check().unwrap_err().to_string();
        let given = ServerArguments { server_only: true, ..ServerArguments::default() };
        assert!(refused(given).contains("--server-only is not supported: bitzel has no server"));
        let given = ServerArguments { ui: Some("ncurses".to_owned()), ..ServerArguments::default() };
        assert!(refused(given).contains("--ui ncurses"));
        assert!(!ServerArguments::default().check().unwrap());
        assert!(ServerArguments { kill_server: true, ..ServerArguments::default() }.check().unwrap());
    }
}
