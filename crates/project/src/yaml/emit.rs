//! Values to YAML in PyYAML's block layout, so that lock files and dumps do
//! not differ needlessly from those of kas.

use super::style::{Style, analyse, choose, is_break};
use super::write::Writer;
use crate::key::Key;
use crate::value::{Map, Value, float_word};

/// How a document is laid out.
#[derive(Clone, Copy, Debug)]
pub struct EmitOptions {
    /// Columns per level; as in PyYAML 2 unless between 2 and 9.
    pub indent: i64,
    /// Keys in alphabetical order instead of their own.
    pub sort: bool,
    /// Write null as `null`, not as nothing.
    pub null_word: bool,
}

impl Default for EmitOptions {
    fn default() -> EmitOptions {
        EmitOptions { indent: 2, sort: false, null_word: false }
    }
}

/// The YAML text of `value`, with a line break at its end.
pub fn emit(value: &Value, options: &EmitOptions) -> String {
    let best_indent = usize::try_from(options.indent).ok().filter(|i| (2..10).contains(i)).unwrap_or(2);
    let mut emitter = Emitter { w: Writer::new(), best_indent, options: *options };
    emitter.node(value, Context::Root);
    emitter.w.indent = 0;
    emitter.w.start_line();
    if emitter.w.open_ended {
        emitter.w.indicator("...", true, false);
        emitter.w.start_line();
    }
    emitter.w.out
}

#[derive(Clone, Copy, PartialEq)]
enum Context {
    Root,
    Item,
    MappingValue,
}

struct Emitter {
    w: Writer,
    best_indent: usize,
    options: EmitOptions,
}

impl Emitter {
    fn node(&mut self, value: &Value, context: Context) {
        match value {
            Value::Seq(items) if !items.is_empty() => self.sequence(items, context),
            Value::Seq(_) => self.w.indicator("[]", true, false),
            Value::Map(map) if !map.is_empty() => self.mapping(map, context),
            Value::Map(_) => self.w.indicator("{}", true, false),
            Value::Str(text) => self.scalar(text, false, text.contains('\n')),
            Value::Null if !self.options.null_word => {}
            other => {
                let text = word(other);
                self.w.plain(&text.chars().collect::<Vec<_>>(), true);
            }
        }
    }

    /// Runs `body` one level deeper.
    fn deeper(&mut self, context: Context, indentless: bool, body: impl FnOnce(&mut Emitter)) {
        let outer = self.w.indent;
        self.w.indent = match context {
            Context::Root => 0,
            _ if indentless => outer,
            _ => outer + self.best_indent,
        };
        body(self);
        self.w.indent = outer;
    }

    fn sequence(&mut self, items: &[Value], context: Context) {
        let indentless = context == Context::MappingValue && !self.w.indention;
        self.deeper(context, indentless, |e| {
            for item in items {
                e.w.start_line();
                e.w.indicator("-", true, true);
                e.node(item, Context::Item);
            }
        });
    }

    fn mapping(&mut self, map: &Map, context: Context) {
        let mut pairs: Vec<(&Key, &Value)> = map.iter().collect();
        if self.options.sort {
            pairs.sort_by_key(|(key, _)| *key);
        }
        self.deeper(context, false, |e| {
            for (key, value) in pairs {
                e.w.start_line();
                // PyYAML counts the hidden tag `!!str` of a key, too
                let simple = !key.is_empty() && !key.contains(is_break) && key.chars().count() + 5 < 128;
                if !key.is_text() {
                    e.w.plain(&key.yaml_word().chars().collect::<Vec<_>>(), false);
                    e.w.indicator(":", false, false);
                } else if simple {
                    e.scalar(key, true, false);
                    e.w.indicator(":", false, false);
                } else {
                    e.w.indicator("?", true, true);
                    e.scalar(key, false, key.contains('\n'));
                    e.w.start_line();
                    e.w.indicator(":", true, true);
                }
                e.node(value, Context::MappingValue);
            }
        });
    }

    fn scalar(&mut self, text: &str, key: bool, literal: bool) {
        let chars: Vec<char> = text.chars().collect();
        let analysis = analyse(&chars);
        let outer = self.w.indent;
        self.w.indent += self.best_indent;
        match choose(text, &analysis, key, literal) {
            Style::Plain => self.w.plain(&chars, !key),
            Style::Single => self.w.single_quoted(&chars, !key),
            Style::Double => self.w.double_quoted(&chars, !key),
            Style::Literal => self.w.literal(&chars, self.best_indent),
        }
        self.w.indent = outer;
    }
}

/// A value that is neither a text nor a collection, as PyYAML writes it.
fn word(value: &Value) -> String {
    match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) if number.is_nan() => ".nan".to_owned(),
        Value::Float(number) if number.is_infinite() => {
            if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned()
        }
        Value::Float(number) => float_word(*number),
        _ => "null".to_owned(),
    }
}
