//! Who set what, and which file included which. Kept only where asked for
//! (`-e`, bitbake-getvar), since it costs memory for every assignment.

use crate::value::Value;
use bitzel_base::SourceLoc;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One change of a variable.
#[derive(Clone, Debug)]
pub struct HistoryEvent {
    /// `set`, `set?`, `append`, `:append`, `immediate`, `rename from X`, ...
    pub op: Rc<str>,
    /// The text given.
    pub detail: Value,
    /// File and line, where known.
    pub loc: Option<SourceLoc>,
    /// Function that did it, for changes from Python.
    pub func: Option<Rc<str>>,
    /// The flag, if the change was to a flag.
    pub flag: Option<Rc<str>>,
    /// The name as written (`FOO:append:x`).
    pub variable: Rc<str>,
}

impl Default for HistoryEvent {
    fn default() -> HistoryEvent {
        HistoryEvent {
            op: "set".into(),
            detail: Value::None,
            loc: None,
            func: None,
            flag: None,
            variable: "".into(),
        }
    }
}

/// The history of all variables of a store.
#[derive(Clone, Debug, Default)]
pub struct History {
    tracking: bool,
    events: BTreeMap<Rc<str>, Vec<HistoryEvent>>,
}

impl History {
    /// Is anything recorded at all?
    pub fn is_tracking(&self) -> bool {
        self.tracking
    }

    /// Switches recording on or off; what is recorded stays.
    pub fn track(&mut self, on: bool) {
        self.tracking = on;
    }

    /// Adds a change of `variable`.
    pub fn add(&mut self, variable: &str, event: HistoryEvent) {
        if self.tracking {
            self.events.entry(variable.into()).or_default().push(event);
        }
    }

    /// The changes of `variable`, oldest first.
    pub fn of(&self, variable: &str) -> &[HistoryEvent] {
        self.events.get(variable).map_or(&[], Vec::as_slice)
    }

    /// Forgets the changes of `variable`.
    pub fn forget(&mut self, variable: &str) {
        self.events.remove(variable);
    }

    /// A renamed variable's past becomes the new name's.
    pub(crate) fn copy_events(&mut self, from: &str, to: &str) {
        if !self.tracking {
            return;
        }
        if let Some(events) = self.events.get(from).cloned() {
            self.events.insert(to.into(), events);
        }
    }
}

/// A file and what it included, in order.
#[derive(Clone, Debug, Default)]
pub struct IncludeNode {
    /// The file.
    pub file: Rc<str>,
    /// What it pulled in.
    pub children: Vec<IncludeNode>,
}

/// Which file included which. Files nest as they are entered and left.
#[derive(Clone, Debug, Default)]
pub struct IncludeHistory {
    roots: Vec<IncludeNode>,
    open: Vec<IncludeNode>,
}

impl IncludeHistory {
    /// A file begins.
    pub fn enter(&mut self, file: &str) {
        self.open.push(IncludeNode { file: file.into(), children: Vec::new() });
    }

    /// The file entered last ends.
    pub fn leave(&mut self) {
        let Some(node) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.roots.push(node),
        }
    }

    /// The files that were entered and not left yet, outermost first.
    pub fn open(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.open.iter().map(|node| &*node.file)
    }

    /// The outermost files, those that are not left yet included.
    pub fn roots(&self) -> Vec<IncludeNode> {
        let mut all = self.clone();
        while !all.open.is_empty() {
            all.leave();
        }
        all.roots
    }
}
