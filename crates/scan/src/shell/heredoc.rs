//! Bodies of here-documents: only where they end matters, nothing in them is looked at.

/// Steps over the body of a here-document that begins at `start` and ends with
/// the line `delimiter`, or with the text. Returns where the text goes on and
/// the body, as far as it is one line without its end: only such a body can be
/// mistaken for another kind of token. Any longer one is a newline.
///
/// BitBake: a backslash joins lines even where the delimiter is quoted, so a
/// delimiter right behind one is not found.
pub(super) fn skip_body<'t>(
    text: &'t str,
    start: usize,
    delimiter: &str,
    strip_tabs: bool,
) -> (usize, &'t str) {
    let mut pos = start;
    let mut body = "";
    while pos < text.len() {
        let end = logical_line_end(&text.as_bytes()[pos..]) + pos;
        let line = &text[pos..end];
        let shown = if strip_tabs { line.trim_start_matches('\t') } else { line };
        pos = (end + 1).min(text.len());
        if shown == delimiter {
            break;
        }
        body = if end < text.len() || !body.is_empty() { "\n" } else { shown };
    }
    (pos, body)
}

/// Offset of the first newline that no backslash quotes, or the length.
fn logical_line_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\n' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}
