//! Resource limits of a task and how they are written in variables and flags.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A limited resource. The unit of its limit is in the variant's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// Milliseconds from start to end.
    Timeout,
    /// Milliseconds of CPU time, of the whole task.
    CpuTime,
    /// Thousandths of a processor the task may use at once.
    Cpus,
    /// Bytes of memory of the whole task.
    Memory,
    /// Processes and threads at once.
    Pids,
    /// Bytes of any one file.
    FileSize,
    /// Bytes the task may have written to its directories and still hold.
    Disk,
    /// Files the task may have made in its directories and still hold.
    Files,
    /// Bytes of the private /tmp.
    Tmp,
}

/// How the value of a resource is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Time,
    Size,
    Count,
    Thousandths,
}

impl Resource {
    /// All of them.
    pub const ALL: [Resource; 9] = [
        Resource::Timeout,
        Resource::CpuTime,
        Resource::Cpus,
        Resource::Memory,
        Resource::Pids,
        Resource::FileSize,
        Resource::Disk,
        Resource::Files,
        Resource::Tmp,
    ];

    fn parts(self) -> (&'static str, &'static str, &'static str, Form) {
        match self {
            Resource::Timeout => ("timeout", "BITZEL_TASK_TIMEOUT", "bitzel-timeout", Form::Time),
            Resource::CpuTime => ("CPU time", "BITZEL_TASK_CPU_TIME", "bitzel-cpu-time", Form::Time),
            Resource::Cpus => ("processor", "BITZEL_TASK_CPUS", "bitzel-cpus", Form::Thousandths),
            Resource::Memory => ("memory", "BITZEL_TASK_MEMORY", "bitzel-memory", Form::Size),
            Resource::Pids => ("process", "BITZEL_TASK_PIDS", "bitzel-pids", Form::Count),
            Resource::FileSize => ("file size", "BITZEL_TASK_FILE_SIZE", "bitzel-file-size", Form::Size),
            Resource::Disk => ("disk", "BITZEL_TASK_DISK", "bitzel-disk", Form::Size),
            Resource::Files => ("file count", "BITZEL_TASK_FILES", "bitzel-files", Form::Count),
            Resource::Tmp => ("/tmp", "BITZEL_TASK_TMP", "bitzel-tmp", Form::Size),
        }
    }

    /// Name in messages.
    pub fn describe(self) -> &'static str {
        self.parts().0
    }

    /// The variable that sets it for all tasks.
    pub fn variable(self) -> &'static str {
        self.parts().1
    }

    /// The task flag that sets it for one task.
    pub fn flag(self) -> &'static str {
        self.parts().2
    }

    /// A value of this resource as people read it.
    pub fn show(self, value: u64) -> String {
        match self.parts().3 {
            Form::Time => format!("{}.{:01} s", value / 1000, value % 1000 / 100),
            Form::Size if value >= 1 << 20 => format!("{} MiB", value >> 20),
            Form::Size => format!("{value} bytes"),
            Form::Count => value.to_string(),
            Form::Thousandths => format!("{}.{:02}", value / 1000, value % 1000 / 10),
        }
    }

    /// Reads a value: sizes as `4G`, `512M`, `1024`; times as `90`, `90s`,
    /// `15m`, `2h`, `500ms`; counts as `100`, `64k`; processors as `1.5`.
    fn parse(self, text: &str) -> Result<u64, &'static str> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..split], text[split..].trim());
        let scale: f64 = match (self.parts().3, unit) {
            (Form::Time, "ms") => 1.0,
            (Form::Time, "" | "s") => 1e3,
            (Form::Time, "m") => 6e4,
            (Form::Time, "h") => 3.6e6,
            (Form::Size, "" | "B") | (Form::Count, "") => 1.0,
            (Form::Size, "k" | "K" | "KiB") => 1024.0,
            (Form::Size, "M" | "MiB") => 1048576.0,
            (Form::Size, "G" | "GiB") => 1073741824.0,
            (Form::Size, "T" | "TiB") => 1099511627776.0,
            (Form::Count, "k") | (Form::Thousandths, "") => 1e3,
            (Form::Count, "M") => 1e6,
            (Form::Time, _) => return Err("expected a time such as `90`, `15m` or `2h`"),
            (Form::Size, _) => return Err("expected a size such as `512M` or `4G`"),
            (Form::Count, _) => return Err("expected a number such as `500` or `64k`"),
            (Form::Thousandths, _) => return Err("expected a number of processors such as `2` or `1.5`"),
        };
        let number: f64 = number.parse().map_err(|_| "expected a number")?;
        let value = number * scale;
        if !(1.0..1e18).contains(&value) {
            return Err("expected a number above zero, of a sensible size");
        }
        Ok(value as u64)
    }
}

