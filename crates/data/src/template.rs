//! Texts taken apart at their `${NAME}` references, and the rule where a `${@...}`
//! ends. Both follow BitBake's regular expressions exactly.

use crate::context::Context;
use crate::symbol::Sym;
use std::ops::Range;

/// A piece of a text.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    Literal(Range<usize>),
    /// `${NAME}`; the range is that of the whole reference.
    Reference(Sym, Range<usize>),
}

/// A text taken apart once.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) segments: Vec<Segment>,
}

/// Characters of a name within `${}`.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'.' | b'/' | b'~' | b':')
}

/// Is there a `${NAME}` in `text`? Where, and how long.
pub(crate) fn find_reference(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(found) = text[at..].find("${") {
        let start = at + found;
        let mut end = start + 2;
        while end < bytes.len() && is_name_byte(bytes[end]) {
            end += 1;
        }
        if end > start + 2 && end < bytes.len() && bytes[end] == b'}' {
            return Some(start..end + 1);
        }
        at = start + 2;
    }
    None
}

impl Template {
    pub(crate) fn parse(text: &str, context: &Context) -> Template {
        let mut segments = Vec::new();
        let mut at = 0;
        while let Some(range) = find_reference(text, at) {
            if range.start > at {
                segments.push(Segment::Literal(at..range.start));
            }
            let name = context.sym(&text[range.start + 2..range.end - 1]);
            at = range.end;
            segments.push(Segment::Reference(name, range));
        }
        if at < text.len() {
            segments.push(Segment::Literal(at..text.len()));
        }
        Template { segments }
    }
}

/// Finds the next `${@CODE}` at or after `from`: the range of the whole.
///
/// A `{` inside the code is taken to close at the very next `}`, the first `}`
/// outside such a pair ends the code. Where that finds no end before the line's
/// end, a `{` counts as an ordinary character, the last one first.
pub(crate) fn find_inline(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while let Some(found) = text[at..].find("${@") {
        let start = at + found;
        if let Some(end) = inline_end(text.as_bytes(), start + 3) {
            return Some(start..end);
        }
        at = start + 3;
    }
    None
}

/// The position behind the closing `}` of code that begins at `start`.
fn inline_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut choices: Vec<usize> = Vec::new();
    let mut at = start;
    loop {
        let stuck = match bytes.get(at) {
            None | Some(b'\n') => true,
            Some(b'}') if at > start => return Some(at + 1),
            Some(b'{') => match close_of(bytes, at) {
                Some(close) => {
                    choices.push(at);
                    at = close + 1;
                    false
                }
                None => {
                    at += 1;
                    false
                }
            },
            Some(_) => {
                at += 1;
                false
            }
        };
        if stuck {
            at = choices.pop()? + 1;
        }
    }
}

fn close_of(bytes: &[u8], open: usize) -> Option<usize> {
    let rest = &bytes[open + 1..];
    let len = rest.iter().position(|&b| b == b'}' || b == b'\n')?;
    (rest[len] == b'}').then_some(open + 1 + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(text: &str) -> Option<&str> {
        find_inline(text, 0).map(|range| &text[range])
    }

    #[test]
    fn inline_code_ends_at_the_first_brace_outside_a_pair() {
        assert_eq!(inline("a${@x}b}"), Some("${@x}"));
        assert_eq!(inline("${@{'a':1}['a']} }"), Some("${@{'a':1}['a']}"));
        assert_eq!(inline("${@'${NOPE}'}"), Some("${@'${NOPE}'}"));
        assert_eq!(inline("${@{{}}}"), Some("${@{{}}"));
    }

    #[test]
    fn an_unpaired_brace_is_an_ordinary_character() {
        assert_eq!(inline("${@'{'}"), Some("${@'{'}"));
        assert_eq!(inline("${@'{' + '}\n"), Some("${@'{' + '}"));
    }

    #[test]
    fn inline_code_never_crosses_a_line() {
        assert_eq!(inline("${@x\n}"), None);
    }

    #[test]
    fn references_need_a_name() {
        assert_eq!(find_reference("${}${a b}${a-b:c}", 0), Some(9..17));
    }
}
