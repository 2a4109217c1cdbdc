//! Lossless syntax trees: every byte of the file is in a token, for tools that show or change files.

use crate::assign::Assign;
use crate::scan::{Block, BlockKind, Joined, scan};
use crate::shape::{Dialect, Keyword, Simple};
use crate::text::is_space;
use rowan::{GreenNodeBuilder, Language};
use std::ops::Range;

/// Kinds of nodes and tokens. The nodes are the statements, all of them children of `File`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
#[allow(missing_docs, reason = "nodes are named for their statements, tokens say what they hold")]
pub enum SyntaxKind {
    // Nodes.
    File,
    Assign,
    Export,
    Unset,
    Include,
    IncludeAll,
    Inherit,
    InheritDefer,
    Function,
    Def,
    AddTask,
    DelTask,
    AddHandler,
    ExportFunctions,
    AddPyLib,
    AddFragments,
    /// Lines that are no statement.
    Error,
    // Tokens.
    /// Blanks within a statement.
    Whitespace,
    /// Blank lines, and what ends a line: trailing blanks and the line end.
    Newline,
    /// Whole lines of comments, or the comment behind `addtask` and `deltask`.
    Comment,
    /// A backslash at the end of a line, the line end, and any comment lines before the next part.
    Continuation,
    Keyword,
    Name,
    Flag,
    Operator,
    /// Quotes, brackets, braces.
    Punctuation,
    Value,
    /// What follows a keyword.
    Arguments,
    /// Lines of a function.
    Body,
    Unknown,
}

const KINDS: [SyntaxKind; 30] = {
    use SyntaxKind::*;
    [
        File,
        Assign,
        Export,
        Unset,
        Include,
        IncludeAll,
        Inherit,
        InheritDefer,
        Function,
        Def,
        AddTask,
        DelTask,
        AddHandler,
        ExportFunctions,
        AddPyLib,
        AddFragments,
        Error,
        Whitespace,
        Newline,
        Comment,
        Continuation,
        Keyword,
        Name,
        Flag,
        Operator,
        Punctuation,
        Value,
        Arguments,
        Body,
        Unknown,
    ]
};

/// BitBake's language, for rowan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BitBakeLanguage {}

impl Language for BitBakeLanguage {
    type Kind = SyntaxKind;

    fn kind_from_raw(raw: rowan::SyntaxKind) -> SyntaxKind {
        KINDS[usize::from(raw.0)]
    }

    fn kind_to_raw(kind: SyntaxKind) -> rowan::SyntaxKind {
        rowan::SyntaxKind(kind as u16)
    }
}

/// A node of a file's tree.
pub type SyntaxNode = rowan::SyntaxNode<BitBakeLanguage>;
/// A token of a file's tree.
pub type SyntaxToken = rowan::SyntaxToken<BitBakeLanguage>;

/// The tree of a file.
pub(crate) fn build(file: &str, dialect: Dialect) -> SyntaxNode {
    let mut tree = Tree { file, green: GreenNodeBuilder::new(), at: 0 };
    tree.start(SyntaxKind::File);
    scan(file, dialect, &mut |block, _| tree.block(block));
    tree.green.finish_node();
    SyntaxNode::new_root(tree.green.finish())
}

type Token = (SyntaxKind, Range<usize>);

struct Tree<'a> {
    file: &'a str,
    green: GreenNodeBuilder<'static>,
    /// The tokens so far end here.
    at: usize,
}

