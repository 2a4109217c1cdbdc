//! What a variable or flag can hold. Nearly always text; metadata's Python may
//! store anything else.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

/// A variable's or flag's value.
#[derive(Clone)]
pub enum Value {
    /// Python's None, set on purpose: hides a weak default.
    None,
    /// Text, the normal case.
    Str(Rc<str>),
    /// Python's True or False.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A list; metadata sees a fresh Python list at each read.
    List(Rc<Vec<Value>>),
    /// A mapping with text keys, in order of insertion; a fresh dict at each read.
    Map(Rc<Vec<(Rc<str>, Value)>>),
    /// Any other object, owned by the interpreter.
    Object(Rc<dyn Any>),
}

impl Value {
    /// A text value.
    pub fn str(text: impl AsRef<str>) -> Value {
        Value::Str(text.as_ref().into())
    }

    /// A list of texts.
    pub fn strings<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Value {
        Value::List(Rc::new(items.into_iter().map(Value::str).collect()))
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&Rc<str>> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&Rc<Vec<Value>>> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Python's truth value of it; objects count as true.
    pub fn is_true(&self) -> bool {
        match self {
            Value::None => false,
            Value::Str(text) => !text.is_empty(),
            Value::Bool(truth) => *truth,
            Value::Int(number) => *number != 0,
            Value::List(items) => !items.is_empty(),
            Value::Map(items) => !items.is_empty(),
            Value::Object(_) => true,
        }
    }

    /// The texts of a list; other items are left out.
    pub fn list_of_str(&self) -> Vec<Rc<str>> {
        match self {
            Value::List(items) => items.iter().filter_map(|item| item.as_str().cloned()).collect(),
            _ => Vec::new(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.into())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::None => f.write_str("None"),
            Value::Str(text) => write!(f, "{text:?}"),
            Value::Bool(truth) => f.write_str(if *truth { "True" } else { "False" }),
            Value::Int(number) => write!(f, "{number}"),
            Value::List(items) => f.debug_list().entries(items.iter()).finish(),
            Value::Map(items) => f.debug_map().entries(items.iter().map(|(k, v)| (k, v))).finish(),
            Value::Object(_) => f.write_str("<object>"),
        }
    }
}
