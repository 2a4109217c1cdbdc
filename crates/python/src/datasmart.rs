//! `d`: the datastore as metadata's Python knows it (`bb.data_smart.DataSmart`).

use crate::convert::{Truth, from_python, option_to_python, to_python};
use crate::failure::OrRaise;
use crate::session::Session;
use bitzel_base::SourceLoc;
use bitzel_data::{DataStore, ReadOptions, SetInfo, Value};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet, PyString};
use std::cell::RefCell;
use std::rc::Rc;

/// A value and the Python text it was given out as.
type Shown = (Rc<str>, Py<PyString>);

/// A datastore.
#[pyclass(unsendable, subclass)]
pub struct DataSmart {
    pub(crate) store: DataStore,
    texts: RefCell<Vec<Option<Shown>>>,
}

impl From<DataStore> for DataSmart {
    fn from(store: DataStore) -> DataSmart {
        DataSmart { store, texts: RefCell::default() }
    }
}

/// The keyword arguments that say where a change comes from.
#[derive(Default)]
struct LogInfo {
    parsing: bool,
    ignore: bool,
    file: Option<String>,
    line: Option<u32>,
    op: Option<String>,
    func: Option<String>,
    variable: Option<String>,
    detail: Option<Value>,
}

impl LogInfo {
    fn new(kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<LogInfo> {
        let mut info = LogInfo::default();
        let Some(kwargs) = kwargs else { return Ok(info) };
        for (key, value) in kwargs.iter() {
            if value.is_none() {
                continue;
            }
            match key.extract::<String>()?.as_str() {
                "parsing" => info.parsing = value.is_truthy()?,
                "ignore" => info.ignore = value.is_truthy()?,
                "file" => info.file = Some(value.str()?.to_string()),
                "line" => {
                    info.line = value.extract().ok().or_else(|| value.str().ok()?.to_string().parse().ok())
                }
                "op" => info.op = Some(value.str()?.to_string()),
                "func" => info.func = Some(value.str()?.to_string()),
                "variable" => info.variable = Some(value.str()?.to_string()),
                "detail" => info.detail = Some(from_python(&value)?),
                _ => {}
            }
        }
        Ok(info)
    }

    fn set_info(&self) -> SetInfo<'_> {
        SetInfo {
            parsing: self.parsing,
            loc: self.file.as_ref().map(|file| SourceLoc::new(file.as_str(), self.line.unwrap_or(0))),
            op: self.op.as_deref(),
            detail: self.detail.clone(),
            shown_as: self.variable.as_deref(),
            func: self.func.as_deref().map(Rc::from),
            ignore: self.ignore,
        }
    }
}

impl DataSmart {
    /// Where the calling Python code stands, if changes are recorded.
    fn info(&self, py: Python<'_>, kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<LogInfo> {
        let mut info = LogInfo::new(kwargs)?;
        if self.store.history().is_tracking() && info.file.is_none() && !info.ignore {
            let frame = py.import("sys")?.call_method1("_getframe", (0,))?;
            let code = frame.getattr("f_code")?;
            info.file = Some(code.getattr("co_filename")?.extract()?);
            info.line = frame.getattr("f_lineno")?.extract().ok();
            info.func = code.getattr("co_name")?.extract().ok();
        }
        Ok(info)
    }

    /// Changes a variable by one of the store's methods.
    fn write(
        &self,
        py: Python<'_>,
        method: fn(&DataStore, &str, Value, &SetInfo) -> bitzel_data::Result<()>,
        var: &str,
        value: &Bound<'_, PyAny>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let info = self.info(py, loginfo)?;
        method(&self.store, var, from_python(value)?, &info.set_info()).or_raise(py)
    }

    /// Makes a flag's text longer; `op` is what the history calls it.
    fn extend_flag(
        &self,
        py: Python<'_>,
        op: &str,
        (var, flag): (&str, &str),
        value: &str,
        loginfo: Option<&Bound<'_, PyDict>>,
        join: impl FnOnce(&str, &str) -> String,
    ) -> PyResult<()> {
        let old = self.store.get_own_flag(var, flag);
        let old = old.as_ref().and_then(Value::as_str).map_or("", |text| text);
        let mut info = self.info(py, loginfo)?;
        info.op.get_or_insert_with(|| op.to_owned());
        info.detail.get_or_insert_with(|| Value::str(value));
        self.store.set_flag(var, flag, Value::str(join(old, value)), &info.set_info()).or_raise(py)
    }

