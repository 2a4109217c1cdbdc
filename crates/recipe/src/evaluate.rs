//! Running the statements of a file, one after the other.

use crate::files::{FileCache, mark_dependency, normalise, which};
use crate::finalise::Each;
use crate::host::PythonHost;
use crate::inherit::note_inherited;
use crate::tasks::{add_task, delete_task};
use crate::{Error, Result, Variant, Variants};
use bitzel_base::{CompatLevel, SourceLoc};
use bitzel_data::{Context, DataStore, LogLevel, SetInfo, SignatureCache, Value};
use bitzel_syntax::{DiagnosticKind, FileKind, Severity, Statement, StatementKind};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// Evaluates metadata. One per process; stores come and go.
pub struct Evaluator {
    pub(crate) context: Rc<Context>,
    pub(crate) host: Rc<dyn PythonHost>,
    files: FileCache,
    cwd: RefCell<String>,
    /// Files being evaluated, each included by the one before.
    depth: Cell<usize>,
    /// What recipes are signed with, while one is evaluated that is to be.
    pub(crate) signing: Cell<Option<Box<SignatureCache>>>,
}

/// Files may include each other this deep; a file that includes itself never ends.
const MAX_DEPTH: usize = 100;

/// The error of files that never stop including each other, with the circle they make.
fn endless(file: &str, d: &DataStore) -> Error {
    let includes = d.includes();
    let mut circle: Vec<&str> = includes.open().rev().take_while(|name| *name != file).collect();
    circle.push(file);
    circle.reverse();
    circle.push(file);
    Error::parse(
        format!("files include each other without end: {}", circle.join(" -> ")),
        SourceLoc::new(file, 0),
    )
}

/// The file whose statements are being run.
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    /// The same, for locations.
    shared: Arc<str>,
    /// Name of the class, if it is one.
    pub(crate) class: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn new(file: &'a str, class: Option<&'a str>) -> Place<'a> {
        Place { file, shared: file.into(), class }
    }

    /// A line of the file.
    pub(crate) fn line(&self, line: u32) -> SourceLoc {
        SourceLoc::new(self.shared.clone(), line)
    }
}

impl Evaluator {
    /// An evaluator working with relative paths from `cwd`.
    pub fn new(context: Rc<Context>, host: Rc<dyn PythonHost>, cwd: &str) -> Evaluator {
        Evaluator {
            context,
            host,
            files: FileCache::default(),
            cwd: RefCell::new(cwd.to_owned()),
            depth: Cell::new(0),
            signing: Cell::new(None),
        }
    }

    /// What stores made for this evaluator share.
    pub fn context(&self) -> &Rc<Context> {
        &self.context
    }

    /// Metadata's Python.
    pub fn host(&self) -> &Rc<dyn PythonHost> {
        &self.host
    }

    /// Which BitBake's behaviour is followed.
    pub fn level(&self) -> CompatLevel {
        self.context.level()
    }

    /// Begins something new: relative paths start from `cwd`, and files that were changed since
    /// they were read are read again.
    pub fn refresh(&self, cwd: &str) {
        cwd.clone_into(&mut self.cwd.borrow_mut());
        self.files.forget_changed();
    }

    /// The folder relative paths start from.
    pub fn cwd(&self) -> String {
        self.cwd.borrow().clone()
    }

    /// Evaluates a file into `d` (BitBake: `bb.parse.handle`). A recipe that is not
    /// included is finalised, with its variants.
    pub fn handle(&self, file: &str, d: &DataStore, included: bool) -> Result<Option<Variants>> {
        let (is_recipe, variants) = Variants::collect(|each| self.handle_each(file, d, included, each))?;
        Ok(is_recipe.then_some(variants))
    }

    /// The same with variants given to `each` one by one, as soon as they are finalised. Answers
    /// with whether there were any.
    pub(crate) fn handle_each(
        &self,
        file: &str,
        d: &DataStore,
        included: bool,
        each: &mut Each<'_>,
    ) -> Result<bool> {
        if self.depth.get() >= MAX_DEPTH {
            return Err(endless(file, d));
        }
        self.depth.set(self.depth.get() + 1);
        let result = self.handle_any(file, d, included, each);
        self.depth.set(self.depth.get() - 1);
        result
    }

