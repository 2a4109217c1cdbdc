//! Key expansion: variables whose names hold `${}` get their expanded names.

use crate::Result;
use bitzel_data::{DataStore, LogLevel, ReadOptions, SetInfo};
use std::rc::Rc;

/// Renames all such variables, in order of their names.
pub fn expand_keys(d: &DataStore) -> Result<()> {
    let mut renames: Vec<(Rc<str>, Rc<str>)> = Vec::new();
    for key in d.keys_with_references() {
        let expanded = d.expand(&key)?;
        if expanded != key {
            renames.push((key, expanded));
        }
    }
    let raw = ReadOptions { expand: false, ..ReadOptions::default() };
    for (key, expanded) in renames {
        if let Some(new) = d.get_with(&expanded, raw)?
            && let Some(old) = d.get_with(&key, raw)?
        {
            d.context().interp().log(
                LogLevel::Warning,
                &format!(
                    "Variable key {key} ({}) replaces original key {expanded} ({}).",
                    old.as_str().map_or("", |v| v),
                    new.as_str().map_or("", |v| v)
                ),
            );
        }
        d.rename(&key, &expanded, &SetInfo::default())?;
    }
    Ok(())
}
