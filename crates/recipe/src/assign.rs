//! Assignments (manual, "Basic Variable Setting" and the chapters after it).

use crate::{Evaluator, Result};
use bitzel_base::CompatLevel;
use bitzel_data::{DataStore, LogLevel, ReadOptions, SetInfo, Value};
use bitzel_syntax::AssignOp;

impl Evaluator {
    #[allow(clippy::too_many_arguments, reason = "the parts of one statement")]
    pub(crate) fn assign(
        &self,
        export: bool,
        name: &str,
        flag: Option<&str>,
        op: AssignOp,
        value: &str,
        info: &SetInfo,
        d: &DataStore,
    ) -> Result<()> {
        if export {
            d.set_flag(name, "export", Value::Int(1), &SetInfo { op: Some("exported"), ..info.clone() })?;
        }
        self.warn_of_odd_combination(name, op);
        let info = SetInfo { op: history_name(op), detail: Some(Value::str(value)), ..info.clone() };
        let present = || present_value(d, name, flag);
        let new = match op {
            AssignOp::Set => Value::str(value),
            AssignOp::Immediate => Value::Str(d.create_copy().expand_as(value, &format!("{name}[:=]"))?),
            AssignOp::WeakDefault => {
                let new = Value::str(value);
                match flag {
                    None => d.set_weak(name, new, &info)?,
                    Some(flag) if self.level() >= CompatLevel::V2_18 => {
                        d.set_weak_flag(name, flag, new, &info)
                    }
                    Some(flag) => d.set_flag(name, flag, new, &info)?,
                }
                return Ok(());
            }
            AssignOp::Default => match present()? {
                Some(old) => old,
                None => Value::str(value),
            },
            AssignOp::AppendSpace => Value::str(format!("{} {value}", text(present()?))),
            AssignOp::PrependSpace => Value::str(format!("{value} {}", text(present()?))),
            AssignOp::Append => Value::str(format!("{}{value}", text(present()?))),
            AssignOp::Prepend => Value::str(format!("{value}{}", text(present()?))),
        };
        match flag {
            Some(flag) => d.set_flag(name, flag, new, &info)?,
            None => d.set(name, new, &info)?,
        }
        Ok(())
    }
}

impl Evaluator {
    /// `FOO:append += "x"` works, but says twice that something is added.
    fn warn_of_odd_combination(&self, name: &str, op: AssignOp) {
        let sign = match op {
            AssignOp::AppendSpace => "+=",
            AssignOp::PrependSpace => "=+",
            AssignOp::Append => ".=",
            AssignOp::Prepend => "=.",
            _ => return,
        };
        if [":append", ":prepend", ":remove"].iter().any(|keyword| name.contains(keyword)) {
            self.host.log(
                LogLevel::Warning,
                &format!("{name} {sign} is not a recommended operator combination, please replace it."),
            );
        }
    }
}

/// The value that `+=` and relatives work on: as set by statements, weak defaults left out.
fn present_value(d: &DataStore, name: &str, flag: Option<&str>) -> Result<Option<Value>> {
    Ok(match flag {
        Some(flag) => d.get_own_flag(name, flag),
        None => d.get_with(name, ReadOptions { expand: false, no_weak_default: true, parsing: true })?,
    })
}

fn text(value: Option<Value>) -> String {
    value.and_then(|value| value.as_str().map(|text| text.to_string())).unwrap_or_default()
}

/// What the history calls it; a plain or weak setting has no name of its own.
fn history_name(op: AssignOp) -> Option<&'static str> {
    match op {
        AssignOp::Set | AssignOp::WeakDefault => None,
        AssignOp::Immediate => Some("immediate"),
        AssignOp::Default => Some("set?"),
        AssignOp::AppendSpace => Some("append"),
        AssignOp::PrependSpace => Some("prepend"),
        AssignOp::Append => Some("postdot"),
        AssignOp::Prepend => Some("predot"),
    }
}
