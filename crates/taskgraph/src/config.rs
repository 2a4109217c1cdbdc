//! Reading the evaluated base configuration: the only thing this crate needs
//! to know of the datastore.

use std::collections::BTreeMap;

/// Expanded variables of one multiconfig's base configuration.
pub trait ConfigVars {
    /// The expanded value of `name`, `None` where it has none. A name may carry
    /// overrides (`PREFERRED_VERSION:pn-foo`); it is then looked up as written.
    fn get(&self, name: &str) -> Option<String>;

    /// The whitespace-separated words of `name`, none where it is unset.
    fn words(&self, name: &str) -> Vec<String> {
        self.get(name).map(|v| v.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
    }
}

/// A configuration held in a map: tests, recorded configurations.
#[derive(Clone, Debug, Default)]
pub struct MapConfig(pub BTreeMap<String, String>);

impl ConfigVars for MapConfig {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for MapConfig {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        MapConfig(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}
