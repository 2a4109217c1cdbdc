//! Statements: what a file says, in order, freed from its spelling. The evaluator
//! runs these; nothing is expanded here.

use std::sync::Arc;

/// How an assignment combines with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AssignOp {
    /// `=`
    Set,
    /// `:=`
    Immediate,
    /// `?=`
    Default,
    /// `??=`
    WeakDefault,
    /// `+=`
    AppendSpace,
    /// `=+`
    PrependSpace,
    /// `.=`
    Append,
    /// `=.`
    Prepend,
}

/// A statement and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The line BitBake knows it by, counted from 1: the last of a statement's lines, for a function
    /// that of its `}`, for a `def` the line behind it. Variable history and names of anonymous
    /// functions (`__anon_LINE_FILE`) have this one.
    pub line: u32,
    /// What it says.
    pub kind: StatementKind,
}

/// Kinds of statements (BitBake User Manual, chapters "Syntax and Operators").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// `[export] NAME[FLAG] OP "VALUE"`
    Assign {
        /// Begins with `export`.
        export: bool,
        /// The name as written, may hold `${}` and `:`.
        name: Arc<str>,
        /// The flag, if one is set.
        flag: Option<Arc<str>>,
        /// The operator.
        op: AssignOp,
        /// Between the quotes, lines joined.
        value: Arc<str>,
    },
    /// `export NAME`
    Export(Arc<str>),
    /// `unset NAME`
    Unset(Arc<str>),
    /// `unset NAME[FLAG]`
    UnsetFlag(Arc<str>, Arc<str>),
    /// `include WHAT` or, with `required`, `require WHAT`
    Include {
        /// Unexpanded names, separated by blanks.
        what: Arc<str>,
        /// A missing file is an error.
        required: bool,
    },
    /// `include_all WHAT` (2.18)
    IncludeAll(Arc<str>),
    /// `inherit NAMES`
    Inherit(Arc<str>),
    /// `inherit_defer NAMES`
    InheritDefer(Arc<str>),
    /// `[python] [fakeroot] NAME() { BODY }`; no name means `__anonymous`.
    Function {
        /// Empty for an anonymous function, also where it was written as `__anonymous`.
        name: Arc<str>,
        /// `python` stood before the name, or there is no name.
        python: bool,
        /// `fakeroot` stood before the name.
        fakeroot: bool,
        /// The lines between the braces, each ended by a newline, exactly as the
        /// value of the variable that BitBake makes of it.
        body: Arc<str>,
        /// Line number that BitBake records as the function's `lineno` flag.
        body_line: u32,
    },
    /// `def NAME(...):` with its indented lines
    Def {
        /// Function name.
        name: Arc<str>,
        /// The whole text, first line included, without a newline at the end; lines are joined by one.
        text: Arc<str>,
        /// Line number that BitBake records as the function's `lineno` flag: one less than its first line.
        body_line: u32,
    },
    /// `addtask NAMES [after A..] [before B..]`: the text after `addtask`, taken apart. A list that
    /// holds `${` is one element, to be expanded and then split (2.18 does, 2.8 does not expand).
    AddTask {
        /// Task names as written (2.8: exactly one).
        tasks: Vec<Arc<str>>,
        /// Words after `after`.
        after: Vec<Arc<str>>,
        /// Words after `before`.
        before: Vec<Arc<str>>,
    },
    /// `deltask NAMES`
    DelTask(Arc<str>),
    /// `addhandler NAMES`
    AddHandler(Arc<str>),
    /// `EXPORT_FUNCTIONS NAMES`
    ExportFunctions(Arc<str>),
    /// `addpylib DIR NAMESPACE`
    AddPyLib(Arc<str>, Arc<str>),
    /// `addfragments PREFIX VARIABLE METADATA-VARIABLES [BUILTIN-VARIABLE]` (2.18)
    AddFragments {
        /// Path prefix.
        prefix: Arc<str>,
        /// Variable that lists fragments.
        variable: Arc<str>,
        /// Variable naming metadata variables.
        flagged: Arc<str>,
        /// Variable with built-in fragments; empty where not given.
        builtins: Arc<str>,
    },
}
