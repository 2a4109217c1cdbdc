"""Functions on datastores: making them, and writing them out for the shell."""

import sys

import bb
import bb.utils
from bb import _native
from bb.data_smart import DataSmart, ExpansionError

# Whatever names a shell cannot use is left out of what it sources.
_NOT_FOR_SHELL = frozenset("-.{}+")


def init():
    """A new, empty datastore."""
    return DataSmart()


def init_db(parent=None):
    """A new datastore, a copy of `parent` if given."""
    return parent.createCopy() if parent is not None else DataSmart()


def createCopy(source):
    """A copy of a datastore; later changes of either do not show in the other."""
    return source.createCopy()


def initVar(var, d):
    """Make a variable known without giving it a value."""
    d.initVar(var)


def keys(d):
    """The names of all variables."""
    return d.keys()


def expand(s, d, varname=None):
    """A text with `${...}` replaced; `varname` is the variable it belongs to, for messages."""
    return d.expand(s, varname)


def expandKeys(alterdata, readdata=None):
    """Rename the variables whose names hold `${...}`."""
    _native.expand_keys(alterdata)


def inheritFromOS(d, savedenv, permitted):
    """Take the permitted variables of the environment `savedenv`, a datastore, into `d`."""
    exported = bb.utils.preserved_envvars_exported()
    for name in savedenv.keys():
        if name in permitted:
            try:
                d.setVar(name, savedenv.getVar(name), op="from env")
                if name in exported:
                    d.setVarFlag(name, "export", True, op="auto env export")
            except TypeError:
                pass


def inherits_class(klass, d):
    """Whether a class was inherited, by this recipe or by the configuration."""
    files = d.getVar("__inherit_cache", False) or ()
    # Metadata asks so often that one search in all names pays.
    return "/%s.bbclass\n" % klass in "\n".join(files) + "\n"


def exported_keys(d):
    """Names of variables to be exported to tasks."""
    return (key for key in d.keys()
            if not key.startswith("__") and d.getVarFlag(key, "export", False)
            and not d.getVarFlag(key, "unexport", False))


def exported_vars(d):
    """(name, value) of the variables to be exported to tasks; what cannot be expanded is left out with a warning."""
    for key in d._flagged_names(["export"], ["unexport"]):
        try:
            value = d.getVar(key)
        except Exception as err:
            bb.warn("%s: Unable to export ${%s}: %s" % (d.getVar("FILE"), key, err))
            continue
        if value is not None:
            yield key, str(value)


def _shell_value(value):
    """A text as it has to stand between double quotes in a shell script."""
    # BitBake: 2.8 leaves backticks alone.
    for sign in '"$' if bb.__version__.startswith("2.8.") else '"`$':
        value = value.replace(sign, "\\" + sign)
    return value.replace("\n", " \\\n")


def emit_var(var, o=sys.__stdout__, d=None, all=False):
    """Write a variable as shell source: exported ones and functions, with `all` others too.

    Gives a true value for functions.
    """
    function = d.getVarFlag(var, "func", False)
    if d.getVarFlag(var, "python", False) and function:
        return False
    if all:
        unexpanded = d.getVar(var, False)
    export = d.getVarFlag(var, "export", False)
    unexport = d.getVarFlag(var, "unexport", False)
    if not (all or export or unexport or function):
        return False
    try:
        value = d.getVar(var, True)
    except ExpansionError as err:
        o.write("# expansion of %s threw %s: %s\n" % (var, type(err).__name__, err))
        return False
    if all:
        d.varhistory.emit(var, unexpanded, value, o, d)
    if not all and not _NOT_FOR_SHELL.isdisjoint(var):
        return False
    if unexport:
        o.write("unset %s\n" % var)
        return False
    if value is None:
        return False
    value = str(value)
    if function:
        o.write("# line: %s, file: %s\n" % (d.getVarFlag(var, "lineno", False), d.getVarFlag(var, "filename", False)))
        o.write("%s() {\n%s\n}\n" % (var, value.rstrip("\n")))
        return 1
    o.write('%s%s="%s"\n' % ("export " if export else "", var, _shell_value(value)))
    return False


def emit_env(o=sys.__stdout__, d=None, all=False):
    """Write all variables as shell source, functions last."""
    names = [name for name in d.keys() if not name.startswith("__")]
    for wanted in (False, True):
        for name in sorted(name for name in names if bool(d.getVarFlag(name, "func", False)) == wanted):
            if emit_var(name, o, d, all and not wanted):
                o.write("\n")


def _functions_from(func, d, python):
    """The names of a function and those it needs, level by level, in order of writing."""
    seen = set()
    level = {func}
    while level:
        following = set()
        for name in sorted(level):
            seen.add(name)
            yield name
            # Python is never expanded.
            value = d.getVar(name, not python)
            following |= _called_python(name, value, d) if python else _called_shell(name, value, d)
            following |= set((d.getVarFlag(name, "vardeps") or "").split())
        level = {name for name in following - seen
                 if d.getVarFlag(name, "func", False) and bool(d.getVarFlag(name, "python", False)) == python}


def _called_shell(name, value, d):
    from bb.codeparser import ShellParser
    return ShellParser(name, bb.utils.logger).parse_shell(value or "")


def _called_python(name, value, d):
    from bb.codeparser import PythonParser
    parser = PythonParser(name, bb.utils.logger)
    parser.parse_python(value or "", d.getVarFlag(name, "lineno", False) or 0,
                        d.getVarFlag(name, "filename", False) or "<string>")
    return parser.execs


def emit_func(func, o=sys.__stdout__, d=None):
    """Write a shell function, those it calls, and all exported variables as shell source."""
    for name in exported_or_unset(d):
        emit_var(name, o, d, False)
    o.write("\n")
    for name in _functions_from(func, d, False):
        if emit_var(name, o, d, False):
            o.write("\n")


def exported_or_unset(d):
    """Names of the variables that are exported to tasks, or taken from their environment, sorted."""
    return d._flagged_names(["export", "unexport"], ["func"])


def emit_func_python(func, o=sys.__stdout__, d=None):
    """Write a Python function, a call of it, and the functions it calls as Python source."""
    for name in _functions_from(func, d, True):
        o.write("def %s(d):\n%s\n\n" % (name, (d.getVar(name, False) or "").rstrip("\n")))
        if name == func:
            o.write("%s(d)\n\n" % name)


def __getattr__(name):
    """Signature data is computed by code that few callers need."""
    if name in ("build_dependencies", "generate_dependencies", "generate_dependency_hash"):
        from bb import _dependencies
        return getattr(_dependencies, name)
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
