//! Progress of long work: a bar on a terminal, a few plain lines elsewhere.

use bitzel_workspace::Watch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;

/// A bar for `total` steps, named as BitBake names the work.
pub fn bar(name: &str, total: usize) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(total as u64), target);
    let style =
        ProgressStyle::with_template("{msg} {percent:>3}% |{wide_bar:.green}| {pos}/{len} ETA: {eta}");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("##-"));
    }
    bar.set_message(format!("{name}:"));
    bar
}

/// Shows how evaluating goes on.
#[derive(Default)]
pub struct Terminal {
    bar: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    fn bar(&self) -> std::sync::MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Watch for Terminal {
    fn begin(&self, what: &str, total: usize) {
        *self.bar() = Some(bar(what, total));
    }

    fn step(&self) {
        if let Some(bar) = &*self.bar() {
            bar.inc(1);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
    }

    fn note(&self, text: &str) {
        eprintln!("NOTE: {text}");
    }

    fn warn(&self, text: &str) {
        eprintln!("WARNING: {text}");
    }
}
