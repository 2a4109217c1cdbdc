//! Events of a build as messages.

use crate::console::downloads::DownloadLines;
use crate::console::live::Live;
use crate::console::tally::{FailedTask, Tally};
use crate::record::{BuildRecord, seconds};
use bitzel_engine::{BuildEvent, Job, Numbers, Observer, Outcome};
use bitzel_fetch::Progress;
use bitzel_recipe::protocol::HostEvent;
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Python's numbers of levels.
const NOTE: u64 = 20;
const PLAIN: u64 = 21;
const WARNING: u64 = 30;
const ERROR: u64 = 40;

/// What to show.
#[derive(Clone, Debug, Default)]
pub struct ViewOptions {
    /// `-q` so many times.
    pub quiet: u8,
    /// `-v`.
    pub verbose: bool,
    /// `-D`: the lowest level to show.
    pub debug: Option<u64>,
    /// `-l`: loggers whose debug messages are shown.
    pub domains: Vec<String>,
    /// BBINCLUDELOGS, with the number of lines from the end that BBINCLUDELOGS_LINES allows.
    pub include_logs: Option<Option<usize>>,
    /// Tell of each download, where there is no terminal that shows them.
    pub downloads: bool,
}

/// Shows a build.
pub struct BuildView {
    options: ViewOptions,
    live: Option<Live>,
    tally: Tally,
    /// PF and task of running tasks.
    titles: HashMap<Job, String>,
    logs: HashMap<Job, String>,
    numbers: Numbers,
    note: String,
    /// Where isolation is less than full: told once.
    degradations: BTreeSet<String>,
    /// What the sandbox would have refused.
    refusals: BTreeSet<String>,
    downloads: DownloadLines,
}

impl BuildView {
    /// A view; on a terminal it is live.
    pub fn new(options: ViewOptions) -> BuildView {
        let live = if options.quiet == 0 { Live::start() } else { None };
        BuildView {
            options,
            live,
            tally: Tally::default(),
            titles: HashMap::new(),
            logs: HashMap::new(),
            numbers: Numbers::default(),
            note: String::new(),
            degradations: BTreeSet::new(),
            refusals: BTreeSet::new(),
            downloads: DownloadLines::default(),
        }
    }

    /// A message of this program, counted if it is a warning or an error.
    pub fn message(&mut self, level: u64, text: &str) {
        match level {
            WARNING..ERROR => self.tally.warnings += 1,
            ERROR.. => self.tally.errors += 1,
            _ => {}
        }
        self.say(level, text);
    }

    /// Prints a message with the name of its level. Those below warnings go to standard
    /// output, as scripts expect.
    fn say(&mut self, level: u64, text: &str) {
        let lowest = match self.options.quiet {
            0 => self.options.debug.unwrap_or(NOTE),
            1 => WARNING,
            2 => ERROR,
            _ => ERROR + 1,
        };
        if level >= lowest {
            self.print(level, text);
        }
    }

    fn print(&self, level: u64, text: &str) {
        let name = match level {
            PLAIN => "",
            ..NOTE => "DEBUG: ",
            NOTE..WARNING => "NOTE: ",
            WARNING..ERROR => "WARNING: ",
            _ => "ERROR: ",
        };
        let text = format!("{name}{text}");
        match &self.live {
            Some(live) => live.print(&text),
            None if level < WARNING => print_line(&mut std::io::stdout(), &text),
            None => print_line(&mut std::io::stderr(), &text),
        }
    }

    fn host_event(&mut self, job: Option<Job>, event: &HostEvent) {
        let fields: Value = serde_json::from_str(&event.fields).unwrap_or_default();
        let text = |name: &str| fields[name].as_str().unwrap_or_default();
        match (event.class.as_str(), job) {
            ("logging.LogRecord", _) => self.record(job, &fields),
            ("bb.build.TaskStarted", Some(job)) => {
                self.titles.insert(job, format!("{} {}", text("package"), text("task")));
                self.logs.insert(job, text("logfile").to_owned());
                if let Some(live) = &mut self.live {
                    live.started(job, format!("{} {}", text("package"), text("task")));
                } else {
                    self.say(NOTE, text("message"));
                }
            }
            ("bitzel.Degradation", _) => self.degraded(text("message")),
            ("bitzel.Refusal", _) => drop(self.refusals.insert(text("message").to_owned())),
            ("bb.build.TaskSucceeded", _) if self.live.is_none() => self.say(NOTE, text("message")),
            ("bb.build.TaskFailed", Some(job)) => {
                self.log_of_failure(job, text("logfile"), fields["errprinted"].as_bool() == Some(true));
                self.say(NOTE, text("message"));
            }
            ("bb.build.TaskFailedSilent", _) => {
                self.say(WARNING, &format!("Logfile for failed setscene task is {}", text("logfile")));
            }
            ("bb.build.TaskProgress", Some(job)) => {
                if let Some(live) = &self.live {
                    live.progress(job, fields["progress"].as_i64().unwrap_or(-1), text("rate"));
                }
            }
            ("bb.fetch2.download.Downloads", Some(job)) => self.downloading(job, &fields["downloads"]),
            _ => {}
        }
    }