impl Tree<'_> {
    fn block(&mut self, block: Block<'_>) {
        let end = block.range.end;
        match block.kind {
            BlockKind::Blank => self.token(SyntaxKind::Newline, end),
            BlockKind::Comment => self.token(SyntaxKind::Comment, end),
            BlockKind::Bad => {
                self.start(SyntaxKind::Error);
                self.token(SyntaxKind::Unknown, end);
                self.green.finish_node();
            }
            BlockKind::Line { joined, shape } => {
                let (kind, tokens) = simple(&shape);
                self.start(kind);
                self.joined(joined, tokens);
                self.token(SyntaxKind::Newline, end);
                self.green.finish_node();
            }
            BlockKind::Function { joined, name, body, .. } => {
                self.start(SyntaxKind::Function);
                self.joined(joined, vec![(SyntaxKind::Name, name)]);
                self.token(SyntaxKind::Newline, body.start);
                self.token(SyntaxKind::Body, body.end);
                self.token(SyntaxKind::Punctuation, body.end + 1);
                self.token(SyntaxKind::Newline, end);
                self.green.finish_node();
            }
            BlockKind::Def { joined, name, body } => {
                self.start(SyntaxKind::Def);
                self.joined(joined, vec![(SyntaxKind::Name, name)]);
                self.token(SyntaxKind::Newline, body.start);
                self.token(SyntaxKind::Body, end);
                self.green.finish_node();
            }
        }
    }

    fn start(&mut self, kind: SyntaxKind) {
        self.green.start_node(BitBakeLanguage::kind_to_raw(kind));
    }

    /// A token of all bytes up to `end`, if there are any.
    fn token(&mut self, kind: SyntaxKind, end: usize) {
        if self.at < end {
            self.green.token(BitBakeLanguage::kind_to_raw(kind), &self.file[self.at..end]);
            self.at = end;
        }
    }

    /// The tokens of a line, and tokens for what is between them.
    fn joined(&mut self, joined: Joined<'_>, tokens: Vec<Token>) {
        let mut at = 0;
        for (kind, range) in tokens {
            self.between(joined, at..range.start);
            self.split(joined, kind, range.clone());
            at = range.end;
        }
        self.between(joined, at..joined.text.len());
    }

    /// Keywords, punctuation and white space, told apart by what they are made of.
    fn between(&mut self, joined: Joined<'_>, range: Range<usize>) {
        let kind_of = |c: char| match c {
            c if is_space(c) => SyntaxKind::Whitespace,
            '"' | '\'' | '[' | ']' | '(' | ')' | '{' => SyntaxKind::Punctuation,
            '#' => SyntaxKind::Comment,
            _ => SyntaxKind::Keyword,
        };
        let mut at = range.start;
        while at < range.end {
            let rest = &joined.text[at..range.end];
            let kind = rest.chars().next().map_or(SyntaxKind::Keyword, kind_of);
            let len = match kind {
                SyntaxKind::Comment => rest.len(),
                kind => rest.find(|c| kind_of(c) != kind).unwrap_or(rest.len()),
            };
            self.split(joined, kind, at..at + len);
            at += len;
        }
    }

    /// A token of a joined line: one for each line it stands on, with continuations between.
    fn split(&mut self, joined: Joined<'_>, kind: SyntaxKind, range: Range<usize>) {
        let mut before = 0;
        for piece in joined.pieces {
            let start = range.start.max(before);
            let end = range.end.min(before + piece.len);
            if start < end {
                self.token(SyntaxKind::Continuation, piece.at + start - before);
                self.token(kind, piece.at + end - before);
            }
            before += piece.len;
        }
    }
}

fn simple(shape: &Simple) -> (SyntaxKind, Vec<Token>) {
    use SyntaxKind::{Arguments, Flag, Name};
    match shape {
        Simple::Assign(found) => (SyntaxKind::Assign, assign(found)),
        Simple::Keyword(keyword, rest) => keyword_tokens(*keyword, rest.clone()),
        Simple::AddTask(rest) => (SyntaxKind::AddTask, vec![(Arguments, rest.clone())]),
        Simple::UnsetFlag { name, flag } => {
            (SyntaxKind::Unset, vec![(Name, name.clone()), (Flag, flag.clone())])
        }
        Simple::AddPyLib(words) => {
            (SyntaxKind::AddPyLib, words.iter().cloned().map(|w| (Arguments, w)).collect())
        }
        Simple::AddFragments(words) => {
            let words = words.iter().filter(|word| !word.is_empty()).cloned();
            (SyntaxKind::AddFragments, words.map(|w| (Arguments, w)).collect())
        }
    }
}

fn assign(found: &Assign) -> Vec<Token> {
    let name = (SyntaxKind::Name, found.name.clone());
    let flag = found.flag.clone().map(|flag| (SyntaxKind::Flag, flag));
    let rest = [(SyntaxKind::Operator, found.op_at.clone()), (SyntaxKind::Value, found.value.clone())];
    std::iter::once(name).chain(flag).chain(rest).collect()
}

