//! `d`: the datastore as metadata's Python knows it (`bb.data_smart.DataSmart`).

use crate::convert::{Truth, from_python, option_to_python, to_python};
use crate::failure::OrRaise;
use crate::loginfo::LogInfo;
use crate::session::Session;
use crate::texts::Texts;
use crate::views;
use bitzel_data::{DataStore, ReadOptions, SetInfo, Value};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// A datastore.
#[pyclass(unsendable, subclass)]
pub struct DataSmart {
    pub(crate) store: DataStore,
    texts: Texts,
}

impl From<DataStore> for DataSmart {
    fn from(store: DataStore) -> DataSmart {
        DataSmart { store, texts: Texts::default() }
    }
}

impl DataSmart {
    /// Changes a variable by one of the store's methods.
    fn write(
        &self,
        py: Python<'_>,
        method: fn(&DataStore, &str, Value, &SetInfo) -> bitzel_data::Result<()>,
        var: &str,
        value: &Bound<'_, PyAny>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let info = LogInfo::of(py, &self.store, loginfo)?;
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
        let mut info = LogInfo::of(py, &self.store, loginfo)?;
        info.op.get_or_insert_with(|| op.to_owned());
        info.detail.get_or_insert_with(|| Value::str(value));
        self.store.set_flag(var, flag, Value::str(join(old, value)), &info.set_info()).or_raise(py)
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
            Some(Value::Str(text)) => Ok(self.texts.of(py, &text)),
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
        let info = LogInfo::of(py, &self.store, loginfo)?;
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
        let info = LogInfo::of(py, &self.store, loginfo)?;
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
        let info = LogInfo::of(py, &self.store, loginfo)?;
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
        let info = LogInfo::of(py, &self.store, loginfo)?;
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
        views::flags(py, &self.store, var, expand, internalflags.0)
    }

    #[pyo3(signature = (var, flags, **loginfo))]
    fn setVarFlags(
        &self,
        py: Python<'_>,
        var: &str,
        flags: &Bound<'_, PyDict>,
        loginfo: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let info = LogInfo::of(py, &self.store, loginfo)?;
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

    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        views::keys(py, &self.store)
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

    fn _history<'py>(&self, py: Python<'py>, var: &str) -> PyResult<Bound<'py, PyList>> {
        views::history(py, &self.store, var)
    }

    /// The names of the versions that overrides choose, each with its overrides (`x:y`).
    fn _override_versions(&self, var: &str) -> Vec<(String, String)> {
        let versions = self.store.override_versions(var);
        versions.iter().map(|(name, overrides)| (name.to_string(), overrides.to_string())).collect()
    }

    fn _history_forget(&self, var: &str) {
        self.store.history_mut().forget(var);
    }

    fn _includes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        views::includes(py, &self.store.includes().roots())
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
