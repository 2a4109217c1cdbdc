//! Where quotes, expansions and substitutions end, and which of them hold commands.

use crate::ScanError;
use bitzel_base::CompatLevel;

/// A position in shell text that knows how to step over quoted parts.
pub(super) struct Quoting<'t> {
    text: &'t [u8],
    /// Next byte to look at.
    pub(super) pos: usize,
    /// Where a backslash stands that joins two lines.
    pub(super) joins: Vec<usize>,
    depth: usize,
}

/// Nested quoting beyond this is refused: it only costs stack.
const MAX_DEPTH: usize = 200;

impl<'t> Quoting<'t> {
    pub(super) fn new(text: &'t str, pos: usize) -> Quoting<'t> {
        Quoting { text: text.as_bytes(), pos, joins: Vec::new(), depth: 0 }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.pos + ahead).copied()
    }

    /// Steps over one word; it ends at a blank, a newline or an operator.
    pub(super) fn skip_word(&mut self) -> Result<(), ScanError> {
        while let Some(byte) = self.peek(0) {
            if matches!(byte, b' ' | b'\t' | b'\n' | b'&' | b'|' | b';' | b'(' | b')' | b'<' | b'>') {
                break;
            }
            self.skip_part(true)?;
        }
        Ok(())
    }

    /// Steps over one character or one quoted part. Single quotes quote only
    /// outside of double quotes.
    fn skip_part(&mut self, single_quotes: bool) -> Result<(), ScanError> {
        let byte = self.peek(0).ok_or(ScanError::ShellUnterminated)?;
        match byte {
            b'\\' => match self.peek(1) {
                Some(b'\n') => {
                    self.joins.push(self.pos);
                    self.pos += 2;
                }
                Some(_) => self.pos += 2,
                None => return Err(ScanError::ShellUnterminated),
            },
            b'\'' if single_quotes => {
                let rest = &self.text[self.pos + 1..];
                let len = rest.iter().position(|&b| b == b'\'').ok_or(ScanError::ShellUnterminated)?;
                self.pos += len + 2;
            }
            b'"' => self.skip_nested(1, b'"')?,
            b'`' => self.skip_nested(1, b'`')?,
            b'$' => match (self.peek(1), self.peek(2)) {
                (None, _) => return Err(ScanError::ShellUnterminated),
                (Some(b'('), Some(b'(')) => return Err(ScanError::ShellArithmetic),
                (Some(b'('), _) => self.skip_nested(2, b')')?,
                (Some(b'{'), _) => self.skip_nested(2, b'}')?,
                (Some(b'$'), _) => self.pos += 2,
                _ => self.pos += 1,
            },
            _ => self.pos += 1,
        }
        Ok(())
    }

    /// Steps over a part that `open` bytes begin and `close` ends.
    fn skip_nested(&mut self, open: usize, close: u8) -> Result<(), ScanError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ScanError::ShellTooDeep);
        }
        self.pos += open;
        while self.peek(0) != Some(close) {
            self.skip_part(close != b'"')?;
        }
        self.pos += 1;
        self.depth -= 1;
        Ok(())
    }
}

/// The texts of the command substitutions of a word, outermost ones only.
///
/// BitBake: what `${x:-$(command)}` holds is never seen; what double quotes hold
/// is seen since 2.10 or so (level 2.18), not at level 2.8.
pub(super) fn substitutions(word: &str, level: CompatLevel) -> Result<Vec<&str>, ScanError> {
    let mut found = Vec::new();
    if word.contains(['$', '`']) {
        collect(word, &mut Quoting::new(word, 0), None, level, &mut found)?;
    }
    Ok(found)
}

fn collect<'t>(
    word: &'t str,
    at: &mut Quoting<'t>,
    close: Option<u8>,
    level: CompatLevel,
    found: &mut Vec<&'t str>,
) -> Result<(), ScanError> {
    while let Some(byte) = at.peek(0).filter(|byte| Some(*byte) != close) {
        let start = at.pos;
        if byte == b'"' && close.is_none() && level >= CompatLevel::V2_18 {
            at.pos += 1;
            collect(word, at, Some(b'"'), level, found)?;
            at.pos += 1;
            continue;
        }
        at.skip_part(close.is_none())?;
        match byte {
            b'`' => found.push(&word[start + 1..at.pos - 1]),
            b'$' if at.pos > start + 1 && word.as_bytes()[start + 1] == b'(' => {
                found.push(&word[start + 2..at.pos - 1]);
            }
            _ => {}
        }
    }
    Ok(())
}

/// A here-document's delimiter with its quotes removed.
pub(super) fn unquote(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut quote = None;
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), _) if q == c => quote = None,
            (Some('"'), '\\') if chars.peek().is_some_and(|n| matches!(n, '$' | '`' | '"' | '\\')) => {
                out.extend(chars.next());
            }
            (None, '\\') => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}
