//! Expansion that notes what a text refers to.

use super::finds::CodeFinds;
use super::known::may_join;
use super::signatures::SignatureCache;
use crate::expand::Owner;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::template::{Segment, find_inline, find_reference};
use crate::{Error, Result};
use std::rc::Rc;

/// What a text refers to when it is expanded.
#[derive(Default)]
pub(crate) struct TextRefs {
    pub(crate) references: Vec<Sym>,
    pub(crate) code: Vec<Rc<CodeFinds>>,
    /// Values were looked at, not only whether they hold references.
    pub(crate) varies: bool,
}

impl SignatureCache {
    /// Adds to `refs` what `text` refers to, in all rounds of its expansion; what the
    /// values it is made up of refer to is not its own.
    pub(crate) fn add_references(
        &mut self,
        store: &DataStore,
        text: &Rc<str>,
        owner: Owner,
        refs: &mut TextRefs,
    ) -> Result<()> {
        let mut current = text.clone();
        while current.contains("${") {
            match self.round(store, &current, owner, refs)? {
                Some(next) if next != current => current = next,
                _ => break,
            }
        }
        Ok(())
    }

    /// One round of expansion; none if another cannot find more.
    fn round(
        &mut self,
        store: &DataStore,
        text: &Rc<str>,
        owner: Owner,
        refs: &mut TextRefs,
    ) -> Result<Option<Rc<str>>> {
        let template = store.context().template(text);
        let mut settled = true;
        for segment in &template.segments {
            match segment {
                Segment::Reference(sym, _) => {
                    refs.references.push(*sym);
                    settled &= !may_join(&store.entry(*sym)?.value);
                }
                Segment::Literal(range) => settled &= !is_open(&text[range.clone()]),
            }
        }
        let has_code = text.contains("${@");
        if !has_code && settled {
            return Ok(None);
        }
        refs.varies = true;
        let substituted = if has_code && settled && !code_has_references(text) {
            text.clone()
        } else {
            settled = false;
            store.substitute_all(text, owner)?.into()
        };
        let next = self.run_code(store, &substituted, owner, refs, &mut settled)?;
        Ok(if settled { None } else { Some(next) })
    }

    /// Runs the inline code of a text and notes what it refers to.
    fn run_code(
        &mut self,
        store: &DataStore,
        text: &Rc<str>,
        owner: Owner,
        refs: &mut TextRefs,
        settled: &mut bool,
    ) -> Result<Rc<str>> {
        let mut out = String::new();
        let mut at = 0;
        while let Some(range) = find_inline(text, at) {
            out.push_str(&text[at..range.start]);
            at = range.end;
            let code = &text[range.start + 3..range.end - 1];
            if find_reference(code, 0).is_some() {
                out.push_str(&text[range]);
                continue;
            }
            let name = owner.map_or("", |(_, name)| name);
            match self.finds.python(code, store.context(), name, &*self.visitor) {
                Ok(found) => refs.code.push(found),
                // Text that only looks like code stays as it is, all of it.
                Err(Error::Scan { error: bitzel_scan::ScanError::PythonUnclosedString { .. }, .. }) => {
                    return Ok(text.clone());
                }
                Err(error) => return Err(error),
            }
            let value = store.inline_value(code, owner)?;
            *settled &= !value.contains("${");
            out.push_str(&value);
        }
        out.push_str(&text[at..]);
        Ok(out.into())
    }
}

/// May what comes behind a literal make it a reference, as in `${${A}}`?
fn is_open(literal: &str) -> bool {
    literal.ends_with('$') || literal.match_indices("${").any(|(at, _)| !literal[at + 2..].starts_with('@'))
}

/// Does inline code of the text hold `${...}`?
fn code_has_references(text: &str) -> bool {
    let mut at = 0;
    while let Some(range) = find_inline(text, at) {
        if find_reference(&text[range.start + 3..range.end - 1], 0).is_some() {
            return true;
        }
        at = range.end;
    }
    // Code whose end is found only once a reference in it is replaced.
    text[at..].contains("${@")
}
