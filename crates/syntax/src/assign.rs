//! Assignments: `[export] NAME[FLAG] OP "VALUE"`.

use crate::statement::AssignOp;
use crate::text::trim_start;
use bitzel_base::CompatLevel;
use std::ops::Range;

/// Parts of an assignment as ranges of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assign {
    pub export: bool,
    /// May be empty (2.18), which is an error.
    pub name: Range<usize>,
    pub flag: Option<Range<usize>>,
    pub op: AssignOp,
    pub op_at: Range<usize>,
    /// Without the quotes.
    pub value: Range<usize>,
    /// White space on both sides of the operator.
    pub spaced: bool,
}

/// The line as an assignment.
pub(crate) fn recognise(text: &str, level: CompatLevel) -> Option<Assign> {
    // A line that ends in no quote never is one; most lines that are none are found here.
    if !text.ends_with(['"', '\'']) {
        return None;
    }
    if let Some(rest) = text.strip_prefix("export") {
        let name = trim_start(rest);
        if name.len() < rest.len()
            && let Some(found) = after_export(text, text.len() - name.len(), level)
        {
            return Some(Assign { export: true, ..found });
        }
    }
    after_export(text, 0, level)
}

fn after_export(text: &str, start: usize, level: CompatLevel) -> Option<Assign> {
    let bytes = text.as_bytes();
    let len = bytes[start..].iter().take_while(|b| is_name_byte(**b)).count();
    let end = start + len;
    let fewest = usize::from(level < CompatLevel::V2_18);
    if bytes.get(end) == Some(&b'=') {
        // The name is as short as possible: in `A:=` and `A+=` it leaves the last character to the operator.
        let short = end.wrapping_sub(1);
        if len > fewest
            && matches!(bytes[short], b':' | b'+' | b'.')
            && let Some(found) = operator(text, start..short, None, short)
        {
            return Some(found);
        }
    }
    if len < fewest {
        return None;
    }
    if bytes.get(end) != Some(&b'[') {
        return operator(text, start..end, None, end);
    }
    let close = end + text[end..].find(']')?;
    let flag = end + 1..close;
    is_flag(&text[flag.clone()], level).then(|| operator(text, start..end, Some(flag), close + 1)).flatten()
}

/// The rest of an assignment, from behind the name and flag on.
fn operator(text: &str, name: Range<usize>, flag: Option<Range<usize>>, at: usize) -> Option<Assign> {
    const OPERATORS: [(&str, AssignOp); 8] = [
        (":=", AssignOp::Immediate),
        ("??=", AssignOp::WeakDefault),
        ("?=", AssignOp::Default),
        ("+=", AssignOp::AppendSpace),
        ("=+", AssignOp::PrependSpace),
        ("=.", AssignOp::Prepend),
        (".=", AssignOp::Append),
        ("=", AssignOp::Set),
    ];
    let op_start = text.len() - trim_start(&text[at..]).len();
    let (word, op) = OPERATORS.into_iter().find(|(word, _)| text[op_start..].starts_with(word))?;
    let op_at = op_start..op_start + word.len();
    let quote = text.len() - trim_start(&text[op_at.end..]).len();
    let value = quote + 1..text.len().wrapping_sub(1);
    let mark = *text.as_bytes().get(quote).filter(|b| matches!(b, b'"' | b'\''))?;
    if value.start > value.end || text.as_bytes()[value.end] != mark {
        return None;
    }
    // BitBake: one more of the same quote within the value is refused, two or more are not.
    if memchr::memchr_iter(mark, &text.as_bytes()[value.clone()]).take(2).count() == 1 {
        return None;
    }
    let spaced = at < op_at.start && op_at.end < quote;
    Some(Assign { export: false, name, flag, op, op_at, value, spaced })
}

/// A byte that a name may hold.
fn is_name_byte(byte: u8) -> bool {
    byte == b':' || is_plain_name_byte(byte)
}

/// A byte that a name without overrides may hold.
pub(crate) fn is_plain_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'+' | b'.' | b'$' | b'{' | b'}' | b'/' | b'~')
}

/// A flag's name. It may begin neither with `@` nor `/`.
pub(crate) fn is_flag(text: &str, level: CompatLevel) -> bool {
    let slash = level >= CompatLevel::V2_18;
    text.bytes().enumerate().all(|(at, byte)| match byte {
        b'-' | b'_' | b'+' | b'.' => true,
        b'@' => at > 0,
        b'/' => at > 0 && slash,
        _ => byte.is_ascii_alphanumeric(),
    }) && !text.is_empty()
}
