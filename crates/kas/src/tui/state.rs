//! What keys do to the menu.

use super::draw::draw;
use bitzel_project::{Entry, Kconfig, Kind, NodeId, SymId};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// How the menu was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Save and build.
    Build,
    /// Save.
    Save,
    /// Forget everything.
    Exit,
}

/// The buttons below the list, with their keys.
pub(super) const BUTTONS: [(&str, char); 4] =
    [("Build", 'B'), ("Save & Exit", 'S'), ("Exit", 'E'), ("Help", 'h')];

/// Something on top of the menu.
pub(super) enum Dialog {
    /// A text to read.
    Message { title: String, text: String },
    /// A value to enter.
    Entry { symbol: SymId, title: String, label: String, value: String },
}

/// One menu of those that are open.
pub(super) struct Level {
    pub node: NodeId,
    pub title: String,
    pub selected: usize,
}

/// The menu as it stands on the terminal.
pub(super) struct Menu<'a> {
    pub kconfig: &'a mut Kconfig,
    /// The open menus, the shown one last.
    pub levels: Vec<Level>,
    /// The chosen button; `None` while the list is in use.
    pub button: Option<usize>,
    pub dialog: Option<Dialog>,
}

/// How long a signal may wait for the menu to close.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(200);

/// Shows the menu until it is left, or until `cancelled`.
pub fn show(kconfig: &mut Kconfig, cancelled: &dyn Fn() -> bool) -> std::io::Result<Action> {
    let mut terminal = ratatui::try_init()?;
    let result = run(&mut terminal, &mut Menu::new(kconfig), cancelled);
    ratatui::try_restore()?;
    result
}

fn run(
    terminal: &mut ratatui::DefaultTerminal,
    menu: &mut Menu<'_>,
    cancelled: &dyn Fn() -> bool,
) -> std::io::Result<Action> {
    loop {
        terminal.draw(|frame| draw(frame, menu))?;
        while !event::poll(PATIENCE)? {
            if cancelled() {
                return Ok(Action::Exit);
            }
        }
        if let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
            && let Some(action) = menu.key(key)
        {
            return Ok(action);
        }
    }
}

