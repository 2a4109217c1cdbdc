//! Which statement a line is: its parts as ranges of the line, nothing copied.
//! The rules are those of BitBake's line patterns, leftmost and greedy as those are.

use crate::assign::{self, Assign};
use crate::text::{is_space, is_word, trim_end, trim_start};
use bitzel_base::CompatLevel;
use std::ops::Range;

/// What kinds of statements a line may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    /// The level.
    pub level: CompatLevel,
    /// Statements of recipes and classes too.
    pub recipe: bool,
    /// `addpylib` too.
    pub pylib: bool,
}

/// Statements made of a keyword and the rest of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    ExportFunctions,
    DelTask,
    AddHandler,
    Inherit,
    InheritDefer,
    Include,
    Require,
    IncludeAll,
    Export,
    Unset,
}

/// A recognised line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A whole statement.
    Simple(Simple),
    /// First line of a function; no name means an anonymous one.
    Function { name: Range<usize>, python: bool, fakeroot: bool },
    /// First line of a `def`.
    Def { name: Range<usize> },
}

/// A statement of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Simple {
    Assign(Assign),
    Keyword(Keyword, Range<usize>),
    AddTask(Range<usize>),
    UnsetFlag { name: Range<usize>, flag: Range<usize> },
    AddPyLib([Range<usize>; 2]),
    AddFragments([Range<usize>; 4]),
}

/// The statement that the line `text` is or begins.
pub(crate) fn recognise(text: &str, dialect: Dialect) -> Option<Shape> {
    let recipe = if dialect.recipe { recipe_line(text, dialect.level) } else { None };
    recipe.or_else(|| conf_line(text, dialect).map(Shape::Simple))
}

fn recipe_line(text: &str, level: CompatLevel) -> Option<Shape> {
    use Keyword::*;
    let simple = || match text.as_bytes().first()? {
        b'E' => keyword(text, "EXPORT_FUNCTIONS", ExportFunctions),
        b'a' => add_task(text, level).or_else(|| keyword(text, "addhandler", AddHandler)),
        b'd' => del_task(text, level),
        b'i' => keyword(text, "inherit", Inherit).or_else(|| keyword(text, "inherit_defer", InheritDefer)),
        _ => None,
    };
    function(text).or_else(|| def(text)).or_else(|| simple().map(Shape::Simple))
}

fn conf_line(text: &str, dialect: Dialect) -> Option<Simple> {
    use Keyword::*;
    if let Some(found) = assign::recognise(text, dialect.level) {
        return Some(Simple::Assign(found));
    }
    let new = dialect.level >= CompatLevel::V2_18;
    match text.as_bytes().first()? {
        b'i' => keyword(text, "include", Include)
            .or_else(|| new.then(|| keyword(text, "include_all", IncludeAll)).flatten()),
        b'r' => keyword(text, "require", Require),
        b'e' => plain_name(text, "export").map(|name| Simple::Keyword(Export, name)),
        b'u' => {
            plain_name(text, "unset").map(|name| Simple::Keyword(Unset, name)).or_else(|| unset_flag(text))
        }
        b'a' if dialect.pylib && text.starts_with("addpylib") => {
            words(text, "addpylib").map(Simple::AddPyLib)
        }
        b'a' if new => add_fragments(text),
        _ => None,
    }
}

fn keyword(text: &str, word: &str, keyword: Keyword) -> Option<Simple> {
    let [rest] = words(text, word)?;
    Some(Simple::Keyword(keyword, rest))
}

/// `WORD\s+(.+)\s+(.+)...` with `N` groups, matched as a backtracking matcher does: as much white
/// space as possible before the first group, then earlier groups as long as possible.
fn words<const N: usize>(text: &str, word: &str) -> Option<[Range<usize>; N]> {
    let rest = text.strip_prefix(word)?;
    let blank = &rest[..rest.len() - trim_start(rest).len()];
    // Less white space is tried where the rest is too short otherwise.
    let starts = blank.char_indices().rev().map(|(at, c)| word.len() + at + c.len_utf8());
    starts.into_iter().find_map(|start| split_words(text, start))
}

fn split_words<const N: usize>(text: &str, start: usize) -> Option<[Range<usize>; N]> {
    let mut found = [const { 0..0 }; N];
    let mut end = text.len();
    for group in found[1..].iter_mut().rev() {
        let last = text[start..end].chars().next_back()?;
        let (at, blank) =
            text[start..end - last.len_utf8()].char_indices().rev().find(|(_, c)| is_space(*c))?;
        *group = start + at + blank.len_utf8()..end;
        end = start + at;
    }
    found[0] = start..end;
    (start < end).then_some(found)
}

