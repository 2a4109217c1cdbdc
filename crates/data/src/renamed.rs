//! Variables that have a new name: those BitBake gave up, and BB_RENAMED_VARIABLES.

use crate::modify::SetInfo;
use crate::store::DataStore;
use crate::value::Value;
use crate::{LogLevel, Result};

/// Variable whose flags name renamed variables.
pub(crate) const RENAMES: &str = "BB_RENAMED_VARIABLES";

/// Variables that BitBake renamed itself.
const RENAMED: [(&str, &str); 9] = [
    ("BB_ENV_WHITELIST", "BB_ENV_PASSTHROUGH"),
    ("BB_ENV_EXTRAWHITE", "BB_ENV_PASSTHROUGH_ADDITIONS"),
    ("BB_HASHBASE_WHITELIST", "BB_BASEHASH_IGNORE_VARS"),
    ("BB_HASHCONFIG_WHITELIST", "BB_HASHCONFIG_IGNORE_VARS"),
    ("BB_HASHTASK_WHITELIST", "BB_TASKHASH_IGNORE_TASKS"),
    ("BB_SETSCENE_ENFORCE_WHITELIST", "BB_SETSCENE_ENFORCE_IGNORE_TASKS"),
    ("MULTI_PROVIDER_WHITELIST", "BB_MULTI_PROVIDER_ALLOWED"),
    ("BB_STAMP_WHITELIST", "is a deprecated variable and support has been removed"),
    ("BB_STAMP_POLICY", "is a deprecated variable and support has been removed"),
];

impl DataStore {
    /// Complains of a variable that has a new name (BB_RENAMED_VARIABLES and the names
    /// BitBake itself gave up). Statements go on; the parse fails when the file is done.
    pub(crate) fn check_renamed(&self, name: &str, info: &SetInfo) -> Result<()> {
        let base = name.split(':').next().unwrap_or(name);
        let built_in = RENAMED.iter().find(|(old, _)| *old == base).map(|(_, new)| (*new).to_owned());
        let renames = self.context().find_sym(RENAMES).and_then(|sym| self.var(sym));
        let listed = renames.and_then(|var| {
            var.flag(self.context().sym(base)).and_then(|v| v.as_str().map(|t| t.to_string()))
        });
        let Some(new) = built_in.or(listed) else { return Ok(()) };
        let text = if new.starts_with("is ") || new.contains(' ') {
            new
        } else {
            format!("has been renamed to {new}")
        };
        let place = match &info.loc {
            Some(loc) if base != name => {
                format!(" (file: {} line: {} referenced as: {name})", loc.file, loc.line)
            }
            Some(loc) => format!(" (file: {} line: {})", loc.file, loc.line),
            None => String::new(),
        };
        self.context().interp().log(LogLevel::Error, &format!("Variable {base} {text}{place}"));
        let failed = self.context().sym("_FAILPARSINGERRORHANDLED");
        self.change(failed, |var| var.content = Some(Value::Bool(true)));
        Ok(())
    }
}