/// The limits of a task; a resource that is not in it is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits(BTreeMap<Resource, u64>);

impl Limits {
    /// No limits.
    pub fn none() -> Limits {
        Limits::default()
    }

    /// The limit of a resource, in its unit.
    pub fn get(&self, resource: Resource) -> Option<u64> {
        self.0.get(&resource).copied()
    }

    /// These limits with one set.
    pub fn with(mut self, resource: Resource, value: u64) -> Limits {
        self.0.insert(resource, value);
        self
    }

    /// The wall clock limit.
    pub fn timeout(&self) -> Option<Duration> {
        self.get(Resource::Timeout).map(Duration::from_millis)
    }

    /// Nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the limits of `task` from its flags and, where a flag is not set,
    /// from the variables. An empty text and `0` mean: no limit.
    ///
    /// # Errors
    /// [`Error::Setting`] for an unreadable value.
    pub fn from_metadata(
        task: &str,
        variable: impl Fn(&str) -> Option<String>,
        flag: impl Fn(&str) -> Option<String>,
    ) -> Result<Limits, Error> {
        let mut limits = BTreeMap::new();
        for resource in Resource::ALL {
            let (name, value) = match flag(resource.flag()) {
                Some(value) => (format!("{task}[{}]", resource.flag()), value),
                None => match variable(resource.variable()) {
                    Some(value) => (resource.variable().to_owned(), value),
                    None => continue,
                },
            };
            if value.trim().is_empty() || value.trim() == "0" {
                continue;
            }
            let number = resource.parse(&value).map_err(|message| Error::Setting {
                name,
                value: value.clone(),
                message: message.to_owned(),
            })?;
            limits.insert(resource, number);
        }
        Ok(Limits(limits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_units() {
        for (resource, text, want) in [
            (Resource::Timeout, "90", 90_000),
            (Resource::Timeout, "2h", 7_200_000),
            (Resource::CpuTime, "500ms", 500),
            (Resource::Memory, "1.5G", 3 << 29),
            (Resource::Disk, "64 MiB", 64 << 20),
            (Resource::Pids, "2k", 2000),
            (Resource::Cpus, "1.5", 1500),
        ] {
            assert_eq!(resource.parse(text), Ok(want), "{text}");
        }
        for (resource, text) in [
            (Resource::Timeout, "soon"),
            (Resource::Memory, "4X"),
            (Resource::Pids, "-1"),
            (Resource::Cpus, "0"),
        ] {
            assert!(resource.parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_flag_wins_over_the_variable_and_zero_lifts_the_limit() {
        let variable = |name: &str| (name == "BITZEL_TASK_PIDS").then(|| "10".to_owned());
        let limits = |flag: Option<&str>| {
            let flag = |name: &str| flag.filter(|_| name == "bitzel-pids").map(str::to_owned);
            Limits::from_metadata("do_x", variable, flag).unwrap().get(Resource::Pids)
        };
        assert_eq!(limits(None), Some(10));
        assert_eq!(limits(Some("20")), Some(20));
        assert_eq!(limits(Some("0")), None);
    }

    #[test]
    fn an_unreadable_value_is_named_with_its_variable() {
        let error =
            Limits::from_metadata("do_x", |_| None, |f| (f == "bitzel-memory").then(|| "lots".into()))
                .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`do_x[bitzel-memory] = \"lots\"`: expected a size such as `512M` or `4G`"
        );
    }
}