fn keyword_tokens(keyword: Keyword, rest: Range<usize>) -> (SyntaxKind, Vec<Token>) {
    let kind = match keyword {
        Keyword::ExportFunctions => SyntaxKind::ExportFunctions,
        Keyword::DelTask => SyntaxKind::DelTask,
        Keyword::AddHandler => SyntaxKind::AddHandler,
        Keyword::Inherit => SyntaxKind::Inherit,
        Keyword::InheritDefer => SyntaxKind::InheritDefer,
        Keyword::Include | Keyword::Require => SyntaxKind::Include,
        Keyword::IncludeAll => SyntaxKind::IncludeAll,
        Keyword::Export => SyntaxKind::Export,
        Keyword::Unset => SyntaxKind::Unset,
    };
    let token = match keyword {
        Keyword::Export | Keyword::Unset => SyntaxKind::Name,
        _ => SyntaxKind::Arguments,
    };
    (kind, vec![(token, rest)])
}

#[cfg(test)]
mod tests {
    use crate::{FileKind, SyntaxKind, SyntaxNode, parse};
    use bitzel_base::CompatLevel;

    fn tree(text: &str) -> SyntaxNode {
        parse(text, FileKind::Recipe, CompatLevel::V2_18, false).syntax()
    }

    /// `KIND TEXT` for each token, under the kind of its node.
    fn tokens(text: &str) -> Vec<String> {
        tree(text)
            .descendants_with_tokens()
            .filter(|element| element.kind() != SyntaxKind::File)
            .map(|element| match element.as_token() {
                Some(token) => format!("  {:?} {:?}", token.kind(), token.text()),
                None => format!("{:?}", element.kind()),
            })
            .collect()
    }

    #[test]
    fn an_assignment_shows_its_parts_and_where_it_is_continued() {
        let found = tokens("export A[b] = \"c \\ \n d\" \n");
        let expected = [
            "Assign",
            r#"  Keyword "export""#,
            r#"  Whitespace " ""#,
            r#"  Name "A""#,
            r#"  Punctuation "[""#,
            r#"  Flag "b""#,
            r#"  Punctuation "]""#,
            r#"  Whitespace " ""#,
            r#"  Operator "=""#,
            r#"  Whitespace " ""#,
            r#"  Punctuation "\"""#,
            r#"  Value "c ""#,
            r#"  Continuation "\\ \n""#,
            r#"  Value " d""#,
            r#"  Punctuation "\"""#,
            r#"  Newline " \n""#,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_function_shows_head_body_and_end() {
        let found = tokens("# c\npython f() {\n  a\n}\n\n");
        let expected = [
            r##"  Comment "# c\n""##,
            "Function",
            r#"  Keyword "python""#,
            r#"  Whitespace " ""#,
            r#"  Name "f""#,
            r#"  Punctuation "()""#,
            r#"  Whitespace " ""#,
            r#"  Punctuation "{""#,
            r#"  Newline "\n""#,
            r#"  Body "  a\n""#,
            r#"  Punctuation "}""#,
            r#"  Newline "\n""#,
            r#"  Newline "\n""#,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn keywords_and_comments_behind_tasks_have_tokens() {
        let found = tokens("addtask a after b # c\ninherit x\n");
        let expected = [
            "AddTask",
            r#"  Keyword "addtask""#,
            r#"  Whitespace " ""#,
            r#"  Arguments "a after b ""#,
            r##"  Comment "# c""##,
            r#"  Newline "\n""#,
            "Inherit",
            r#"  Keyword "inherit""#,
            r#"  Whitespace " ""#,
            r#"  Arguments "x""#,
            r#"  Newline "\n""#,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_statement_is_an_error_of_whole_lines() {
        let nodes: Vec<String> = tree("A = b\nB = 'c'\nf() {\n x\n")
            .children()
            .map(|n| format!("{:?} {:?}", n.kind(), n.text()))
            .collect();
        assert_eq!(nodes, [r#"Error "A = b\n""#, r#"Assign "B = 'c'\n""#, r#"Error "f() {\n x\n""#]);
    }
}
