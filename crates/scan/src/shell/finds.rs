//! Which commands a piece of shell text runs.

use super::grammar::read_program;
use super::lexer::tokenize;
use super::quoting::substitutions;
use crate::ScanError;
use bitzel_base::CompatLevel;
use std::collections::BTreeSet;

/// What shell text refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShellRefs {
    /// Names of commands run, as written, less the functions the text defines.
    pub execs: BTreeSet<Box<str>>,
    /// Names of the functions the text defines.
    pub functions: BTreeSet<Box<str>>,
}

/// Finds the commands that expanded shell text runs.
///
/// BitBake: `ShellParser.parse_shell` (feature map 1.6). Its blind spots are
/// kept: names in here-documents, redirections, the word of a `case` and
/// `${x:-$(command)}` are not found, nor is a command whose name is expanded.
///
/// # Errors
/// For text BitBake refuses: `$((...))`, `for` without `in`, a redirected
/// function, `&` inside of a compound command, and what is no shell syntax.
pub fn scan_shell(text: &str, level: CompatLevel) -> Result<ShellRefs, ScanError> {
    let mut finds = Finds { level, depth: 0, refs: ShellRefs::default() };
    finds.program(text)?;
    let ShellRefs { mut execs, functions } = finds.refs;
    execs.retain(|name| !functions.contains(name));
    Ok(ShellRefs { execs, functions })
}

/// Nested command substitutions beyond this are refused: they only cost stack.
const MAX_DEPTH: usize = 50;

/// Collects what a text refers to.
pub(super) struct Finds {
    level: CompatLevel,
    depth: usize,
    refs: ShellRefs,
}

impl Finds {
    fn program(&mut self, text: &str) -> Result<(), ScanError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ScanError::ShellTooDeep);
        }
        read_program(&tokenize(text)?, self)?;
        self.depth -= 1;
        Ok(())
    }

    pub(super) fn function(&mut self, name: &str) {
        self.refs.functions.insert(name.into());
    }

    /// Follows the substitutions of a word; whether it has any.
    pub(super) fn word(&mut self, word: &str) -> Result<bool, ScanError> {
        let inner = substitutions(word, self.level)?;
        for text in &inner {
            self.program(text)?;
        }
        Ok(!inner.is_empty())
    }

    /// `NAME=value` at the end of the text.
    pub(super) fn assignment(&mut self, text: &str) -> Result<(), ScanError> {
        let value = text.split_once('=').map_or("", |(_, value)| value);
        self.word(value).map(|_| ())
    }

    /// A simple command of these words, redirections left out.
    ///
    /// BitBake: assignments before the command are words like others. A first
    /// word with a substitution in it hides the name of the command, and at
    /// level 2.18 also the substitutions of the word behind it.
    pub(super) fn command(&mut self, words: &[&str]) -> Result<(), ScanError> {
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        let hidden = self.word(first)?;
        let blind = usize::from(hidden && self.level >= CompatLevel::V2_18);
        for word in rest.iter().skip(blind) {
            self.word(word)?;
        }
        if hidden { Ok(()) } else { self.name(words) }
    }

    /// Finds the name of the command behind assignments. What `eval` runs is
    /// taken as text that stands there.
    fn name(&mut self, words: &[&str]) -> Result<(), ScanError> {
        for (index, word) in words.iter().enumerate() {
            if word.contains('=') {
                continue;
            }
            if *word == "eval" {
                return self.program(&words[index + 1..].join(" "));
            }
            if !word.starts_with('$') {
                self.refs.execs.insert((*word).into());
            }
            break;
        }
        Ok(())
    }
}
