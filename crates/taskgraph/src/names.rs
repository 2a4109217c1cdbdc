//! Numbers for texts that occur often, so that tables can be keyed by `u32`.

use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A set of texts, each with a number, counted from 0 in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Names {
    texts: Vec<Arc<str>>,
    ids: FxHashMap<Arc<str>, u32>,
}

impl Names {
    /// The number of `text`, a new one if it was not known.
    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = u32::try_from(self.texts.len()).expect("fewer than 2^32 names");
        let shared: Arc<str> = Arc::from(text);
        self.texts.push(shared.clone());
        self.ids.insert(shared, id);
        id
    }

    /// The number of `text` if it is known.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }

    /// The text of a number this set gave out.
    pub fn text(&self, id: u32) -> &str {
        &self.texts[id as usize]
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
