//! Text to nodes: the event parser's events put together, with limits against
//! files that are made to eat memory.

use super::construct::construct;
use crate::value::Value;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting of lists and mappings.
const MAX_DEPTH: usize = 64;

/// A text that is no YAML, or none that may be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct YamlError {
    /// Counted from 1; `None` where the problem has no place.
    pub line: Option<u32>,
    /// What is wrong and what to do.
    pub problem: String,
}

impl YamlError {
    pub(super) fn new(line: u32, problem: impl Into<String>) -> YamlError {
        YamlError { line: Some(line), problem: problem.into() }
    }
}

/// The line of each value: JSON pointer to line, counted from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locations(pub(super) BTreeMap<String, u32>);

impl Locations {
    /// The line of the value at `pointer` (RFC 6901) or of the nearest value
    /// around it.
    pub fn line(&self, pointer: &str) -> Option<u32> {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.0.get(pointer) {
                return Some(*line);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

/// A parsed file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The data.
    pub value: Value,
    /// Where it stands.
    pub lines: Locations,
}

/// A node as composed, before its scalars get their meaning.
#[derive(Debug)]
pub(super) struct Node {
    pub line: u32,
    /// Full tag (`tag:yaml.org,2002:str`, `!x`) if one is written.
    pub tag: Option<String>,
    pub kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar { text: String, plain: bool },
    Seq(Vec<Rc<Node>>),
    Map(Vec<(Rc<Node>, Rc<Node>)>),
}

/// Parses a file's bytes as PyYAML's `safe_load` does.
pub fn parse(bytes: &[u8]) -> Result<Document, YamlError> {
    if bytes.len() > MAX_BYTES {
        let problem = format!("the file has {} bytes, more than the {MAX_BYTES} that are read", bytes.len());
        return Err(YamlError { line: None, problem });
    }
    let text = decode(bytes)?;
    let mut composer = Composer { parser: Parser::new_from_str(&text), anchors: BTreeMap::new() };
    match composer.document()? {
        None => Ok(Document::default()),
        Some(node) => construct(&node),
    }
}

/// The text of the bytes: UTF-8, or UTF-16 with a byte order mark.
fn decode(bytes: &[u8]) -> Result<String, YamlError> {
    let utf16 = |from: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks(2).map(|pair| from([pair[0], *pair.get(1).unwrap_or(&0)]));
        char::decode_utf16(units).collect::<Result<String, _>>().ok()
    };
    let text = match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ => std::str::from_utf8(bytes)
            .ok()
            .map(|text| text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
    };
    let text = text.ok_or_else(|| YamlError {
        line: None,
        problem: "the file is neither UTF-8 nor UTF-16".to_owned(),
    })?;
    let printable = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
    match text.char_indices().find(|(_, c)| !printable(*c)) {
        None => Ok(text),
        Some((at, c)) => {
            let line = 1 + text[..at].matches('\n').count() as u32;
            Err(YamlError::new(line, format!("special character `\\x{:02x}` is not allowed", c as u32)))
        }
    }
}

struct Composer<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// Anchors whose node is complete; an alias into itself finds none.
    anchors: BTreeMap<usize, Rc<Node>>,
}

impl<'a> Composer<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(e)) => Err(YamlError::new(e.marker().line() as u32, e.info().to_owned())),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document(&mut self) -> Result<Option<Rc<Node>>, YamlError> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    let line = span.start.line() as u32;
                    return Err(YamlError::new(
                        line,
                        "expected a single document in the file, found another one",
                    ));
                }
                Event::DocumentStart(_) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Rc<Node>, YamlError> {
        let line = span.start.line() as u32;
        if depth > MAX_DEPTH {
            return Err(YamlError::new(line, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let full = |tag: std::borrow::Cow<'_, saphyr_parser::Tag>| format!("{}{}", tag.handle, tag.suffix);
        let (anchor, tag, kind) = match event {
            Event::Alias(id) => {
                return self
                    .anchors
                    .get(&id)
                    .cloned()
                    .ok_or_else(|| YamlError::new(line, "an alias refers to itself or to nothing"));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                (anchor, tag.map(full), Kind::Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(anchor, tag) => {
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if event == Event::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, span, depth + 1)?);
                }
                (anchor, tag.map(full), Kind::Seq(items))
            }
            Event::MappingStart(anchor, tag) => {
                let mut pairs = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if event == Event::MappingEnd {
                        break;
                    }
                    let key = self.node(event, span, depth + 1)?;
                    let (event, span) = self.next()?;
                    pairs.push((key, self.node(event, span, depth + 1)?));
                }
                (anchor, tag.map(full), Kind::Map(pairs))
            }
            _ => return Err(YamlError::new(line, "expected a value")),
        };
        let node = Rc::new(Node { line, tag, kind });
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }
}
