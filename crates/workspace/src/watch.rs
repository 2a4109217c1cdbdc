//! What long work tells whoever started it.

/// Is told how work goes on. Called from several threads.
pub trait Watch: Sync {
    /// Work named as BitBake names it begins, of `total` steps.
    fn begin(&self, what: &str, total: usize);
    /// A step is done.
    fn step(&self);
    /// The work is done.
    fn end(&self);
    /// Something worth knowing.
    fn note(&self, text: &str);
    /// Something that is wrong but stops nothing.
    fn warn(&self, text: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Watch for Silent {
    fn begin(&self, _what: &str, _total: usize) {}
    fn step(&self) {}
    fn end(&self) {}
    fn note(&self, _text: &str) {}
    fn warn(&self, _text: &str) {}
}