    /// The Python text for a text of the store. Reads of an unchanged variable answer with
    /// the same object, as far as it was met lately.
    fn text<'py>(&self, py: Python<'py>, text: &Rc<str>) -> Bound<'py, PyAny> {
        let mut slots = self.texts.borrow_mut();
        if slots.is_empty() {
            slots.resize_with(TEXTS, || None);
        }
        let slot = &mut slots[(text.as_ptr() as usize / 16) % TEXTS];
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

/// Texts that a `d` remembers.
const TEXTS: usize = 64;

#[pymethods]
#[allow(non_snake_case)]
impl DataSmart {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(
        py: Python<'_>,
        _args: &Bound<'_, pyo3::types::PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<DataSmart> {
        let session = Session::of(py)?;
        let context = session.borrow().context.clone();
        Ok(DataStore::new(&context).into())
    }

    #[pyo3(signature = (var, expand=Truth(true), noweakdefault=Truth(false), parsing=Truth(false)))]
    fn getVar<'py>(
        &self,
        py: Python<'py>,
        var: &str,
        expand: Truth,
        noweakdefault: Truth,
        parsing: Truth,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = ReadOptions { expand: expand.0, no_weak_default: noweakdefault.0, parsing: parsing.0 };
        match self.store.get_with(var, options).or_raise(py)? {
            Some(Value::Str(text)) => Ok(self.text(py, &text)),
            other => option_to_python(py, &other),
        }
    }

    #[pyo3(signature = (var, value, **loginfo))]
    fn setVar(
        &self,
        py: Python<'_>,
        var: &str,
        value: &Bound<'_, PyAny>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.write(py, DataStore::set, var, value, loginfo)
    }

    #[pyo3(signature = (var, value, **loginfo))]
    fn appendVar(
        &self,
        py: Python<'_>,
        var: &str,
        value: &Bound<'_, PyAny>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.write(py, DataStore::append, var, value, loginfo)
    }

    #[pyo3(signature = (var, value, **loginfo))]
    fn prependVar(
        &self,
        py: Python<'_>,
        var: &str,
        value: &Bound<'_, PyAny>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.write(py, DataStore::prepend, var, value, loginfo)
    }

    #[pyo3(signature = (var, **loginfo))]
    fn delVar(&self, py: Python<'_>, var: &str, loginfo: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let info = self.info(py, loginfo)?;
        self.store.delete(var, &info.set_info());
        Ok(())
    }

    #[pyo3(signature = (key, newkey, **loginfo))]
    fn renameVar(
        &self,
        py: Python<'_>,
        key: &str,
        newkey: &str,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        if key == newkey {
            py.import("bb")?.call_method1(
                "warn",
                (format!("Calling renameVar with equivalent keys ({key}) is invalid"),),
            )?;
            return Ok(());
        }
        let info = self.info(py, loginfo)?;
        self.store.rename(key, newkey, &info.set_info()).or_raise(py)
    }

    #[pyo3(signature = (var, flag, expand=Truth(true), noweakdefault=Truth(false), parsing=Truth(false), retparser=Truth(false)))]
    fn getVarFlag<'py>(
        slf: &Bound<'py, Self>,
        var: &str,
        flag: &str,
        expand: Truth,
        noweakdefault: Truth,
        parsing: Truth,
        retparser: Truth,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let store = slf.borrow().store.clone();
        let value = if flag == "_content" {
            store
                .get_with(
                    var,
                    ReadOptions { expand: expand.0, no_weak_default: noweakdefault.0, parsing: parsing.0 },
                )
                .or_raise(py)?
        } else if noweakdefault.0 && store.get_own_flag(var, flag).is_none() {
            None
        } else {
            store.get_flag(var, flag, expand.0).or_raise(py)?
        };
        let value = option_to_python(py, &value)?;
        if !retparser.0 {
            return Ok(value);
        }
        let text = store.get_flag(var, flag, false).or_raise(py)?;
        let parser = slf.call_method1("expandWithRefs", (option_to_python(py, &text)?, var))?;
        Ok((value, parser).into_pyobject(py)?.into_any())
    }

    #[pyo3(signature = (var, flag, value, **loginfo))]
    fn setVarFlag(
        &self,
        py: Python<'_>,
        var: &str,
        flag: &str,
        value: &Bound<'_, PyAny>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let info = self.info(py, loginfo)?;
        self.store.set_flag(var, flag, from_python(value)?, &info.set_info()).or_raise(py)
    }

    #[pyo3(signature = (var, flag, value, **loginfo))]
    fn appendVarFlag(
        &self,
        py: Python<'_>,
        var: &str,
        flag: &str,
        value: &str,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.extend_flag(py, "append", (var, flag), value, loginfo, |old, new| format!("{old}{new}"))
    }

    #[pyo3(signature = (var, flag, value, **loginfo))]
    fn prependVarFlag(
        &self,
        py: Python<'_>,
        var: &str,
        flag: &str,
        value: &str,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.extend_flag(py, "prepend", (var, flag), value, loginfo, |old, new| format!("{new}{old}"))
    }

    #[pyo3(signature = (var, flag, **loginfo))]
    fn delVarFlag(
        &self,
        py: Python<'_>,
        var: &str,
        flag: &str,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let info = self.info(py, loginfo)?;
        self.store.delete_flag(var, flag, &info.set_info());
        Ok(())
    }

    #[pyo3(signature = (var, expand=None, internalflags=Truth(false)))]
    fn getVarFlags<'py>(
        &self,
        py: Python<'py>,
        var: &str,
        expand: Option<&Bound<'py, PyAny>>,
        internalflags: Truth,
    ) -> PyResult<Bound<'py, PyAny>> {
        let flags = match internalflags.0 {
            true => self.store.get_internal_flags(var),
            false => self.store.get_flags(var),
        };
        let Some(flags) = flags else { return Ok(py.None().into_bound(py)) };
        let dict = PyDict::new(py);
        for (flag, value) in flags {
            let expanded = match expand {
                Some(wanted) if wanted.is_truthy()? && wanted.contains(&*flag)? => {
                    self.store.get_flag(var, &flag, true).or_raise(py)?.unwrap_or(Value::None)
                }
                _ => value,
            };
            dict.set_item(&*flag, to_python(py, &expanded)?)?;
        }
        Ok(dict.into_any())
    }

    #[pyo3(signature = (var, flags, **loginfo))]
    fn setVarFlags(
        &self,
        py: Python<'_>,
        var: &str,
        flags: &Bound<'_, PyDict>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let info = self.info(py, loginfo)?;
        for (flag, value) in flags.iter() {
            let flag: String = flag.extract()?;
            self.store.set_flag(var, &flag, from_python(&value)?, &info.set_info()).or_raise(py)?;
        }
        Ok(())
    }

    #[pyo3(signature = (var, **_loginfo))]
    fn delVarFlags(&self, var: &str, _loginfo: Option<&Bound<'_, PyDict>>) {
        self.store.delete_flags(var);
    }

    #[pyo3(signature = (s, varname=None))]
    fn expand<'py>(
        &self,
        py: Python<'py>,
        s: &Bound<'py, PyAny>,
        varname: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Ok(text) = s.cast::<pyo3::types::PyString>() else { return Ok(s.clone()) };
        let text = crate::convert::text_of(text)?;
        let value = match varname {
            Some(name) => self.store.expand_as(&text, name),
            None => self.store.expand(&text),
        };
        to_python(py, &Value::Str(value.or_raise(py)?))
    }

    /// The expanded text with what it refers to; the object is `bb.data_smart.VariableParse`.
    fn expandWithRefs<'py>(
        slf: &Bound<'py, Self>,
        s: &Bound<'py, PyAny>,
        varname: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("bb.data_smart")?.getattr("parse_value")?.call1((slf, s, varname))
    }

    #[pyo3(signature = (variable, **_parents))]
    fn expandVarref(
        &self,
        py: Python<'_>,
        variable: &str,
        _parents: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        bitzel_recipe::expand_reference(&self.store, variable).or_raise(py)
    }

    fn createCopy(&self) -> DataSmart {
        self.store.create_copy().into()
    }

    /// In the order of a Python set that is filled as BitBake fills it, since metadata
    /// puts the order into values. Hosts run with a fixed hash seed.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let (levels, replaced) = self.store.keys_by_origin();
        let mut all = PySet::empty(py)?;
        for level in levels.iter().rev() {
            let own = PySet::empty(py)?;
            for name in level {
                own.add(&**name)?;
            }
            own.call_method1("update", (&all,))?;
            all = own;
        }
        let last = PySet::empty(py)?;
        for name in &replaced {
            last.add(&**name)?;
        }
        let list = PyList::empty(py);
        for name in all.iter().chain(last.iter()) {
            list.append(name)?;
        }
        Ok(list)
    }

    /// Names of variables with a true flag of `any` and none of `none`, sorted: every task asks
    /// for those that are exported.
    fn _flagged_names<'py>(
        &self,
        py: Python<'py>,
        any: Vec<String>,
        none: Vec<String>,
    ) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.store.flagged_names(&any, &none).iter().map(|name| &**name))
    }

    /// Names that were written in this store itself, not in one it is a copy of.
    fn localkeys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (levels, _) = self.store.keys_by_origin();
        let own = PyList::new(py, levels.first().into_iter().flatten().map(|name| &**name))?;
        Ok(own.try_iter()?.into_any())
    }

    fn hasOverrides(&self, var: &str) -> bool {
        self.store.has_overrides(var)
    }

    fn need_overrides(&self, py: Python<'_>) -> PyResult<()> {
        self.store.override_list().or_raise(py).map(drop)
    }

    #[getter]
    fn overrides(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.store.override_list().or_raise(py)?.iter().map(|name| name.to_string()).collect())
    }

    fn initVar(&self, var: &str) {
        self.store.init(var);
    }

    fn setVarFilter(&self, var: &str, filter: &str) {
        self.store.set_filter(var, filter);
    }

    fn enableTracking(&self) {
        self.store.history_mut().track(true);
    }

    fn disableTracking(&self) {
        self.store.history_mut().track(false);
    }

    #[getter]
    fn varhistory<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("bb.data_smart")?.getattr("VariableHistory")?.call1((slf,))
    }

    #[getter]
    fn inchistory<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("bb.data_smart")?.getattr("IncludeHistory")?.call1((slf,))
    }

    /// The recorded changes of a variable, as dicts with the keys BitBake uses.
    fn _history<'py>(&self, py: Python<'py>, var: &str) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for event in self.store.history().of(var) {
            let dict = PyDict::new(py);
            dict.set_item("variable", &*event.variable)?;
            dict.set_item("op", &*event.op)?;
            dict.set_item("detail", to_python(py, &event.detail)?)?;
            if let Some(loc) = &event.loc {
                dict.set_item("file", &*loc.file)?;
                dict.set_item("line", loc.line)?;
            }
            if let Some(func) = &event.func {
                dict.set_item("func", &**func)?;
            }
            if let Some(flag) = &event.flag {
                dict.set_item("flag", &**flag)?;
            }
            list.append(dict)?;
        }
        Ok(list)
    }

    /// The names of the versions that overrides choose, each with its overrides (`x:y`).
    fn _override_versions(&self, var: &str) -> Vec<(String, String)> {
        let versions = self.store.override_versions(var);
        versions.iter().map(|(name, overrides)| (name.to_string(), overrides.to_string())).collect()
    }

    fn _history_forget(&self, var: &str) {
        self.store.history_mut().forget(var);
    }

    /// Files and what they included: nested (file, children) pairs.
    fn _includes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        fn nodes<'py>(py: Python<'py>, list: &[bitzel_data::IncludeNode]) -> PyResult<Bound<'py, PyList>> {
            let result = PyList::empty(py);
            for node in list {
                result.append((&*node.file, nodes(py, &node.children)?))?;
            }
            Ok(result)
        }
        nodes(py, &self.store.includes().roots())
    }

    fn __getitem__<'py>(&self, py: Python<'py>, var: &str) -> PyResult<Bound<'py, PyAny>> {
        match self
            .store
            .get_with(var, ReadOptions { expand: false, ..ReadOptions::default() })
            .or_raise(py)?
        {
            Some(value) => to_python(py, &value),
            None => Err(PyKeyError::new_err(var.to_owned())),
        }
    }

    // The rest of the mapping protocol is `MutableMapping`'s, in bb/data_smart.py.

    fn __setitem__(&self, py: Python<'_>, var: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.setVar(py, var, value, None)
    }

    fn __delitem__(&self, py: Python<'_>, var: &str) -> PyResult<()> {
        self.delVar(py, var, None)
    }

    fn __contains__(&self, py: Python<'_>, var: &str) -> PyResult<bool> {
        let raw = ReadOptions { expand: false, ..ReadOptions::default() };
        Ok(self.store.get_with(var, raw).or_raise(py)?.is_some())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.keys(py)?.try_iter()?.into_any())
    }

    fn __len__(&self) -> usize {
        self.store.keys().len()
    }
}
