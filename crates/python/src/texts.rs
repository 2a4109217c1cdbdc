//! Python texts for texts of a store: reads of an unchanged variable answer with the same object.

use pyo3::prelude::*;
use pyo3::types::PyString;
use std::cell::RefCell;
use std::rc::Rc;

/// How many are remembered.
const SIZE: usize = 64;

/// A text and the Python text it was given out as.
type Shown = (Rc<str>, Py<PyString>);

/// The texts that were given out lately.
#[derive(Default)]
pub(crate) struct Texts(RefCell<Vec<Option<Shown>>>);

impl Texts {
    /// The Python text for `text`: the one of last time, as far as it was met lately.
    pub(crate) fn of<'py>(&self, py: Python<'py>, text: &Rc<str>) -> Bound<'py, PyAny> {
        let mut slots = self.0.borrow_mut();
        if slots.is_empty() {
            slots.resize_with(SIZE, || None);
        }
        let slot = &mut slots[(text.as_ptr() as usize / 16) % SIZE];
        match slot {
            Some((known, object)) if Rc::ptr_eq(known, text) => object.bind(py).clone().into_any(),
            _ => {
                let object = PyString::new(py, text);
                *slot = Some((text.clone(), object.clone().unbind()));
                object.into_any()
            }
        }
    }
}
