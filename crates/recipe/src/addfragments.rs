//! `addfragments` (manual, "addfragments Directive"; 2.18).

use crate::{Error, Evaluator, Result};
use bitzel_data::{DataStore, LogLevel, SetInfo, Value};
use std::path::Path;

impl Evaluator {
    /// Requires the files of all enabled fragments; built-in ones set their variable.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn add_fragments(
        &self,
        prefix: &str,
        variable: &str,
        flagged: &str,
        builtins: &str,
        file: &str,
        line: u32,
        d: &DataStore,
    ) -> Result<()> {
        let prefix = d.expand(prefix)?;
        let fragments = d.get_or_empty(variable)?;
        let metadata = d.get_or_empty(flagged)?;
        let builtins = if builtins.is_empty() { "".into() } else { d.get_or_empty(builtins)? };
        for (kind, _) in builtins.split_whitespace().filter_map(|b| b.split_once(':')) {
            let of_kind = |f: &&str| f.split_once('/').is_some_and(|(head, _)| head == kind);
            let same: Vec<&str> = fragments.split_whitespace().filter(of_kind).collect();
            if same.len() > 1 {
                self.host.log(LogLevel::Warning, &format!(
                    "Multiple builtin fragments are enabled for {kind} via variable {variable}: {}. This likely points to a mis-configuration in the metadata, as only one of them should be set. The build will use the last value.",
                    same.join(" ")
                ));
            }
        }
        for fragment in fragments.split_whitespace() {
            let (head, rest) = fragment.split_once('/').unwrap_or((fragment, ""));
            let builtin =
                builtins.split_whitespace().filter_map(|b| b.split_once(':')).find(|(p, _)| *p == head);
            if let Some((_, target)) = builtin {
                if d.get(target)?.is_some() {
                    return Err(Error::Fatal(format!(
                        "A builtin fragment '{fragment}' is used while {target} has already got an assignment.\nPlease either disable the fragment or remove the value assignment.\nTo disable the fragment, use 'bitbake-config-build disable-fragment {fragment}'."
                    )));
                }
                d.set(target, Value::str(rest), &SetInfo { parsing: true, ..SetInfo::default() })?;
                continue;
            }
            let path = self.fragment_file(&prefix, head, rest, d)?.ok_or_else(|| {
                Error::Fatal(format!(
                    "Could not find fragment {fragment} in enabled layers:\n{file}:{line}: check {variable} and that a layer has {prefix}/{rest}.conf"
                ))
            })?;
            self.handle(&path, d, true)?;
            for name in metadata.split_whitespace() {
                if let Some(value) = d.get(name)? {
                    d.set_flag(name, fragment, value, &SetInfo::default())?;
                    d.delete_flag(name, "_content", &SetInfo::default());
                }
            }
        }
        Ok(())
    }

    /// The file of fragment `rest` of the layer whose collection is `layer`.
    fn fragment_file(&self, prefix: &str, layer: &str, rest: &str, d: &DataStore) -> Result<Option<String>> {
        let bblayers = d.get_or_empty("BBLAYERS")?;
        let pattern = d.get_or_empty(&format!("BBFILE_PATTERN_{layer}"))?;
        let Ok(regex) = fancy_regex::Regex::new(&pattern) else { return Ok(None) };
        for dir in bblayers.split_whitespace() {
            let dir = dir.trim_end_matches('/');
            if pattern.is_empty() || !regex.is_match(&format!("{dir}/")).unwrap_or(false) {
                continue;
            }
            let path = format!("{dir}/{prefix}/{rest}.conf");
            if Path::new(&path).exists() {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}
