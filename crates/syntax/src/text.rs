//! Text as Python sees it: physical lines, white space, and `repr` of a string.
//! BitBake's language is defined by Python's notions of these, so they are kept apart here.

use memchr::memchr2;

/// A physical line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Without line end and trailing white space.
    pub text: &'a str,
    /// Offset of the first byte in the file.
    pub start: usize,
    /// Offset behind the line end.
    pub end: usize,
    /// Counted from 1.
    pub number: u32,
}

/// Splits a text into lines at `\n`, `\r\n` and `\r`, as Python's text mode does.
pub(crate) struct Lines<'a> {
    file: &'a str,
    at: usize,
    number: u32,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(file: &'a str) -> Lines<'a> {
        Lines { file, at: 0, number: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let start = self.at;
        let rest = &self.file.as_bytes()[start..];
        if rest.is_empty() {
            return None;
        }
        let (text_end, end) = match memchr2(b'\n', b'\r', rest) {
            None => (self.file.len(), self.file.len()),
            Some(i) if rest[i] == b'\r' && rest.get(i + 1) == Some(&b'\n') => (start + i, start + i + 2),
            Some(i) => (start + i, start + i + 1),
        };
        self.at = end;
        self.number += 1;
        Some(Line { text: trim_end(&self.file[start..text_end]), start, end, number: self.number })
    }
}

/// A text as Python's text mode reads it: every line end is a newline.
pub(crate) fn with_newlines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// What `str.isspace` and `\s` accept: Unicode white space and the four ASCII separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// `str.rstrip()`
pub(crate) fn trim_end(text: &str) -> &str {
    match text.as_bytes().last() {
        // The usual case, decided without decoding: printable ASCII ends the line.
        Some(b'!'..=b'~') => text,
        _ => text.trim_end_matches(is_space),
    }
}

/// `str.lstrip()`
pub(crate) fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// What `\w` accepts.
/// DIFFERS: combining marks and circled letters count too, which BitBake refuses in names.
pub(crate) fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// `repr([text, ...])`
pub(crate) fn repr_list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<String> = texts.map(repr).collect();
    format!("[{}]", items.join(", "))
}

fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c == quote => out.extend(['\\', c]),
            c if !is_printable(c) => match u32::from(c) {
                n @ ..=0xff => out.push_str(&format!("\\x{n:02x}")),
                n @ ..=0xffff => out.push_str(&format!("\\u{n:04x}")),
                n => out.push_str(&format!("\\U{n:08x}")),
            },
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// `str.isprintable` but for unassigned code points, which stay as they are.
fn is_printable(c: char) -> bool {
    c == ' '
        || !(c.is_control()
            || is_space(c)
            || c == '\u{ad}'
            || ('\u{200b}'..='\u{200f}').contains(&c)
            || c == '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(&str, usize, usize, u32)> {
        Lines::new(text).map(|l| (l.text, l.start, l.end, l.number)).collect()
    }

    #[test]
    fn lines_end_at_every_kind_of_line_end() {
        assert_eq!(lines("a \r\nb\rc\n"), [("a", 0, 4, 1), ("b", 4, 6, 2), ("c", 6, 8, 3)]);
        assert_eq!(lines("\n\nx"), [("", 0, 1, 1), ("", 1, 2, 2), ("x", 2, 3, 3)]);
        assert_eq!(lines(""), []);
    }

    #[test]
    fn a_file_separator_is_white_space_as_in_python() {
        assert_eq!(trim_end("a\x1c\u{a0}\x0b"), "a");
        assert_eq!(trim_end("a\u{200b}"), "a\u{200b}");
    }

    #[test]
    fn repr_prefers_single_quotes_and_escapes_what_is_not_printable() {
        assert_eq!(
            repr_list(["a", "it's", "'\"", "\\\t\x01é\u{ad}"].into_iter()),
            r#"['a', "it's", '\'"', '\\\t\x01é\xad']"#
        );
    }
}
