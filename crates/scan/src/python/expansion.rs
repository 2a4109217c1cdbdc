//! What a text with `${...}` in it refers to, seen from Python code that expands it.

use super::finds::{CallVisitor, PythonRefs, scan_python_with};
use crate::ScanError;
use bitzel_base::CompatLevel;
use std::collections::BTreeSet;

/// Finds what `d.expand(text)` refers to.
///
/// BitBake: `${NAME}` at any nesting, and inline Python that holds no `${`; what
/// that runs with `exec_func` counts as called only.
// DIFFERS: BitBake also runs the inline Python, against an empty datastore.
pub(super) fn scan_expansion(
    text: &str,
    level: CompatLevel,
    visitor: &dyn CallVisitor,
) -> Result<PythonRefs, ScanError> {
    let mut refs = PythonRefs::default();
    for (at, _) in text.match_indices("${") {
        let rest = &text[at + 2..];
        if let Some(code) = rest.strip_prefix('@') {
            let Some(end) = code_end(code) else { continue };
            if !code[..end].contains("${") {
                match scan_python_with(&code[..end], level, visitor) {
                    Ok(found) => refs.merge(PythonRefs { var_execs: BTreeSet::new(), ..found }),
                    Err(ScanError::PythonUnclosedString { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        } else if let Some(name) = rest.find('}').map(|end| &rest[..end])
            && !name.is_empty()
            && name.bytes().all(is_name_byte)
        {
            refs.references.insert(name.into());
        }
    }
    Ok(refs)
}

/// Bytes of the names that `${...}` takes.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_+./~:".contains(&byte)
}

/// Where inline Python ends: at the brace that closes it, on the same line.
fn code_end(code: &str) -> Option<usize> {
    let mut open = 0usize;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'\n' => return None,
            b'{' => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}
