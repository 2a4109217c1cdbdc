//! What all datastores of a process share: names, version numbers, the cache of
//! values that depend on the base configuration only, and the way to Python.

use crate::cache::CacheTable;
use crate::store::DataStore;
use crate::symbol::{Sym, Symbols};
use crate::template::Template;
use crate::value::Value;
use crate::{Error, Result};
use bitzel_base::CompatLevel;
use rustc_hash::FxHashMap;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// A failure inside metadata's Python, carried through the store unchanged.
#[derive(Clone)]
pub struct PythonFailure {
    /// Name of the exception's type.
    pub kind: String,
    /// `str()` of the exception.
    pub message: String,
    /// Must reach the caller as it is, not wrapped as an expansion failure:
    /// `bb.parse.SkipRecipe` and requests to stop.
    pub passes_through: bool,
    /// Python refused to compile the text because a string literal has no end.
    /// The text then stays as it is.
    pub unterminated_string: bool,
    /// The exception itself, owned by the interpreter.
    pub exception: Option<Rc<dyn Any>>,
}

impl fmt::Debug for PythonFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl fmt::Display for PythonFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// How long an inline expression's result may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the variables it read stay the same.
    WhileInputsHold,
    /// Also only as long as the same metadata functions are defined.
    WhileFunctionsHold,
    /// Until anything is written: it looks at the clock, the process or files.
    UntilWrite,
}

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Details.
    Debug,
    /// For the curious.
    Note,
    /// Likely a mistake.
    Warning,
    /// A mistake; the command fails in the end.
    Error,
}

/// What the store needs of a Python interpreter. One per process.
pub trait Interp {
    /// Evaluates the expression of a `${@...}` with `d` bound to `store`; bare names
    /// that nothing else defines are variables. Answers with `str()` of the result.
    /// `variable` is the variable being expanded, for messages.
    fn eval_inline(&self, store: &DataStore, variable: Option<&str>, code: &str) -> Result<Rc<str>>;

    /// How long the result of `code` may be kept. Asked once per distinct text.
    fn lifetime(&self, code: &str) -> Lifetime;

    /// Identifies the set of metadata functions defined now.
    fn functions_version(&self) -> u64;

    /// Applies `setVarFilter` expressions to a value.
    fn filter(&self, value: &str, expressions: &[Rc<str>]) -> Result<Rc<str>>;

    /// Name of the type of an object that a variable holds.
    fn type_name(&self, _object: &Rc<dyn Any>) -> String {
        "object".to_owned()
    }

    /// Passes a message on to the user.
    fn log(&self, level: LogLevel, message: &str);
}

/// An expression text known to the process.
#[derive(Clone, Copy)]
pub(crate) struct ExpressionInfo {
    pub(crate) lifetime: Lifetime,
}

/// Shared by all stores of a process.
pub struct Context {
    pub(crate) symbols: RefCell<Symbols>,
    pub(crate) interp: Rc<dyn Interp>,
    pub(crate) level: CompatLevel,
    next_version: Cell<u64>,
    next_store: Cell<u64>,
    live_stores: Cell<usize>,
    /// Versions up to this one belong to the base configuration.
    pub(crate) base_version: Cell<u64>,
    /// Values that depend on the base configuration only, whoever computed them.
    pub(crate) shared: Rc<CacheTable>,
    pub(crate) frames: RefCell<Vec<crate::cache::Frame>>,
    pub(crate) templates: RefCell<FxHashMap<Rc<str>, Rc<Template>>>,
    pub(crate) expressions: RefCell<FxHashMap<Sym, ExpressionInfo>>,
    override_lists: RefCell<FxHashMap<Rc<[Sym]>, u32>>,
}

impl Context {
    /// A context whose stores evaluate Python through `interp`.
    pub fn new(interp: Rc<dyn Interp>, level: CompatLevel) -> Rc<Context> {
        Rc::new(Context {
            symbols: RefCell::default(),
            interp,
            level,
            next_version: Cell::new(1),
            next_store: Cell::new(1),
            live_stores: Cell::new(0),
            base_version: Cell::new(0),
            shared: Rc::default(),
            frames: RefCell::default(),
            templates: RefCell::default(),
            expressions: RefCell::default(),
            override_lists: RefCell::default(),
        })
    }