impl Menu<'_> {
    pub fn new(kconfig: &mut Kconfig) -> Menu<'_> {
        let top = Level { node: kconfig.root(), title: kconfig.title().to_owned(), selected: 0 };
        Menu { kconfig, levels: vec![top], button: None, dialog: None }
    }

    pub fn level(&self) -> &Level {
        self.levels.last().expect("the main menu is never closed")
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.kconfig.entries(self.level().node)
    }

    /// The chosen line; choices may have made the list shorter.
    pub fn selected(&self, entries: &[Entry]) -> usize {
        self.level().selected.min(entries.len().saturating_sub(1))
    }

    /// Takes a key; answers when the menu is left.
    pub fn key(&mut self, key: KeyEvent) -> Option<Action> {
        if self.dialog.is_some() {
            self.dialog_key(key);
            return None;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => return Some(Action::Exit),
            KeyCode::Up => self.step(-1),
            KeyCode::Down => self.step(1),
            KeyCode::PageUp => self.step(-10),
            KeyCode::PageDown => self.step(10),
            KeyCode::Tab => {
                self.button = self.button.map_or(Some(0), |b| (b + 1 < BUTTONS.len()).then_some(b + 1))
            }
            KeyCode::BackTab => {
                self.button = self.button.map_or(Some(BUTTONS.len() - 1), |b| b.checked_sub(1))
            }
            KeyCode::Left | KeyCode::Right => {
                let step = if key.code == KeyCode::Left { BUTTONS.len() - 1 } else { 1 };
                self.button = self.button.map(|b| (b + step) % BUTTONS.len()).or(Some(0));
            }
            KeyCode::Esc => return self.back(),
            KeyCode::Char(' ') if self.button.is_none() => self.toggle(),
            KeyCode::Enter | KeyCode::Char(' ') => match self.button {
                Some(button) => return self.press(BUTTONS[button].1),
                None => self.open(),
            },
            KeyCode::Char(c) => return self.press(c),
            _ => {}
        }
        None
    }

    fn step(&mut self, by: isize) {
        let entries = self.entries();
        let selected = self.selected(&entries).saturating_add_signed(by).min(entries.len().saturating_sub(1));
        self.button = None;
        if let Some(level) = self.levels.last_mut() {
            level.selected = selected;
        }
    }

    fn press(&mut self, key: char) -> Option<Action> {
        match key.to_ascii_lowercase() {
            'b' => Some(Action::Build),
            's' => Some(Action::Save),
            'e' => Some(Action::Exit),
            'h' | '?' => {
                self.help();
                None
            }
            _ => None,
        }
    }

    /// Leaves a submenu; the main menu is left for good.
    fn back(&mut self) -> Option<Action> {
        if self.levels.len() == 1 {
            return Some(Action::Exit);
        }
        self.levels.pop();
        self.button = None;
        None
    }

    fn chosen(&self) -> Option<Entry> {
        let entries = self.entries();
        let selected = self.selected(&entries);
        entries.into_iter().nth(selected)
    }

    fn toggle(&mut self) {
        if let Some((symbol, Kind::Bool)) = self.chosen().and_then(|entry| entry.symbol) {
            self.kconfig.toggle(symbol);
        }
    }

    fn open(&mut self) {
        let Some(entry) = self.chosen() else { return };
        match entry.symbol {
            _ if entry.opens => {
                self.levels.push(Level { node: entry.node, title: entry.prompt, selected: 0 })
            }
            Some((symbol, Kind::Bool)) => self.kconfig.toggle(symbol),
            Some((symbol, kind)) => {
                let kind = match kind {
                    Kind::Int => "int",
                    Kind::Hex => "hex",
                    _ => "string",
                };
                self.dialog = Some(Dialog::Entry {
                    symbol,
                    title: self.kconfig.name(symbol).to_owned(),
                    label: format!("Enter a {kind} value:"),
                    value: self.kconfig.text(symbol),
                });
            }
            None => {}
        }
    }

    fn help(&mut self) {
        let Some(entry) = self.chosen() else { return };
        let text = self.kconfig.help(entry.node).unwrap_or("No help available.").to_owned();
        self.dialog = Some(Dialog::Message { title: format!("Help on '{}'", entry.prompt), text });
    }

    fn dialog_key(&mut self, key: KeyEvent) {
        match (self.dialog.take(), key.code) {
            (Some(Dialog::Message { .. }), KeyCode::Enter | KeyCode::Esc | KeyCode::Char(' ')) => {}
            (Some(Dialog::Entry { .. }), KeyCode::Esc) => {}
            (Some(Dialog::Entry { symbol, value, .. }), KeyCode::Enter) => {
                if let Err(text) = self.kconfig.set(symbol, &value) {
                    self.dialog = Some(Dialog::Message { title: "Invalid entry".to_owned(), text });
                }
            }
            (Some(Dialog::Entry { symbol, title, label, mut value }), code) => {
                match code {
                    KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => value.clear(),
                    KeyCode::Char(c) => value.push(c),
                    KeyCode::Backspace => {
                        value.pop();
                    }
                    _ => {}
                }
                self.dialog = Some(Dialog::Entry { symbol, title, label, value });
            }
            (dialog, _) => self.dialog = dialog,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitzel_project::Environment;

    const TEXT: &str = "mainmenu \"M\"\nconfig A\n\tbool \"A\"\n\thelp\n\t  About A\nconfig N\n\tint \"N\"\n\trange 1 9\n\tdefault 3\nmenu \"Sub\"\nconfig S\n\tstring \"S\"\nendmenu\n";

    fn with_menu(test: impl FnOnce(&mut Menu<'_>)) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("Kconfig");
        std::fs::write(&file, TEXT).unwrap();
        let mut kconfig = Kconfig::read(&file, dir.path(), &Environment::new()).unwrap();
        test(&mut Menu::new(&mut kconfig));
    }

    fn press(menu: &mut Menu<'_>, keys: &[KeyCode]) -> Option<Action> {
        keys.iter().find_map(|key| menu.key(KeyEvent::new(*key, KeyModifiers::NONE)))
    }

    fn lines(menu: &Menu<'_>) -> Vec<String> {
        menu.entries().into_iter().map(|entry| entry.text).collect()
    }

    #[test]
    fn keys_choose_toggle_and_enter_values() {
        use KeyCode::*;
        with_menu(|menu| {
            assert_eq!(press(menu, &[Char(' '), Down, Enter, Backspace, Char('7'), Enter]), None);
            assert_eq!(lines(menu), ["[*] A", "(7) N", "    Sub  --->"]);
            assert_eq!(press(menu, &[Enter, Char('7'), Enter]), None);
            assert!(
                matches!(&menu.dialog, Some(Dialog::Message { text, .. }) if text.contains("range 1 to 9"))
            );
            assert_eq!(press(menu, &[Enter, Down, Enter]), None);
            assert_eq!((menu.levels.len(), lines(menu)), (2, vec!["()  S".to_owned()]));
            assert_eq!(press(menu, &[Esc]), None);
            assert_eq!(press(menu, &[Char('s')]), Some(Action::Save));
        });
    }

    #[test]
    fn buttons_are_reached_with_tab_and_help_is_shown() {
        use KeyCode::*;
        with_menu(|menu| {
            assert_eq!(press(menu, &[Char('h')]), None);
            assert!(matches!(&menu.dialog, Some(Dialog::Message { text, .. }) if text == "About A"));
            assert_eq!(press(menu, &[Esc, Tab, Enter]), Some(Action::Build));
            assert_eq!(press(menu, &[Esc]), Some(Action::Exit));
        });
    }
}