    fn downloading(&mut self, job: Job, downloads: &Value) {
        // Sent by our own Python.
        let downloads = Vec::<Progress>::deserialize(downloads).unwrap_or_default();
        if let Some(live) = &mut self.live {
            return live.downloads(job, &downloads);
        }
        if self.options.downloads {
            for line in self.downloads.take(job, &downloads, Instant::now()) {
                let title = self.titles.get(&job).map_or("", String::as_str);
                self.say(NOTE, &format!("{title}: {line}"));
            }
        }
    }

    fn degraded(&mut self, text: &str) {
        if self.degradations.insert(text.to_owned()) {
            self.message(WARNING, &format!("sandbox: {text}"));
        }
    }

    /// A message of metadata. BitBake: notes of tasks are in their logs only.
    fn record(&mut self, job: Option<Job>, fields: &Value) {
        let level = fields["levelno"].as_u64().unwrap_or(NOTE);
        let message = fields["msg"].as_str().unwrap_or_default();
        if level < NOTE && self.options.domains.iter().any(|domain| is_of_domain(fields, domain)) {
            return self.print(level, message);
        }
        if job.is_some() && level <= NOTE && !self.options.verbose && self.options.debug.is_none() {
            return;
        }
        match job.and_then(|job| self.titles.get(&job)) {
            Some(title) if level != PLAIN => {
                let text = format!("{title}: {message}");
                self.message(level, &text);
            }
            _ => self.message(level, message),
        }
    }

    fn log_of_failure(&mut self, job: Job, log: &str, printed: bool) {
        // There is none where nothing can be written.
        if log.is_empty() {
            return;
        }
        self.logs.insert(job, log.to_owned());
        self.say(ERROR, &format!("Logfile of failure stored in: {log}"));
        if printed {
            return;
        }
        if let Some(limit) = self.options.include_logs
            && let Ok(bytes) = std::fs::read(log)
        {
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text.lines().collect();
            let from = limit.map_or(0, |limit| lines.len().saturating_sub(limit));
            self.say(PLAIN, "Log data follows:");
            for line in &lines[from..] {
                self.say(PLAIN, &format!("| {line}"));
            }
        }
    }

    fn failed(&mut self, job: Job, tid: &str, code: &str, fakeroot_log: Option<&str>) {
        if job.setscene {
            let text = format!(
                "Setscene task ({tid}) failed with exit code '{code}' - real task will be run instead"
            );
            return self.message(WARNING, &text);
        }
        let mut text = format!("Task ({tid}) failed with exit code '{code}'");
        if let Some(log) = fakeroot_log {
            text.push_str(&format!(" \nPseudo log:\n{log}"));
        }
        self.say(ERROR, &text);
        let log = self.logs.get(&job).cloned();
        self.tally.failed.push(FailedTask { id: tid.to_owned(), log, details: Vec::new() });
    }

    fn started(&mut self, job: Job, tid: &str, numbers: Numbers, noexec: bool) {
        if self.live.is_some() {
            return;
        }
        let kind = if noexec { "noexec " } else { "" };
        let text = if job.setscene {
            let number = numbers.scene_covered + numbers.scene_not_covered + numbers.scene_active;
            format!("Running {kind}setscene task {number} of {} ({tid})", numbers.scene_total)
        } else {
            let number = numbers.completed + numbers.failed + numbers.active;
            format!("Running {kind}task {number} of {} ({tid})", numbers.total)
        };
        self.say(NOTE, &text);
    }

    fn ended(&mut self, job: Job) {
        self.titles.remove(&job);
        if let Some(live) = &mut self.live {
            live.ended(job);
        }
    }

    fn show_numbers(&self) {
        if let Some(live) = &self.live {
            live.numbers(self.numbers, &self.note);
        }
    }

    /// The tasks that failed so far, to say more of them in the end.
    pub fn failures(&mut self) -> &mut [FailedTask] {
        &mut self.tally.failed
    }

