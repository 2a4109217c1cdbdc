//! The lines at the bottom of a terminal: overall progress and running tasks.

use bitzel_engine::{Job, Numbers};
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
        Some(Live { lines, overall, scene, running: HashMap::new() })
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

    /// A task ended.
    pub fn ended(&mut self, job: Job) {
        if let Some(line) = self.running.remove(&job) {
            line.finish_and_clear();
            self.lines.remove(&line);
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
        self.scene.finish_and_clear();
        self.lines.remove(&self.scene);
    }

    /// Takes the view away.
    pub fn end(&mut self) {
        for (_, line) in self.running.drain() {
            line.finish_and_clear();
        }
        self.scene.finish_and_clear();
        self.overall.finish_and_clear();
        // As above.
        drop(self.lines.clear());
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("templates are constants that parse")
}
