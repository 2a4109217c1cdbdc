//! Messages shown, counted for the end.

use std::fmt::Write;

/// How many messages of each kind were shown, and which tasks failed.
#[derive(Debug, Default)]
pub struct Tally {
    /// Warnings.
    pub warnings: usize,
    /// Errors; a failed task counts by what it said itself.
    pub errors: usize,
    /// Failed tasks with their logs.
    pub failed: Vec<(String, Option<String>)>,
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
        for (tid, log) in &self.failed {
            line(format!("  {tid}"));
            if let Some(log) = log {
                line(format!("    log: {log}"));
            }
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
    use super::Tally;

    #[test]
    fn summaries_read_as_bitbakes() {
        let mut tally = Tally::default();
        assert_eq!(tally.summary(), "");
        tally.failed.push(("/a.bb:do_x".to_owned(), Some("/log".to_owned())));
        tally.warnings = 1;
        tally.errors = 2;
        assert_eq!(
            tally.summary(),
            "Summary: 1 task failed:\n  /a.bb:do_x\n    log: /log\nSummary: There was 1 WARNING message.\nSummary: There were 2 ERROR messages, returning a non-zero exit code.\n"
        );
    }
}
