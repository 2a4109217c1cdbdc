//! Takes a file apart into blocks: blank lines, comments, and statements with all the lines they
//! take. The blocks together are the whole file.

use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::shape::{self, Dialect, Shape, Simple};
use crate::text::{Line, Lines, repr_list, with_newlines};
use std::ops::Range;

/// A part of a line that stands in one piece in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// Offset in the file.
    pub at: usize,
    /// Length in bytes.
    pub len: usize,
}

/// A line as it is after continued lines are joined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined<'s> {
    pub text: &'s str,
    /// Where it comes from; together they are as long as `text`.
    pub pieces: &'s [Piece],
}

/// What a block is.
#[derive(Debug)]
pub(crate) enum BlockKind<'s> {
    /// A line that is empty or white space.
    Blank,
    /// Lines of a comment.
    Comment,
    /// A line without a meaning, or with one that is wrong.
    Bad,
    /// A statement of one line.
    Line { joined: Joined<'s>, shape: Simple },
    /// A function; `body` holds the lines between the braces, and is followed by that of the `}`.
    Function { joined: Joined<'s>, name: Range<usize>, python: bool, fakeroot: bool, body: Range<usize> },
    /// A `def`; `body` holds the lines behind the first.
    Def { joined: Joined<'s>, name: Range<usize>, body: Range<usize> },
}

/// A part of the file, of whole lines.
#[derive(Debug)]
pub(crate) struct Block<'s> {
    /// Bytes of the file.
    pub range: Range<usize>,
    /// The line that BitBake holds for the statement's: its last, or for a `def` the one behind it.
    pub line: u32,
    /// How many lines the body of a function has.
    pub body_lines: u32,
    pub kind: BlockKind<'s>,
}

/// Hands the blocks of `file` to `visit` in order; returns what is wrong, `visit`'s findings included.
pub(crate) fn scan(
    file: &str,
    dialect: Dialect,
    visit: &mut dyn FnMut(Block<'_>, &mut Vec<Diagnostic>),
) -> Vec<Diagnostic> {
    let mut scanner = Scanner {
        file,
        dialect,
        lines: Lines::new(file).peekable(),
        visit,
        diagnostics: Vec::new(),
        start: 0,
        last: 0,
        text: String::new(),
        pieces: Vec::new(),
        first_line: 0,
    };
    while let Some(line) = scanner.next_line() {
        if dialect.recipe { scanner.recipe_line(line) } else { scanner.conf_line(line) }
    }
    scanner.finish();
    scanner.diagnostics
}

struct Scanner<'a, 'v> {
    file: &'a str,
    dialect: Dialect,
    lines: std::iter::Peekable<Lines<'a>>,
    visit: &'v mut dyn FnMut(Block<'_>, &mut Vec<Diagnostic>),
    diagnostics: Vec<Diagnostic>,
    /// Where the block being read begins.
    start: usize,
    /// Number of the last line read.
    last: u32,
    /// Continued lines read so far, joined.
    text: String,
    /// Where they come from. Not empty: a statement is being continued.
    pieces: Vec<Piece>,
    /// Line of the first of them.
    first_line: u32,
}

impl<'a> Scanner<'a, '_> {
    fn next_line(&mut self) -> Option<Line<'a>> {
        let line = self.lines.next()?;
        self.last = line.number;
        Some(line)
    }

    fn report(&mut self, line: u32, kind: DiagnosticKind) {
        self.diagnostics.push(Diagnostic { line, kind });
    }

    fn recipe_line(&mut self, line: Line<'a>) {
        if !self.pieces.is_empty() && !self.may_continue_with(line) {
            return;
        }
        if let Some(text) = line.text.strip_suffix('\\') {
            self.continue_with(text, line);
            return;
        }
        if self.pieces.is_empty() {
            self.whole_line(line.text, &[Piece { at: line.start, len: line.text.len() }], line);
        } else {
            self.continue_with(line.text, line);
            self.joined_line(line);
        }
    }

    /// Whether `line` continues what is there; reports what may not. Where a continued comment ends
    /// in something else, the comment is given up and the line stands for itself.
    fn may_continue_with(&mut self, line: Line<'a>) -> bool {
        let comment = line.text.starts_with('#');
        if self.pieces[0].len == 0 {
            // DIFFERS: BitBake dies of an IndexError here.
            self.report(line.number, DiagnosticKind::EmptyContinuedLine);
            self.give_up(BlockKind::Bad, line.start);
        } else if !self.text.starts_with('#') && comment {
            self.report(line.number, DiagnosticKind::CommentInStatement(line.text.into()));
            return false;
        } else if self.text.starts_with('#') && !comment {
            let lines: Vec<&str> = self.piece_texts().collect();
            let kind = DiagnosticKind::ContinuedComment(lines.join("\n").into());
            self.report(self.first_line, kind);
            self.give_up(BlockKind::Comment, line.start);
        }
        true
    }

    fn continue_with(&mut self, text: &str, line: Line<'a>) {
        if self.pieces.is_empty() {
            self.first_line = line.number;
            self.text.clear();
        }
        self.text.push_str(text);
        self.pieces.push(Piece { at: line.start, len: text.len() });
    }

    /// The continued line, `last` being its last.
    fn joined_line(&mut self, last: Line<'a>) {
        let (text, pieces) = (std::mem::take(&mut self.text), std::mem::take(&mut self.pieces));
        self.whole_line(&text, &pieces, last);
        self.text = text;
        self.pieces = pieces;
        self.pieces.clear();
    }

    /// BitBake: in .conf files a comment may stand within a statement, as a part of it.
    fn conf_line(&mut self, first: Line<'a>) {
        let mut line = first;
        while let Some(text) = line.text.strip_suffix('\\') {
            self.continue_with(text, line);
            // BitBake: the end of the file continues a line as an empty one would.
            let end = Line { text: "", start: line.end, end: line.end, number: line.number + 1 };
            let next = self.next_line().unwrap_or(end);
            if self.text.starts_with('#') && !next.text.starts_with('#') {
                let lines = with_newlines(&self.file[self.start..next.end]);
                self.report(first.number, DiagnosticKind::ContinuedConfComment(lines.into()));
                self.give_up(BlockKind::Comment, next.end);
                return;
            }
            line = next;
        }
        if self.pieces.is_empty() {
            self.whole_line(line.text, &[Piece { at: line.start, len: line.text.len() }], line);
            return;
        }
        self.continue_with(line.text, line);
        if self.text.is_empty() {
            // DIFFERS: BitBake dies of an IndexError here.
            self.report(line.number, DiagnosticKind::EmptyContinuedLine);
            self.give_up(BlockKind::Bad, line.end);
        } else {
            self.joined_line(line);
        }
    }

    fn whole_line(&mut self, text: &str, pieces: &[Piece], last: Line<'a>) {
        let joined = Joined { text, pieces };
        if text.is_empty() {
            self.block(BlockKind::Blank, last.end, last.number, 0);
        } else if text.starts_with('#') {
            self.block(BlockKind::Comment, last.end, last.number, 0);
        } else {
            match shape::recognise(text, self.dialect) {
                None => self.bad_line(DiagnosticKind::UnparsedLine(text.into()), last),
                Some(Shape::Simple(Simple::Assign(a))) if a.name.is_empty() => {
                    self.bad_line(DiagnosticKind::EmptyVariable(text.into()), last);
                }
                Some(Shape::Function { name, python, fakeroot }) => {
                    self.function(joined, name, python, fakeroot, last);
                }
                Some(Shape::Def { name }) => self.def(joined, name, last),
                Some(Shape::Simple(shape)) => {
                    self.block(BlockKind::Line { joined, shape }, last.end, last.number, 0)
                }
            }
        }
    }

    fn bad_line(&mut self, kind: DiagnosticKind, line: Line<'a>) {
        self.report(line.number, kind);
        self.block(BlockKind::Bad, line.end, line.number, 0);
    }

    /// A function ends at a line that is `}` and nothing else.
    fn function(
        &mut self,
        joined: Joined<'_>,
        name: Range<usize>,
        python: bool,
        fakeroot: bool,
        head: Line<'a>,
    ) {
        let mut body = head.end..head.end;
        let mut body_lines = 0;
        while let Some(line) = self.next_line() {
            if line.text == "}" {
                let kind = BlockKind::Function { joined, name, python, fakeroot, body };
                self.block(kind, line.end, line.number, body_lines);
                return;
            }
            if python {
                self.check_indent(line);
            }
            body.end = line.end;
            body_lines += 1;
        }
        if body_lines == 0 {
            let name = if name.is_empty() { "__anonymous" } else { &joined.text[name] };
            self.report(head.number, DiagnosticKind::UnclosedFunction(name.into()));
        } else {
            let lines = repr_list(Lines::new(&self.file[body.clone()]).map(|line| line.text));
            self.report(self.last + 1, DiagnosticKind::UnclosedBody(lines.into()));
        }
        self.block(BlockKind::Bad, body.end, self.last + 1, 0);
    }

    /// A `def` goes on while lines are indented, empty or comments.
    fn def(&mut self, joined: Joined<'_>, name: Range<usize>, head: Line<'a>) {
        let mut body = head.end..head.end;
        let mut body_lines = 0;
        let goes_on =
            |line: &Line<'_>| line.text.chars().next().is_none_or(|c| c == '#' || crate::text::is_space(c));
        while let Some(line) = self.lines.next_if(goes_on) {
            self.last = line.number;
            self.check_indent(line);
            body.end = line.end;
            body_lines += 1;
        }
        let kind = BlockKind::Def { joined, name, body: body.clone() };
        self.block(kind, body.end, self.last + 1, body_lines);
    }

    fn check_indent(&mut self, line: Line<'a>) {
        if line.text.trim_start_matches(' ').starts_with('\t') {
            self.report(line.number, DiagnosticKind::TabIndent);
        }
    }

    fn block(&mut self, kind: BlockKind<'_>, end: usize, line: u32, body_lines: u32) {
        let block = Block { range: self.start..end, line, body_lines, kind };
        (self.visit)(block, &mut self.diagnostics);
        self.start = end;
    }

    /// Makes a block of the lines read so far and forgets them.
    fn give_up(&mut self, kind: BlockKind<'_>, end: usize) {
        self.block(kind, end, self.last, 0);
        self.pieces.clear();
    }

    fn piece_texts(&self) -> impl Iterator<Item = &'a str> {
        let file = self.file;
        self.pieces.iter().map(move |piece| &file[piece.at..piece.at + piece.len])
    }

    /// The end of the file.
    fn finish(&mut self) {
        if !self.pieces.is_empty() {
            let lines = repr_list(self.piece_texts());
            self.report(self.last + 1, DiagnosticKind::UnparsedLines(lines.into()));
            self.give_up(BlockKind::Bad, self.file.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{FileKind, Parse, parse};
    use bitzel_base::CompatLevel;

    fn recipe(text: &str) -> Parse {
        parse(text, FileKind::Recipe, CompatLevel::V2_18, false)
    }

    fn messages(parsed: &Parse) -> Vec<(u32, String)> {
        parsed.diagnostics().iter().map(|d| (d.line, d.message("x.bb").to_string())).collect()
    }

    #[test]
    fn a_comment_within_a_statement_is_an_error_and_the_statement_is_kept() {
        let parsed = recipe("A = \"a \\\n# x \\\n b\"\nB = \"c\"\n");
        let lines: Vec<u32> = parsed.statements().iter().map(|s| s.line).collect();
        assert_eq!(lines, [3, 4]);
        let found = messages(&parsed);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, 2);
        assert!(found[0].1.starts_with("There is a comment on line 2 of file x.bb:\n"), "{}", found[0].1);
    }

    #[test]
    fn a_continued_comment_does_not_swallow_the_statement_behind_it() {
        let parsed = recipe("# a \\\nB = \"c\"\n");
        assert_eq!(parsed.statements().len(), 1);
        let found = messages(&parsed);
        assert_eq!(found.len(), 1);
        assert!(found[0].1.contains("on line 1 of file x.bb:\n# a \nPlease"), "{}", found[0].1);
    }

    #[test]
    fn all_errors_of_a_file_are_found() {
        let parsed = recipe("A = b\n= 'c'\n\\\nB = 'd'\nf() {\n x\n");
        let found = messages(&parsed);
        let expected = [
            (1, "unparsed line: 'A = b'"),
            (2, "Empty variable name in assignment: '= 'c''"),
            (4, "a statement begins with a line that is only a backslash"),
            (7, "Unparsed lines from unclosed function x.bb: [' x']"),
        ];
        assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
        assert_eq!(parsed.statements().len(), 1);
    }
}