    /// How long a build took, where the time went, and where its trace is.
    pub fn summarise(&mut self, record: &BuildRecord, trace: &Path) {
        let mut dearest: Vec<_> = record.critical_tasks().collect();
        dearest.sort_by_key(|task| std::cmp::Reverse(task.elapsed_ms));
        let shown: Vec<String> = dearest
            .iter()
            .take(3)
            .map(|task| format!("{}:{} {:.1} s", task.recipe, task.task, seconds(task.elapsed_ms)))
            .collect();
        let text = format!(
            "{} tasks ran in {:.1} s; critical path {:.1} s, most of it {}",
            record.tasks.len(),
            seconds(record.elapsed_ms),
            seconds(record.critical_ms()),
            shown.join(", ")
        );
        self.say(NOTE, &text);
        self.say(NOTE, &format!("Trace for chrome://tracing or Perfetto: {}", trace.display()));
    }

    /// The lines at the end of a build.
    pub fn finish(mut self, outcome: &Outcome) -> Tally {
        if let Some(live) = &mut self.live {
            live.end();
        }
        self.live = None;
        if !self.refusals.is_empty() {
            self.say(NOTE, &format!("The sandbox would refuse {} accesses:", self.refusals.len()));
            std::mem::take(&mut self.refusals).iter().for_each(|text| self.say(PLAIN, &format!("  {text}")));
        }
        let numbers = outcome.numbers;
        let attempted = numbers.completed + numbers.failed;
        let fate = match numbers.failed {
            0 => "all succeeded.".to_owned(),
            count => format!("{count} failed."),
        };
        let text = format!(
            "Tasks Summary: Attempted {attempted} tasks of which {} didn't need to be rerun and {fate}",
            numbers.skipped
        );
        self.say(NOTE, &text);
        let quiet = self.options.quiet > 0;
        let tally = self.end();
        if outcome.interrupted && !quiet {
            let text = "Execution was interrupted, returning a non-zero exit code.";
            print_line(&mut std::io::stdout(), text);
        }
        tally
    }

    /// The summary of messages.
    pub fn end(mut self) -> Tally {
        self.live = None;
        let summary = self.tally.summary();
        if self.options.quiet == 0 && !summary.is_empty() {
            print_line(&mut std::io::stdout(), &format!("\n{}", summary.trim_end()));
        }
        self.tally
    }
}

impl Observer for BuildView {
    fn event(&mut self, event: &BuildEvent<'_>) {
        match event {
            BuildEvent::Preparing => self.begin_line("Initialising tasks..."),
            BuildEvent::Prepared { setscene, disabled } => {
                self.begin_line("done.\n");
                if *disabled || *setscene == 0 {
                    self.say(NOTE, "No setscene tasks");
                }
                self.say(NOTE, "Executing Tasks");
            }
            BuildEvent::Started { job, tid, numbers, noexec, .. } => {
                self.numbers = *numbers;
                self.started(*job, tid, *numbers, *noexec);
            }
            BuildEvent::Host { job, event } => self.host_event(*job, event),
            BuildEvent::Succeeded { job, .. } => self.ended(*job),
            BuildEvent::Failed { job, tid, code, fakeroot_log, .. } => {
                self.failed(*job, tid, code, *fakeroot_log);
                self.ended(*job);
            }
            BuildEvent::Abandoned { job } => self.ended(*job),
            BuildEvent::Interrupted { again: false } => {
                self.say(PLAIN, "\nKeyboard Interrupt, closing down...\n")
            }
            BuildEvent::Interrupted { again: true } => {
                self.say(PLAIN, "\nSecond Keyboard Interrupt, stopping...\n");
            }
            BuildEvent::Skipped { numbers, .. } => self.numbers = *numbers,
            BuildEvent::SceneComplete => {
                if let Some(live) = &self.live {
                    live.scene_complete();
                }
            }
            BuildEvent::Message { level, text } => self.message(u64::from(*level), text),
            BuildEvent::Stopping { running } => {
                self.note = ", stopping".to_owned();
                if *running > 0 {
                    self.say(NOTE, &format!("Waiting for {running} running tasks to finish"));
                }
            }
            BuildEvent::Pressure { reason } => {
                self.note = if reason.is_empty() { String::new() } else { format!(", held by {reason}") };
            }
            BuildEvent::Tick => {}
        }
        self.show_numbers();
    }
}

impl BuildView {
    /// Text that other text may follow on the same line, as BitBake shows what takes a while.
    fn begin_line(&self, text: &str) {
        if self.live.is_none() && self.options.quiet < 2 {
            let mut out = std::io::stdout();
            // Standard output that is closed is noticed at the end.
            drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
        }
    }
}

/// Whether a message is of a logger, by its name below `BitBake`.
fn is_of_domain(record: &Value, domain: &str) -> bool {
    let name = record["name"].as_str().unwrap_or_default();
    let own = name.strip_prefix("BitBake").unwrap_or(name).trim_start_matches('.');
    own == domain || name == domain || own.strip_prefix(domain).is_some_and(|rest| rest.starts_with('.'))
}

fn print_line(out: &mut dyn Write, text: &str) {
    // As above.
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}
