"""The only place where the package touches the native module `_bitzel`.

Every function below is a wrapper of the function of the same name, so a rename in the
extension is a change of one line here. Expected of `_bitzel`:

`version() -> str`
    The BitBake version whose behaviour is matched ("2.18.0"), what `bb.__version__` says.
`class DataSmart()`
    The datastore `d`: getVar(var, expand=True, noweakdefault=False, parsing=False),
    setVar(var, value, **loginfo), appendVar, prependVar, delVar(var, **loginfo),
    renameVar(key, newkey, **loginfo),
    getVarFlag(var, flag, expand=True, noweakdefault=False, parsing=False, retparser=False),
    setVarFlag(var, flag, value, **loginfo), appendVarFlag, prependVarFlag, delVarFlag,
    getVarFlags(var, expand=False, internalflags=False), setVarFlags(var, flags, **loginfo),
    delVarFlags, expand(s, varname=None), expandVarref(variable, parents=False),
    expandWithRefs(s, varname) -> object with value, references, execs, contains, removes,
    createCopy(), keys(), localkeys(), hasOverrides(var), need_overrides(), initVar(var),
    setVarFilter(var, filter), get_hash(), enableTracking(), disableTracking(),
    varhistory, inchistory, the mutable mapping protocol, pickling and equality.
    With retparser=True getVarFlag gives (value, parser), parser being what expandWithRefs
    returns. expandWithRefs calls `bb.data_smart.parse_value(d, s, varname)`; varhistory and
    inchistory are `bb.data_smart.VariableHistory(d)` and `IncludeHistory(d)`, which use
    `_history(var) -> list[dict]`, `_history_forget(var)` and `_includes() -> nested (file,
    children) pairs`. Failing expansions raise `bb.data_smart.ExpansionError`.
`parse_file(fn, d, include, baseconfig) -> d | dict[str, d]`
    Parse a .conf, .inc, .bbclass or .bb file; recipes give variants by name ('' first).
    Raises `bb.parse.ParseError`, `bb.parse.SkipRecipe` or `bb.BBHandledException`.
`inherit(files, fn, lineno, d, deferred)`
    What the `inherit` directive does with these class names.
`inherit_defer(expression, fn, lineno, d)`
    What the `inherit_defer` directive does.
`add_task(task, before, after, d)`, `del_task(task, d)`
    What `addtask` and `deltask` do; `before` and `after` are lists or None.
`expand_keys(d)`
    Rename variables whose names hold `${...}`.
`mark_dependency(d, fn)`, `check_dependency(d, fn) -> bool`
    Note, or ask whether noted, that the result of parsing depends on a file.
`get_context() -> dict`, `set_context(dict)`
    The namespace of metadata Python (`def` functions, inline expressions), by identity.
`insert_method(modulename, code, fn, lineno)`
    Compile and run a `def` function's text in that namespace.
`scan_python(code) -> (references, execs, contains, var_execs)`
    References of Python code, indented or not: sets of names, `contains` a dict of sets.
    Raises SyntaxError.
`scan_shell(code) -> (execs, functions)`
    Commands a shell script runs that it does not define, and those it defines.
`scan_module(code, namespace) -> list[(name, references, execs, contains, var_execs, hash)]`
    The same of every function of a Python library, by full name, with what stands for its
    text in signatures.
`removes(d, var) -> set[str]`
    The unexpanded texts of the `:remove`s that take something out of a variable's value.
`configure(env, tracking) -> dict[str, list[(path, appends, layer, priority)]]`
    Read the base configuration with an environment; the recipe files of every configuration.
`config_data(mc) -> d`
    The datastore of a configuration, names expanded.
`recipe_variants(mc, path, appends, layer) -> dict[str, d]`
    The variants of a recipe file by name. Skipped variants have the reason in `__SKIPPED`.

The extension in turn uses of this package: `bb.data_smart.ExpansionError(varname,
expression, exception)` with `addVar(name)`, `bb.parse.ParseError(msg, filename, lineno)`,
`bb.parse.SkipRecipe`, `bb.BBHandledException`, `bb.filter.apply_filters(value, filters)`,
`bb.event.register(...)`, `bb.event.fire(event, d)` and the event classes,
`bb.event.get_class_handlers()`/`set_class_handlers(...)` around a recipe, and
`bb.parse.siggen`.
"""

import _bitzel

DataSmart = _bitzel.DataSmart


def version():
    return _bitzel.version()


def parse_file(fn, d, include=0, baseconfig=False):
    return _bitzel.parse_file(fn, d, include, baseconfig)


def inherit(files, fn, lineno, d, deferred=False):
    return _bitzel.inherit(files, fn, lineno, d, deferred)


def inherit_defer(expression, fn, lineno, d):
    return _bitzel.inherit_defer(expression, fn, lineno, d)


def add_task(task, before, after, d):
    return _bitzel.add_task(task, before, after, d)


def del_task(task, d):
    return _bitzel.del_task(task, d)


def expand_keys(d):
    return _bitzel.expand_keys(d)


def mark_dependency(d, fn):
    return _bitzel.mark_dependency(d, fn)


def check_dependency(d, fn):
    return _bitzel.check_dependency(d, fn)


def get_context():
    return _bitzel.get_context()


def set_context(context):
    return _bitzel.set_context(context)


def insert_method(modulename, code, fn, lineno):
    return _bitzel.insert_method(modulename, code, fn, lineno)


def scan_python(code):
    return _bitzel.scan_python(code)


def scan_shell(code):
    return _bitzel.scan_shell(code)


def scan_module(code, namespace):
    return _bitzel.scan_module(code, namespace)


def removes(d, var):
    return _bitzel.removes(d, var)


def configure(env, tracking):
    return _bitzel.configure(env, tracking)


def config_data(mc):
    return _bitzel.config_data(mc)


def recipe_variants(mc, path, appends, layer):
    return _bitzel.recipe_variants(mc, path, appends, layer)
