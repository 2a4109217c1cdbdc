//! `include`, `require` and `include_all`.

use crate::files::{depends_on, mark_dependency, which};
use crate::{Error, Evaluator, Result};
use bitzel_base::SourceLoc;
use bitzel_data::{DataStore, LogLevel};
use std::path::Path;

impl Evaluator {
    /// Includes each file named, found beside the including file or along BBPATH.
    pub(crate) fn include(
        &self,
        what: &str,
        required: bool,
        parent: &str,
        line: u32,
        d: &DataStore,
    ) -> Result<()> {
        for name in d.expand(what)?.split_whitespace() {
            self.include_one(name, required, parent, line, d)?;
        }
        Ok(())
    }

    fn include_one(&self, name: &str, required: bool, parent: &str, line: u32, d: &DataStore) -> Result<()> {
        if name == parent {
            return Ok(());
        }
        let cwd = self.cwd();
        let mut file = name.to_owned();
        if !name.starts_with('/') {
            let folder = Path::new(parent).parent().map_or("", |p| p.to_str().unwrap_or_default());
            let search = format!("{folder}:{}", d.get_or_empty("BBPATH")?);
            let (found, looked) = which(&search, name, &cwd);
            if let Some(found) = &found {
                self.warn_if_twice(found, parent, d);
            }
            for path in &looked {
                mark_dependency(d, path, &cwd);
            }
            if let Some(found) = found {
                file = found;
            }
        } else {
            self.warn_if_twice(name, parent, d);
        }
        match self.handle(&file, d, true) {
            Ok(_) => Ok(()),
            Err(Error::NotFound { .. }) if !required => Ok(()),
            Err(Error::NotFound { .. }) => Err(Error::parse(
                format!("Could not include required file {file}"),
                SourceLoc::new(parent, line),
            )),
            Err(other) => Err(other.included_from(parent, line)),
        }
    }

    /// `include_all`: the file in every folder of BBPATH.
    pub(crate) fn include_all(&self, what: &str, parent: &str, line: u32, d: &DataStore) -> Result<()> {
        let what = d.expand(what)?;
        for folder in d.get_or_empty("BBPATH")?.split(':') {
            // BitBake: of several names the first alone gets the folder; the others are looked
            // for as `include` does.
            let names = match what.trim_start() {
                absolute if absolute.starts_with('/') => absolute.to_owned(),
                names => format!("{}/{names}", folder.strip_suffix('/').unwrap_or(folder)),
            };
            for name in names.split_whitespace() {
                self.include_one(name, false, parent, line, d)?;
            }
        }
        Ok(())
    }

    fn warn_if_twice(&self, file: &str, parent: &str, d: &DataStore) {
        // Of a circle the first round is enough.
        let rounds = d.includes().open().filter(|open| *open == file).count();
        if depends_on(d, file) && rounds < 2 {
            self.host.log(LogLevel::Warning, &format!("Duplicate inclusion for {file} in {parent}"));
        }
    }
}