    fn handle_any(&self, file: &str, d: &DataStore, included: bool, each: &mut Each<'_>) -> Result<bool> {
        match file.rsplit('.').next() {
            Some("bb" | "bbappend" | "bbclass" | "inc") => self.handle_recipe(file, d, included, each),
            Some("conf") => self.handle_conf(file, d, included, false).map(|()| false),
            _ => Err(Error::parse("not a BitBake file", SourceLoc::new(file, 0))),
        }
    }

    fn handle_recipe(&self, file: &str, d: &DataStore, included: bool, each: &mut Each<'_>) -> Result<bool> {
        let class =
            file.strip_suffix(".bbclass").map(|stem| stem.rsplit('/').next().unwrap_or(stem).to_owned());
        let old = if included { d.peek("FILE", Clone::clone) } else { None };
        let path = self.resolve(file, d)?;
        if class.is_some() {
            note_inherited(d, &path);
        }
        d.includes_mut().enter(&path);
        let result = self.run_recipe(&path, class.as_deref(), old, d, included, each);
        d.includes_mut().leave();
        result
    }

    fn run_recipe(
        &self,
        path: &str,
        class: Option<&str>,
        old: Option<Value>,
        d: &DataStore,
        included: bool,
        each: &mut Each<'_>,
    ) -> Result<bool> {
        let statements = self.statements(path, FileKind::Recipe, false)?;
        let outer = old.as_ref().and_then(|v| v.as_str()).map(|v| v.to_string());
        let moves = class.is_none() && outer.as_deref() != Some(path);
        if moves {
            d.set("FILE", Value::str(path), &SetInfo::default())?;
        }
        match self.run(&statements, &Place::new(path, class), d) {
            Err(Error::Skip(_)) if !included => {
                d.set("__SKIPPED", Value::Bool(true), &SetInfo::quiet_parsing())?;
                // Before it could have variants.
                each(Variant::plain(d.clone()))?;
                return Ok(true);
            }
            other => other?,
        }
        if class.is_none() && !included {
            return self.finalise_all(path, d, each).map(|()| true);
        }
        if moves && let Some(old) = old {
            d.set("FILE", old, &SetInfo::default())?;
        }
        Ok(false)
    }

    /// Evaluates a configuration file into `d`; `base`: a file of the base configuration
    /// itself, where `addpylib` is allowed.
    pub fn handle_conf(&self, file: &str, d: &DataStore, included: bool, base: bool) -> Result<()> {
        if d.peek("TOPDIR", |_| ()).is_none() {
            d.set("TOPDIR", Value::str(self.cwd()), &SetInfo::default())?;
        }
        let old = if included { d.peek("FILE", Clone::clone) } else { None };
        let path = self.resolve(file, d)?;
        // BitBake: the base configuration's own files are shown by the names they were asked for.
        d.includes_mut().enter(if base { file } else { &path });
        let result = self.run_conf(&path, d, base);
        d.includes_mut().leave();
        result?;
        if let Some(old) = old {
            d.set("FILE", old, &SetInfo::default())?;
        }
        Ok(())
    }

    fn run_conf(&self, path: &str, d: &DataStore, base: bool) -> Result<()> {
        d.set("FILE", Value::str(path), &SetInfo::default())?;
        let statements = self.statements(path, FileKind::Conf, base)?;
        self.run(&statements, &Place::new(path, None), d)
    }

    /// The file behind a name, along BBPATH where it is relative. What is not there is noted
    /// among the included files too.
    fn resolve(&self, file: &str, d: &DataStore) -> Result<String> {
        self.find(file, d).inspect_err(|_| {
            let mut includes = d.includes_mut();
            includes.enter(file);
            includes.leave();
        })
    }