fn add_task(text: &str, level: CompatLevel) -> Option<Simple> {
    let new = level >= CompatLevel::V2_18;
    let [rest] = words(if new { without_comment(text) } else { text }, "addtask")?;
    (new || text[rest.clone()].starts_with(is_word)).then_some(Simple::AddTask(rest))
}

fn del_task(text: &str, level: CompatLevel) -> Option<Simple> {
    let text = if level >= CompatLevel::V2_18 { without_comment(text) } else { text };
    keyword(text, "deltask", Keyword::DelTask)
}

fn without_comment(text: &str) -> &str {
    text.find('#').map_or(text, |at| &text[..at])
}

/// The fourth word came later than the others, between two releases; without it there are
/// no built-in fragments.
fn add_fragments(text: &str) -> Option<Simple> {
    let older = || {
        let three: [Range<usize>; 3] = words(text, "addfragments")?;
        let [a, b, c] = three.clone();
        let said = three.into_iter().all(|word| !text[word].trim().is_empty());
        said.then_some([a, b, c, text.len()..text.len()])
    };
    words(text, "addfragments").or_else(older).map(Simple::AddFragments)
}

/// `WORD\s+NAME$` where the name has no colon.
fn plain_name(text: &str, word: &str) -> Option<Range<usize>> {
    let name = after_word(text, word)?;
    let all = text[name..].bytes().all(assign::is_plain_name_byte);
    all.then_some(name..text.len())
}

/// `unset NAME[FLAG]`. BitBake: the flag has at least two characters here, and no `/`.
fn unset_flag(text: &str) -> Option<Simple> {
    let start = after_word(text, "unset")?;
    let open = start + text[start..].find('[')?;
    let flag = open + 1..text.len() - 1;
    let fits = text.ends_with(']')
        && flag.len() >= 2
        && open > start
        && text[start..open].bytes().all(assign::is_plain_name_byte)
        && assign::is_flag(&text[flag.clone()], CompatLevel::V2_8);
    fits.then_some(Simple::UnsetFlag { name: start..open, flag })
}

/// Where the text behind a word and white space begins; there is some.
fn after_word(text: &str, word: &str) -> Option<usize> {
    let rest = text.strip_prefix(word)?;
    let name = trim_start(rest);
    (name.len() < rest.len() && !name.is_empty()).then_some(text.len() - name.len())
}

/// First line of a function. `python` and `fakeroot` may stand before the name, often and in any
/// order; the words are names themselves where no white space follows (`python` also before `(`).
fn function(text: &str) -> Option<Shape> {
    let head = trim_end(trim_end(text.strip_suffix('{')?).strip_suffix(')')?);
    let head = head.strip_suffix('(')?;
    let (mut at, end) = (0, trim_end(head).len());
    let (mut python, mut fakeroot) = (false, false);
    loop {
        let rest = &head[at..];
        let len = if let Some(after) =
            rest.strip_prefix("python").filter(|a| a.is_empty() || a.starts_with(is_space))
        {
            python = true;
            rest.len() - trim_start(after).len()
        } else if let Some(after) = rest.strip_prefix("fakeroot").filter(|a| a.starts_with(is_space)) {
            fakeroot = true;
            rest.len() - trim_start(after).len()
        } else {
            break;
        };
        at += len;
    }
    let name = at.min(end)..end;
    let fits = text[name.clone()]
        .chars()
        .all(|c| is_word(c) || matches!(c, '.' | '-' | '+' | '{' | '}' | ':' | '$'));
    // BitBake: anonymous functions are Python, whatever stands before them.
    python |= is_anonymous(&text[name.clone()]);
    fits.then_some(Shape::Function { name, python, fakeroot })
}

/// Whether a function of this name is run rather than stored under its name.
pub(crate) fn is_anonymous(name: &str) -> bool {
    name.is_empty() || name == "__anonymous"
}

/// First line of a `def`: a name and, anywhere behind it, a colon.
fn def(text: &str) -> Option<Shape> {
    let start = after_word(text, "def")?;
    let len = text[start..].find(|c| !is_word(c))?;
    (len > 0 && text[start + len..].contains(':')).then_some(Shape::Def { name: start..start + len })
}
