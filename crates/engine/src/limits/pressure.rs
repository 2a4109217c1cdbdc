//! Pressure stall information and load (BB_PRESSURE_MAX_*, BB_LOADFACTOR_MAX).

use crate::{Error, Result};
use std::time::{Duration, Instant};

/// In less time too little happens to judge by.
const SHORTEST: Duration = Duration::from_millis(100);

/// Where a kind of pressure is told, and its limit in microseconds of stalls per second.
#[derive(Clone, Debug)]
struct Gauge {
    name: &'static str,
    limit: f64,
    /// When the total was read last, and what it was.
    last: (Instant, f64),
    over: bool,
}

impl Gauge {
    /// Takes a reading. BitBake: the stalls of the last second count; a second that is not over yet
    /// is judged by as much of it as has passed.
    fn read(&mut self, now: Instant, total: f64) {
        let (then, before) = self.last;
        let passed = now.duration_since(then);
        if passed >= SHORTEST {
            self.over = (total - before) / passed.as_secs_f64() > self.limit;
        }
        if passed >= Duration::from_secs(1) {
            self.last = (now, total);
        }
    }
}

/// Watches the machine. With no limit set it never objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pressure {
    gauges: Vec<Gauge>,
    load_limit: Option<f64>,
}

impl Pressure {
    /// By the configuration's variables.
    pub(crate) fn from_settings(get: &dyn Fn(&str) -> Option<String>) -> Result<Pressure> {
        let mut pressure = Pressure::default();
        let kinds = [
            ("cpu", "BB_PRESSURE_MAX_CPU"),
            ("io", "BB_PRESSURE_MAX_IO"),
            ("memory", "BB_PRESSURE_MAX_MEMORY"),
        ];
        for (name, variable) in kinds {
            let Some(value) = get(variable).filter(|value| !value.trim().is_empty()) else { continue };
            let limit: f64 = number(variable, &value)?;
            if !(1.0..=1e6).contains(&limit) {
                let problem = "it must be between 1 and 1000000 (microseconds per second)".to_owned();
                return Err(Error::Setting { variable, value, problem });
            }
            // Where the kernel tells nothing, nothing is ever over.
            let last = (Instant::now(), stalls(name).unwrap_or_default());
            pressure.gauges.push(Gauge { name, limit, last, over: false });
        }
        if let Some(value) = get("BB_LOADFACTOR_MAX").filter(|value| !value.trim().is_empty()) {
            pressure.load_limit = Some(number("BB_LOADFACTOR_MAX", &value)?);
        }
        Ok(pressure)
    }

    /// What is over its limit, `None` if nothing is. BitBake: load counts only where no
    /// pressure limit is set.
    pub(crate) fn exceeded(&mut self) -> Option<String> {
        if self.gauges.is_empty() {
            let (limit, load) = (self.load_limit?, load_per_cpu()?);
            return (load > limit).then(|| format!("load {load:.2} per CPU"));
        }
        let now = Instant::now();
        for gauge in &mut self.gauges {
            if let Some(total) = stalls(gauge.name) {
                gauge.read(now, total);
            }
        }
        let over: Vec<&str> = self.gauges.iter().filter(|gauge| gauge.over).map(|gauge| gauge.name).collect();
        (!over.is_empty()).then(|| format!("{} pressure", over.join(", ")))
    }
}

fn number(variable: &'static str, value: &str) -> Result<f64> {
    let problem =
        || Error::Setting { variable, value: value.to_owned(), problem: "it must be a number".to_owned() };
    value.trim().parse().map_err(|_| problem())
}

/// The `total` of a kind's `some` line, in microseconds; `None` where the kernel has none.
fn stalls(name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/pressure/{name}")).ok()?;
    some_total(&text)
}

fn some_total(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("total="))?.parse().ok()
}

fn load_per_cpu() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(load / std::thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_checked() {
        let settings = |name: &str| (name == "BB_PRESSURE_MAX_CPU").then(|| "500".to_owned());
        assert_eq!(Pressure::from_settings(&settings).unwrap().gauges.len(), 1);
        let wrong = |name: &str| (name == "BB_PRESSURE_MAX_IO").then(|| "0".to_owned());
        assert!(Pressure::from_settings(&wrong).unwrap_err().to_string().contains("BB_PRESSURE_MAX_IO"));
    }

    #[test]
    fn a_second_that_is_not_over_counts_as_far_as_it_has_passed() {
        let start = Instant::now();
        let mut gauge = Gauge { name: "cpu", limit: 1000.0, last: (start, 0.0), over: false };
        let mut read = |milliseconds, total| {
            gauge.read(start + Duration::from_millis(milliseconds), total);
            gauge.over
        };
        assert!(!read(50, 1e6), "too soon to tell");
        assert!(read(500, 600.0));
        assert!(!read(1000, 900.0));
        assert!(read(1500, 1500.0), "counted from the second before");
    }

    #[test]
    fn totals_are_those_of_partial_stalls() {
        let text = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\nfull avg10=0.00 total=99\n";
        assert_eq!(some_total(text), Some(1234.0));
    }
}
