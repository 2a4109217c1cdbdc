//! `d`: the datastore as metadata's Python knows it (`bb.data_smart.DataSmart`).

use crate::convert::{Truth, from_python, option_to_python, to_python};
use crate::failure::OrRaise;
use crate::session::Session;
use bitzel_base::SourceLoc;
use bitzel_data::{DataStore, ReadOptions, SetInfo, Value};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet};
use std::rc::Rc;

/// A datastore.
#[pyclass(unsendable, subclass)]
pub struct DataSmart {
    pub(crate) store: DataStore,
}

impl From<DataStore> for DataSmart {
    fn from(store: DataStore) -> DataSmart {
        DataSmart { store }
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
}

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
        Ok(DataSmart { store: DataStore::new(&context) })
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
        option_to_python(py, &self.store.get_with(var, options).or_raise(py)?)
    }

    #[pyo3(signature = (var, value, **loginfo))]
    fn setVar(
        &self,
        py: Python<'_>,
        var: &str,
        value: &Bound<'_, PyAny>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let info = self.info(py, loginfo)?;
        self.store.set(var, from_python(value)?, &info.set_info()).or_raise(py)
    }

    #[pyo3(signature = (var, value, **loginfo))]
    fn appendVar(
        &self,
        py: Python<'_>,
        var: &str,
        value: &Bound<'_, PyAny>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let info = self.info(py, loginfo)?;
        self.store.append(var, from_python(value)?, &info.set_info()).or_raise(py)
    }

    #[pyo3(signature = (var, value, **loginfo))]
    fn prependVar(
        &self,
        py: Python<'_>,
        var: &str,
        value: &Bound<'_, PyAny>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let info = self.info(py, loginfo)?;
        self.store.prepend(var, from_python(value)?, &info.set_info()).or_raise(py)
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
        } else if noweakdefault.0 && !expand.0 {
            store.get_own_flag(var, flag)
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
        let old = flag_text(&self.store, var, flag);
        let info = self.info(py, loginfo)?;
        self.store.set_flag(var, flag, Value::str(format!("{old}{value}")), &info.set_info()).or_raise(py)
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
        let old = flag_text(&self.store, var, flag);
        let info = self.info(py, loginfo)?;
        self.store.set_flag(var, flag, Value::str(format!("{value}{old}")), &info.set_info()).or_raise(py)
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
        let _ = internalflags.0;
        let Some(flags) = self.store.get_flags(var) else { return Ok(py.None().into_bound(py)) };
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
            if !flag.starts_with('_') {
                self.store.set_flag(var, &flag, from_python(&value)?, &info.set_info()).or_raise(py)?;
            }
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

    #[pyo3(signature = (variable, parents=Truth(false)))]
    fn expandVarref(&self, py: Python<'_>, variable: &str, parents: Truth) -> PyResult<()> {
        let _ = parents.0;
        bitzel_recipe::expand_reference(&self.store, variable).or_raise(py)
    }

    fn createCopy(&self) -> DataSmart {
        DataSmart { store: self.store.create_copy() }
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

    fn localkeys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.keys(py)?.try_iter()?.into_any())
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
        nodes(py, self.store.includes().roots())
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

    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for name in self.keys(py)?.iter() {
            let value = self.__getitem__(py, &name.extract::<String>()?)?;
            list.append((name, value))?;
        }
        Ok(list)
    }

    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for item in self.items(py)?.iter() {
            list.append(item.get_item(1)?)?;
        }
        Ok(list)
    }

    fn update(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        for name in other.call_method0("keys")?.try_iter()? {
            let name = name?;
            let value = other.get_item(&name)?;
            self.setVar(py, &name.extract::<String>()?, &value, None)?;
        }
        Ok(())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.localkeys(py)
    }

    fn __len__(&self) -> usize {
        self.store.keys().len()
    }

    #[pyo3(signature = (var, default=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        var: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self
            .store
            .get_with(var, ReadOptions { expand: false, ..ReadOptions::default() })
            .or_raise(py)?
        {
            Some(value) => to_python(py, &value),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<DataSmart>().is_ok_and(|other| other.borrow().store.is_same(&self.store))
    }

    fn __hash__(&self) -> u64 {
        self.store.id()
    }
}

fn flag_text(store: &DataStore, var: &str, flag: &str) -> String {
    store
        .get_own_flag(var, flag)
        .and_then(|value| value.as_str().map(|text| text.to_string()))
        .unwrap_or_default()
}
