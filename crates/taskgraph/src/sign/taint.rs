//! What makes a task's hash differ though nothing it is made of does.

/// What makes a task's hash differ without its inputs differing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taint {
    /// A `[nostamp]` task: a fresh random text each time.
    NoStamp(String),
    /// A forced task: the content of its `.taint` file.
    Forced(String),
}

impl Taint {
    /// Of a text as siginfo files hold it.
    pub fn of_text(text: &str) -> Taint {
        match text.strip_prefix("nostamp:") {
            Some(id) => Taint::NoStamp(id.to_owned()),
            None => Taint::Forced(text.to_owned()),
        }
    }

    /// As siginfo files hold it.
    pub fn text(&self) -> String {
        match self {
            Taint::NoStamp(id) => format!("nostamp:{id}"),
            Taint::Forced(text) => text.clone(),
        }
    }

    /// What is hashed.
    pub fn hashed(&self) -> &str {
        match self {
            Taint::NoStamp(text) | Taint::Forced(text) => text,
        }
    }
}
