//! The report's form, for people and as JSON.

use serde::{Deserialize, Serialize};
use std::fmt;

/// All checks of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorReport {
    /// Whether tasks can be isolated (`enforce`) at all.
    pub can_enforce: bool,
    /// In the order they are shown.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Short name, stable for programs.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub finding: String,
    /// What to do; empty where all is well.
    pub remedy: String,
}

/// How a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In force.
    Ok,
    /// Something weaker stands in.
    Degraded,
    /// Not in force.
    Missing,
}

impl DoctorReport {
    /// The checks that are not [`State::Ok`]: to be said once per build.
    pub fn degradations(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.state != State::Ok)
    }

    /// The report as JSON, for `bitzel doctor --json`.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("reports hold nothing JSON cannot")
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Ok => "ok",
            State::Degraded => "degraded",
            State::Missing => "missing",
        };
        write!(f, "{:<20} {state:<9} {}", self.name, self.finding)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "\n{:<30} -> {}", "", self.remedy) }
    }
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            writeln!(f, "{check}")?;
        }
        let verdict =
            if self.can_enforce { "tasks are isolated" } else { "tasks CANNOT be isolated on this host" };
        writeln!(f, "{verdict}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_well_and_survives_json() {
        let check = Check {
            name: "landlock".into(),
            state: State::Missing,
            finding: "not in this kernel".into(),
            remedy: "boot with lsm=landlock".into(),
        };
        let report = DoctorReport { can_enforce: true, checks: vec![check] };
        assert_eq!(serde_json::from_str::<DoctorReport>(&report.to_json()).unwrap(), report);
        let text = report.to_string();
        assert!(text.starts_with("landlock             missing   not in this kernel\n"), "{text}");
        assert!(
            text.contains("-> boot with lsm=landlock\n") && text.ends_with("tasks are isolated\n"),
            "{text}"
        );
    }
}
