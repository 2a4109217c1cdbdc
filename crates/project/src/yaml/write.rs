//! The characters of an emitted document: columns, line breaks, folding at 80
//! columns and escapes, as PyYAML's emitter does them.

use super::style::is_break;

/// Lines longer than this are folded at the next space.
const WIDTH: usize = 80;

/// Text being written, with the state PyYAML's emitter keeps about it.
pub(super) struct Writer {
    pub out: String,
    pub column: usize,
    /// The last character written is white space.
    pub whitespace: bool,
    /// Only indentation stands on the line so far.
    pub indention: bool,
    /// The document needs `...` before anything could follow.
    pub open_ended: bool,
    pub indent: usize,
}

impl Writer {
    pub fn new() -> Writer {
        Writer {
            out: String::new(),
            column: 0,
            whitespace: true,
            indention: true,
            open_ended: false,
            indent: 0,
        }
    }

    fn put(&mut self, text: &str) {
        self.column += text.chars().count();
        self.out.push_str(text);
    }

    fn put_chars(&mut self, text: &[char]) {
        self.column += text.len();
        self.out.extend(text);
    }

    pub fn indicator(&mut self, text: &str, need_whitespace: bool, indention: bool) {
        if need_whitespace && !self.whitespace {
            self.put(" ");
        }
        self.put(text);
        self.whitespace = false;
        self.indention &= indention;
        self.open_ended = false;
    }

    pub fn line_break(&mut self, c: char) {
        self.out.push(c);
        self.whitespace = true;
        self.indention = true;
        self.column = 0;
    }

    pub fn start_line(&mut self) {
        let indent = self.indent;
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break('\n');
        }
        if self.column < indent {
            self.out.extend(std::iter::repeat_n(' ', indent - self.column));
            self.column = indent;
            self.whitespace = true;
        }
    }

    /// A folded line goes on here: text, not indentation.
    fn continue_line(&mut self) {
        self.start_line();
        self.whitespace = false;
        self.indention = false;
    }

    pub fn plain(&mut self, text: &[char], split: bool) {
        if text.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(" ");
        }
        self.whitespace = false;
        self.indention = false;
        self.words(text, split);
    }

    pub fn single_quoted(&mut self, text: &[char], split: bool) {
        self.indicator("'", true, false);
        let mut rest = text;
        while !rest.is_empty() {
            let breaks = rest.iter().take_while(|c| is_break(**c)).count();
            if breaks > 0 {
                if rest[0] == '\n' {
                    self.line_break('\n');
                }
                rest[..breaks].iter().for_each(|c| self.line_break(*c));
                self.start_line();
                rest = &rest[breaks..];
                continue;
            }
            let run = rest.iter().position(|c| is_break(*c)).unwrap_or(rest.len());
            let (first, last) = (rest.len() == text.len(), run == rest.len());
            self.quoted_words(&rest[..run], split, first, last);
            rest = &rest[run..];
        }
        self.indicator("'", false, false);
    }

    /// Words of a single-quoted text between line breaks; a lone space at the
    /// very start or end is never folded.
    fn quoted_words(&mut self, text: &[char], split: bool, first: bool, last: bool) {
        let mut at = 0;
        while at < text.len() {
            let spaces = text[at..].iter().take_while(|c| **c == ' ').count();
            if spaces > 0 {
                let end = at + spaces;
                let inside = (at > 0 || !first) && (end < text.len() || !last);
                if spaces == 1 && self.column > WIDTH && split && inside {
                    self.start_line();
                } else {
                    self.put_chars(&text[at..end]);
                }
                at = end;
                continue;
            }
            let end = at + text[at..].iter().take_while(|c| **c != ' ').count();
            for c in &text[at..end] {
                if *c == '\'' { self.put("''") } else { self.put_chars(&[*c]) }
            }
            at = end;
        }
    }

    fn words(&mut self, text: &[char], split: bool) {
        let mut at = 0;
        while at < text.len() {
            let spaces = text[at..].iter().take_while(|c| **c == ' ').count();
            if spaces == 1 && self.column > WIDTH && split {
                self.continue_line();
            } else {
                self.put_chars(&text[at..at + spaces]);
            }
            at += spaces;
            let word = text[at..].iter().take_while(|c| **c != ' ').count();
            self.put_chars(&text[at..at + word]);
            at += word;
        }
    }

    pub fn double_quoted(&mut self, text: &[char], split: bool) {
        self.indicator("\"", true, false);
        let (mut start, mut end) = (0, 0);
        while end <= text.len() {
            let c = text.get(end).copied();
            if c.is_none_or(|c| matches!(c, '"' | '\\') || !(' '..='~').contains(&c)) {
                if start < end {
                    self.put_chars(&text[start..end]);
                    start = end;
                }
                if let Some(c) = c {
                    self.put(&escape(c));
                    start = end + 1;
                }
            }
            let inside = 0 < end && end + 1 < text.len();
            let pending = end.saturating_sub(start);
            let may_break = c == Some(' ') || start >= end;
            // PyYAML counts a just written escape as minus one pending character
            let reach = self.column + pending - usize::from(start > end);
            if inside && may_break && reach > WIDTH && split {
                let tail: String = text[start.min(end)..end].iter().collect::<String>() + "\\";
                if start < end {
                    start = end;
                    self.put(&tail);
                } else {
                    self.put("\\");
                }
                self.continue_line();
                if text[start] == ' ' {
                    self.put("\\");
                }
            }
            end += 1;
        }
        self.indicator("\"", false, false);
    }

    pub fn literal(&mut self, text: &[char], best_indent: usize) {
        let hints = block_hints(text, best_indent);
        self.indicator(&format!("|{hints}"), true, false);
        self.open_ended = hints.ends_with('+');
        self.line_break('\n');
        let mut at = 0;
        while at < text.len() {
            let line = text[at..].iter().take_while(|c| !is_break(**c)).count();
            if line > 0 {
                self.start_line();
                self.out.extend(&text[at..at + line]);
                at += line;
                if at == text.len() {
                    self.line_break('\n');
                }
            }
            while at < text.len() && is_break(text[at]) {
                self.line_break(text[at]);
                at += 1;
            }
        }
    }
}

fn block_hints(text: &[char], best_indent: usize) -> String {
    let mut hints = String::new();
    if text.first().is_some_and(|c| *c == ' ' || is_break(*c)) {
        hints += &best_indent.to_string();
    }
    match text {
        [.., last] if !is_break(*last) => hints.push('-'),
        [_] => hints.push('+'),
        [.., before, _] if is_break(*before) => hints.push('+'),
        _ => {}
    }
    hints
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c if c <= '\u{ff}' => return format!("\\x{:02X}", c as u32),
        c if c <= '\u{ffff}' => return format!("\\u{:04X}", c as u32),
        c => return format!("\\U{:08X}", c as u32),
    };
    format!("\\{short}")
}
