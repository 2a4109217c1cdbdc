//! The menu as widgets.

use super::state::{BUTTONS, Dialog, Menu};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, List, ListState, Paragraph, Wrap};

/// Draws one frame.
pub(super) fn draw(frame: &mut Frame<'_>, menu: &Menu<'_>) {
    let [list, buttons, keys] =
        Layout::vertical([Constraint::Min(3), Constraint::Length(1), Constraint::Length(1)])
            .areas(frame.area());
    let entries = menu.entries();
    let titles: Vec<&str> = menu.levels.iter().map(|level| level.title.as_str()).collect();
    let lines = entries.iter().map(|entry| Line::from(entry.text.clone()));
    let marked = Style::new().add_modifier(Modifier::REVERSED);
    let widget = List::new(lines).block(Block::bordered().title(titles.join(" > "))).highlight_style(marked);
    let selected = (!entries.is_empty() && menu.button.is_none()).then(|| menu.selected(&entries));
    frame.render_stateful_widget(widget, list, &mut ListState::default().with_selected(selected));
    let mut spans = Vec::new();
    for (i, (name, _)) in BUTTONS.iter().enumerate() {
        let style = if menu.button == Some(i) { marked } else { Style::new() };
        spans.extend([Span::styled(format!("< {name} >"), style), Span::raw("  ")]);
    }
    frame.render_widget(Line::from(spans).centered(), buttons);
    let help = "arrows: choose  space: toggle  enter: open or edit  tab: buttons  esc: back";
    frame.render_widget(Line::from(help).style(Style::new().add_modifier(Modifier::DIM)).centered(), keys);
    match &menu.dialog {
        Some(Dialog::Message { title, text }) => dialog(frame, title, text, "< Ok >"),
        Some(Dialog::Entry { title, label, value, .. }) => {
            dialog(frame, title, &format!("{label}\n\n> {value}_"), "enter: ok  esc: cancel");
        }
        None => {}
    }
}

fn dialog(frame: &mut Frame<'_>, title: &str, text: &str, footer: &str) {
    let area = frame.area();
    let width = area.width.min(64);
    let lines =
        text.lines().map(|line| 1 + line.chars().count() / usize::from(width.max(5) - 4)).sum::<usize>();
    let height = u16::try_from(lines + 4).unwrap_or(u16::MAX).min(area.height);
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    let block =
        Block::bordered().title(title.to_owned()).title_bottom(Line::from(footer.to_owned()).centered());
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(text.to_owned()).wrap(Wrap { trim: false }).block(block), place);
}
