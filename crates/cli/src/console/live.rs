//! The lines at the bottom of a terminal: overall progress and running tasks.

use crate::console::downloads::state;
use bitzel_engine::{Job, Numbers};
use bitzel_fetch::{Progress, Stage};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Duration;

/// The live view; nothing of it is seen where there is no terminal.
pub struct Live {
    lines: MultiProgress,
    overall: ProgressBar,
    scene: ProgressBar,
    running: HashMap<Job, ProgressBar>,
    /// By task and name.
    downloads: HashMap<(Job, String), ProgressBar>,
}

impl Live {
    /// A view if standard output is a terminal that can be drawn on.
    pub fn start() -> Option<Live> {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if dumb || !std::io::stdout().is_terminal() {
            return None;
        }
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stdout_with_hz(10));
        let scene = lines.add(ProgressBar::new(0));
        scene.set_style(style("Setscene tasks: {pos} of {len} {msg}"));
        let overall = lines.add(ProgressBar::new(0));
        overall.set_style(
            style("{msg:.bold} {wide_bar:.green} {percent:>3}% ({pos} of {len}) {elapsed} ETA {eta}")
                .progress_chars("━━─"),
        );
        overall.enable_steady_tick(Duration::from_millis(250));
        Some(Live { lines, overall, scene, running: HashMap::new(), downloads: HashMap::new() })
    }

    /// Prints lines above the view.
    pub fn print(&self, text: &str) {
        // A terminal that is gone is noticed by whoever writes next.
        drop(self.lines.println(text));
    }

    /// A task runs.
    pub fn started(&mut self, job: Job, title: String) {
        let line = self.lines.add(ProgressBar::new(100));
        line.set_style(style("  {spinner:.cyan} {msg} {elapsed:.dim}"));
        line.set_message(title);
        line.enable_steady_tick(Duration::from_millis(250));
        self.running.insert(job, line);
    }

    /// A task tells how far it is, in percent; negative if it cannot know.
    pub fn progress(&self, job: Job, percent: i64, rate: &str) {
        let Some(line) = self.running.get(&job) else { return };
        if let Ok(percent) = u64::try_from(percent) {
            line.set_style(
                style("  {spinner:.cyan} {msg} {elapsed:.dim} {bar:20.green} {percent:>3}% {prefix}")
                    .progress_chars("━━─"),
            );
            line.set_position(percent.min(100));
        }
        line.set_prefix(rate.to_owned());
    }

    /// How far a task's downloads are: one line each, below the task's.
    pub fn downloads(&mut self, job: Job, downloads: &[Progress]) {
        let Some(task) = self.running.get(&job) else { return };
        for download in downloads {
            let key = (job, download.name.clone());
            if download.stage != Stage::Active {
                if let Some(line) = self.downloads.remove(&key) {
                    take_away(&self.lines, &line);
                }
                continue;
            }
            let line = self.downloads.entry(key).or_insert_with(|| {
                let line = self.lines.insert_after(task, ProgressBar::new(0));
                line.set_style(style("    {wide_msg} {prefix}"));
                line.set_message(download.name.clone());
                line
            });
            if let Some(total) = download.total {
                line.set_style(
                    style("    {wide_msg} {prefix} {bar:20.cyan} {percent:>3}%").progress_chars("━━─"),
                );
                line.set_length(total);
            }
            line.set_position(download.done);
            line.set_prefix(state(download));
        }
    }

    /// A task ended.
    pub fn ended(&mut self, job: Job) {
        self.downloads.retain(|(task, _), line| {
            let over = *task == job;
            if over {
                take_away(&self.lines, line);
            }
            !over
        });
        if let Some(line) = self.running.remove(&job) {
            take_away(&self.lines, &line);
        }
    }

    /// New counts.
    pub fn numbers(&self, numbers: Numbers, note: &str) {
        self.overall.set_length(numbers.total as u64);
        self.overall.set_position((numbers.completed + numbers.failed) as u64);
        let running = numbers.running();
        let tasks = if running == 1 { "task" } else { "tasks" };
        self.overall.set_message(format!("{running} running {tasks}{note}"));
        self.scene.set_length(numbers.scene_total as u64);
        self.scene.set_position((numbers.scene_covered + numbers.scene_not_covered) as u64);
        self.scene.set_message(format!("({} restored)", numbers.scene_covered));
    }

    /// Setscene tasks are done with.
    pub fn scene_complete(&self) {
        take_away(&self.lines, &self.scene);
    }

    /// Takes the view away.
    pub fn end(&mut self) {
        for line in
            self.running.drain().map(|(_, line)| line).chain(self.downloads.drain().map(|(_, line)| line))
        {
            line.finish_and_clear();
        }
        self.scene.finish_and_clear();
        self.overall.finish_and_clear();
        // As above.
        drop(self.lines.clear());
    }
}

fn take_away(lines: &MultiProgress, line: &ProgressBar) {
    line.finish_and_clear();
    lines.remove(line);
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("templates are constants that parse")
}
