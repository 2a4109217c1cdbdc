//! The report's form, for people and as JSON.

use crate::{Error, Mode};
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

    /// The mode that can be had, given the one that is wanted, and what to say
    /// once per build. Where tasks cannot be isolated they run without, loudly,
    /// unless `require` is set.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if `require` is set and anything is less than full.
    pub fn effective_mode(&self, wanted: Mode, require: bool) -> Result<(Mode, Vec<String>), Error> {
        if wanted != Mode::Enforce {
            return Ok((wanted, Vec::new()));
        }
        let mut told: Vec<String> = self
            .degradations()
            .map(|check| format!("{}: {} ({})", check.name, check.finding, check.remedy))
            .collect();
        if require && !told.is_empty() {
            return Err(Error::Unavailable(told.join("; ")));
        }
        if self.can_enforce {
            return Ok((Mode::Enforce, told));
        }
        told.insert(0, "tasks run WITHOUT isolation: this host cannot give it".to_owned());
        Ok((Mode::Off, told))
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
    fn isolation_is_never_given_up_silently() {
        let check =
            |state| Check { name: "sandbox".into(), state, finding: "no".into(), remedy: "do".into() };
        let full = DoctorReport { can_enforce: true, checks: vec![check(State::Ok)] };
        let weak = DoctorReport { can_enforce: true, checks: vec![check(State::Degraded)] };
        let none = DoctorReport { can_enforce: false, checks: vec![check(State::Missing)] };
        assert_eq!(full.effective_mode(Mode::Enforce, true).unwrap(), (Mode::Enforce, vec![]));
        assert_eq!(weak.effective_mode(Mode::Enforce, false).unwrap().1, ["sandbox: no (do)"]);
        assert!(weak.effective_mode(Mode::Enforce, true).is_err());
        let (mode, told) = none.effective_mode(Mode::Enforce, false).unwrap();
        assert!(mode == Mode::Off && told[0].contains("WITHOUT isolation"), "{told:?}");
        assert!(none.effective_mode(Mode::Enforce, true).is_err());
        assert_eq!(none.effective_mode(Mode::Off, true).unwrap().0, Mode::Off);
    }

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
