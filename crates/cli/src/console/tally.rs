//! Messages shown, counted for the end.

use std::fmt::Write;

/// How many messages of each kind were shown, and which tasks failed.
#[derive(Debug, Default)]
pub struct Tally {
    /// Warnings.
    pub warnings: usize,
    /// Errors; a failed task counts by what it said itself.
    pub errors: usize,
    /// Failed tasks.
    pub failed: Vec<FailedTask>,
}

/// A task that failed.
#[derive(Debug, Default)]
pub struct FailedTask {
    /// `FILE:do_x`.
    pub id: String,
    /// Its log.
    pub log: Option<String>,
    /// What more there is to say of it.
    pub details: Vec<String>,
}

impl Tally {
    /// The lines BitBake ends with; empty if there is nothing to say.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string does not fail");
        match self.failed.len() {
            0 => {}
            1 => line("Summary: 1 task failed:".to_owned()),
            count => line(format!("Summary: {count} tasks failed:")),
        }
        for FailedTask { id, log, details } in &self.failed {
            line(format!("  {id}"));
            if let Some(log) = log {
                line(format!("    log: {log}"));
            }
            details.iter().for_each(|detail| line(format!("    {detail}")));
        }
        match self.warnings {
            0 => {}
            1 => line("Summary: There was 1 WARNING message.".to_owned()),
            count => line(format!("Summary: There were {count} WARNING messages.")),
        }
        match self.errors {
            0 => {}
            1 => line("Summary: There was 1 ERROR message, returning a non-zero exit code.".to_owned()),
            count => {
                line(format!("Summary: There were {count} ERROR messages, returning a non-zero exit code."));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{FailedTask, Tally};

    #[test]
    fn summaries_read_as_bitbakes() {
        let mut tally = Tally::default();
        assert_eq!(tally.summary(), "");
        let details = vec!["error: no".to_owned()];
        tally.failed.push(FailedTask { id: "/a.bb:do_x".to_owned(), log: Some("/log".to_owned()), details });
        tally.warnings = 1;
        tally.errors = 2;
        assert_eq!(
            tally.summary(),
            "Summary: 1 task failed:\n  /a.bb:do_x\n    log: /log\n    error: no\nSummary: There was 1 WARNING message.\nSummary: There were 2 ERROR messages, returning a non-zero exit code.\n"
        );
    }
}