    fn find(&self, file: &str, d: &DataStore) -> Result<String> {
        let cwd = self.cwd();
        let path = if file.starts_with('/') {
            mark_dependency(d, file, &cwd);
            file.to_owned()
        } else {
            let (found, looked) = which(&d.get_or_empty("BBPATH")?, file, &cwd);
            for path in &looked {
                mark_dependency(d, path, &cwd);
            }
            found.ok_or_else(|| Error::NotFound {
                file: file.to_owned(),
                searched: Some(d.get_or_empty("BBPATH").unwrap_or_default().to_string()),
            })?
        };
        if !std::path::Path::new(&path).is_file() {
            return Err(Error::NotFound { file: path, searched: None });
        }
        Ok(path)
    }

    /// A file's statements. Warnings go to the user; the first error ends it.
    fn statements(&self, path: &str, kind: FileKind, base_config: bool) -> Result<Rc<bitzel_syntax::Parse>> {
        let parse = self.files.parse(path, kind, self.level(), base_config)?;
        for diagnostic in parse.diagnostics() {
            // BitBake: this one warning has no folder in it.
            let short = matches!(diagnostic.kind, DiagnosticKind::TabIndent);
            let shown = if short { path.rsplit('/').next().unwrap_or(path) } else { path };
            let message = diagnostic.message(shown).to_string();
            match diagnostic.severity() {
                Severity::Warning => self.host.log(LogLevel::Warning, &message),
                Severity::Error => return Err(Error::parse(message, SourceLoc::new(path, diagnostic.line))),
                Severity::Fatal => return Err(Error::Fatal(message)),
            }
        }
        Ok(parse)
    }

    fn run(&self, parse: &bitzel_syntax::Parse, place: &Place, d: &DataStore) -> Result<()> {
        for statement in parse.statements().iter() {
            self.run_one(statement, place, d).map_err(|error| error.at(place.file, statement.line))?;
        }
        Ok(())
    }

    fn run_one(&self, statement: &Statement, place: &Place, d: &DataStore) -> Result<()> {
        use StatementKind as K;
        let line = statement.line;
        let info = SetInfo { parsing: true, loc: Some(place.line(line)), ..SetInfo::default() };
        match &statement.kind {
            K::Assign { export, name, flag, op, value } => {
                self.assign(*export, name, flag.as_deref(), *op, value, &info, d)?
            }
            K::Export(name) => {
                d.set_flag(name, "export", Value::Int(1), &SetInfo { op: Some("exported"), ..info })?
            }
            K::Unset(name) => d.delete(name, &info),
            K::UnsetFlag(name, flag) => d.delete_flag(name, flag, &info),
            K::Include { what, required } => self.include(what, *required, place.file, line, d)?,
            K::IncludeAll(what) => self.include_all(what, place.file, line, d)?,
            K::Inherit(names) => self.inherit(names, place.file, line, d, false)?,
            K::InheritDefer(names) => self.inherit_deferred(names, place.file, line, d),
            K::Function { name, python, fakeroot, body, body_line } => {
                self.function(name, *python, *fakeroot, body, *body_line, place, d)?
            }
            K::Def { name, text, body_line } => self.def(name, text, place, *body_line, d)?,
            K::AddTask { tasks, after, before } => {
                // BitBake: references in the names are expanded when the recipe is done.
                let words = |list: &[Arc<str>]| list.iter().map(|word| Rc::from(&**word)).collect::<Vec<_>>();
                let (after, before) = (words(after), words(before));
                for task in tasks {
                    add_task(d, task, &after, &before)?;
                }
            }
            K::DelTask(names) => {
                for name in d.expand(names)?.split_whitespace() {
                    delete_task(d, name)?;
                }
            }
            K::AddHandler(names) => {
                for name in names.split_whitespace() {
                    d.push_to_list("__BBHANDLERS", Value::str(name));
                    d.set_flag(name, "handler", Value::Int(1), &info)?;
                }
            }
            K::ExportFunctions(names) => self.export_functions(names, line, place, d)?,
            K::AddPyLib(dir, namespace) => {
                let dir = d.expand(dir)?;
                self.host.import_global(&d.get_or_empty("BB_GLOBAL_PYMODULES")?)?;
                self.host.add_pylib(&normalise(&dir, &self.cwd()), namespace, d)?;
            }
            K::AddFragments { prefix, variable, flagged, builtins } => {
                self.add_fragments(prefix, variable, flagged, builtins, place.file, line, d)?
            }
        }
        Ok(())
    }
}