    /// Which BitBake's behaviour the stores follow.
    pub fn level(&self) -> CompatLevel {
        self.level
    }

    /// The interpreter.
    pub fn interp(&self) -> &Rc<dyn Interp> {
        &self.interp
    }

    /// Everything written so far is the base configuration: values computed from it
    /// alone are shared between all recipes from now on.
    pub fn seal_base(&self) {
        self.base_version.set(self.next_version.get());
    }

    /// The number of a name, made where there is none.
    pub fn sym(&self, name: &str) -> Sym {
        self.symbols.borrow_mut().intern(name)
    }

    /// The number of a name, if the process has met it.
    pub fn find_sym(&self, name: &str) -> Option<Sym> {
        self.symbols.borrow().find(name)
    }

    /// The name behind a number.
    pub fn name(&self, sym: Sym) -> Rc<str> {
        self.symbols.borrow().name(sym)
    }

    /// Does a name begin with one of these?
    pub(crate) fn starts_with(&self, sym: Sym, beginnings: &[&str]) -> bool {
        let symbols = self.symbols.borrow();
        let name = symbols.text(sym);
        beginnings.iter().any(|beginning| name.starts_with(beginning))
    }

    pub(crate) fn new_version(&self) -> u64 {
        let version = self.next_version.get() + 1;
        self.next_version.set(version);
        version
    }

    pub(crate) fn current_version(&self) -> u64 {
        self.next_version.get()
    }

    /// How many stores there are. Some may be held by nothing but each other, through objects of the
    /// interpreter.
    pub fn live_stores(&self) -> usize {
        self.live_stores.get()
    }

    pub(crate) fn store_gone(&self) {
        self.live_stores.set(self.live_stores.get() - 1);
    }

    /// For a store that is made now.
    pub(crate) fn new_store_id(&self) -> u64 {
        self.live_stores.set(self.live_stores.get() + 1);
        let id = self.next_store.get();
        self.next_store.set(id + 1);
        id
    }

    /// Equal lists of overrides have equal numbers.
    pub(crate) fn override_list_id(&self, list: &Rc<[Sym]>) -> u32 {
        let mut lists = self.override_lists.borrow_mut();
        let next = u32::try_from(lists.len() + 1).expect("fewer than 2^32 lists of overrides");
        *lists.entry(list.clone()).or_insert(next)
    }

    pub(crate) fn template(&self, text: &Rc<str>) -> Rc<Template> {
        if let Some(template) = self.templates.borrow().get(text) {
            return template.clone();
        }
        let template = Rc::new(Template::parse(text, self));
        self.templates.borrow_mut().insert(text.clone(), template.clone());
        template
    }

    pub(crate) fn expression(&self, text: Sym, code: &str) -> ExpressionInfo {
        if let Some(info) = self.expressions.borrow().get(&text) {
            return *info;
        }
        let info = ExpressionInfo { lifetime: self.interp.lifetime(code) };
        self.expressions.borrow_mut().insert(text, info);
        info
    }
}

impl From<PythonFailure> for Error {
    fn from(failure: PythonFailure) -> Error {
        Error::Python(failure)
    }
}

/// An interpreter for stores that hold no Python: any `${@...}` is a failure.
pub struct NoPython;

impl Interp for NoPython {
    fn eval_inline(&self, _: &DataStore, _: Option<&str>, code: &str) -> Result<Rc<str>> {
        Err(Error::Python(PythonFailure {
            kind: "RuntimeError".to_owned(),
            message: format!("no Python interpreter to evaluate `{code}`"),
            passes_through: false,
            unterminated_string: false,
            exception: None,
        }))
    }
    fn lifetime(&self, _: &str) -> Lifetime {
        Lifetime::UntilWrite
    }
    fn functions_version(&self) -> u64 {
        0
    }
    fn filter(&self, value: &str, _: &[Rc<str>]) -> Result<Rc<str>> {
        Ok(value.into())
    }
    fn log(&self, _: LogLevel, _: &str) {}
}

impl Value {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::None => "NoneType",
            Value::Str(_) => "str",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::List(_) => "list",
            Value::Map(_) => "dict",
            Value::Object(_) => "object",
        }
    }
}
