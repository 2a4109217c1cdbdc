//! Progress of long work: a bar on a terminal, a few plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

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
