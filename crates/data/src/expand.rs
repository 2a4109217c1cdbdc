//! Expansion of `${NAME}` and `${@...}` (manual, "Variable Expansion").

use crate::cache::CacheKey;
use crate::context::Lifetime;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::template::{Segment, find_inline, find_reference};
use crate::value::Value;
use crate::{Error, Result};
use std::rc::Rc;

/// Bytes. A value longer than that comes from variables that double one another, and would
/// soon fill the memory.
const LONGEST: usize = 64 << 20;

/// The variable whose value is being expanded.
pub(crate) type Owner<'a> = Option<(Sym, &'a str)>;

impl DataStore {
    /// Expands a text that is no variable's value.
    pub fn expand(&self, text: &str) -> Result<Rc<str>> {
        self.expand_text(&text.into(), None)
    }

    /// Expands a text as the value of `name`, which it must not refer to.
    pub fn expand_as(&self, text: &str, name: &str) -> Result<Rc<str>> {
        self.expand_text(&text.into(), Some((self.context().sym(name), name)))
    }

    /// Expands until nothing changes. Unknown `${NAME}` stay.
    pub(crate) fn expand_text(&self, text: &Rc<str>, owner: Owner) -> Result<Rc<str>> {
        if !text.contains("${") {
            return Ok(text.clone());
        }
        let mut current = text.clone();
        loop {
            let next = self
                .expand_once(&current, owner)
                .map_err(|error| error.while_expanding(owner.map(|(_, name)| name), &current))?;
            if next == current || !next.contains("${") {
                return Ok(next);
            }
            current = next;
        }
    }

    /// One round: first all `${NAME}`, those within Python code included, then the code.
    fn expand_once(&self, text: &Rc<str>, owner: Owner) -> Result<Rc<str>> {
        let out = self.substitute_all(text, owner)?;
        if !out.contains("${@") {
            return Ok(out.into());
        }
        self.run_inline(out, owner)
    }

    /// Replaces all `${NAME}`; code is not run.
    pub(crate) fn substitute_all(&self, text: &Rc<str>, owner: Owner) -> Result<String> {
        let template = self.context().template(text);
        let mut out = String::with_capacity(text.len() * 2);
        for (item, segment) in template.segments.iter().enumerate() {
            match segment {
                Segment::Literal(range) => out.push_str(&text[range.clone()]),
                Segment::Reference(sym, range) => {
                    if let Some(found) = self.substitute(*sym, &text[range.clone()], owner, &mut out)? {
                        return Err(Error::NotText { item, found });
                    }
                }
            }
        }
        Ok(out)
    }

    /// Adds a reference's value. Answers with the type of a value that is no text.
    fn substitute(
        &self,
        sym: Sym,
        written: &str,
        owner: Owner,
        out: &mut String,
    ) -> Result<Option<&'static str>> {
        if let Some((own, name)) = owner
            && own == sym
        {
            return Err(Error::SelfReference(name.to_owned()));
        }
        match &self.entry(sym)?.value {
            None | Some(Value::None) => out.push_str(written),
            Some(Value::Str(value)) if out.len() + value.len() > LONGEST => {
                return Err(Error::TooLong {
                    variable: self.context().name(sym).to_string(),
                    longest: LONGEST >> 20,
                });
            }
            Some(Value::Str(value)) => out.push_str(value),
            Some(other) => return Ok(Some(other.type_name())),
        }
        Ok(None)
    }

    fn run_inline(&self, text: String, owner: Owner) -> Result<Rc<str>> {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(range) = find_inline(&text, at) {
            out.push_str(&text[at..range.start]);
            at = range.end;
            let code = &text[range.start + 3..range.end - 1];
            if find_reference(code, 0).is_some() {
                out.push_str(&text[range]);
                continue;
            }
            match self.inline_value(code, owner) {
                Ok(value) => out.push_str(&value),
                // A text that only looks like code stays as it is, all of it.
                Err(Error::Python(failure)) if failure.unterminated_string => return Ok(text.into()),
                Err(error) => return Err(error),
            }
        }
        out.push_str(&text[at..]);
        Ok(out.into())
    }

    pub(crate) fn inline_value(&self, code: &str, owner: Owner) -> Result<Rc<str>> {
        let context = self.context().clone();
        let sym = context.sym(code);
        let key = CacheKey::Expression(sym);
        if let Some(entry) = self.cached(key) {
            return Ok(entry.value.as_ref().and_then(Value::as_str).expect("only texts are kept").clone());
        }
        let lifetime = context.expression(sym, code).lifetime;
        let variable = owner.map(|(_, name)| name);
        if self.begin(key).is_err() {
            // The same code for another variable; a true loop is found at a variable.
            return context.interp.eval_inline(self, variable, code);
        }
        match lifetime {
            Lifetime::WhileInputsHold => {}
            Lifetime::WhileFunctionsHold => self.note_functions(),
            Lifetime::UntilWrite => self.note_until_write(),
        }
        match context.interp.eval_inline(self, variable, code) {
            Ok(value) => {
                self.finish(Some(Value::Str(value.clone())));
                Ok(value)
            }
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Context, DataStore, NoPython, SetInfo, Value};
    use bitzel_base::CompatLevel;
    use std::rc::Rc;

    #[test]
    fn variables_that_double_one_another_end_with_a_message() {
        let store = DataStore::new(&Context::new(Rc::new(NoPython), CompatLevel::V2_18));
        let set = |name: &str, value: &str| store.set(name, Value::str(value), &SetInfo::default()).unwrap();
        set("V0", "0123456789abcdef");
        for level in 1..60 {
            set(&format!("V{level}"), &format!("${{V{}}}${{V{0}}}", level - 1));
        }
        assert_eq!(store.get("V10").unwrap().unwrap().as_str().unwrap().len(), 16 << 10);
        let told = store.get("V59").unwrap_err().to_string();
        assert!(
            told.contains("with ${V22} the value is longer than 64 MiB") && told.contains("V24 -> V25"),
            "{told}"
        );
    }
}
