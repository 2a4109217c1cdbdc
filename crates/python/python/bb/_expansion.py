"""Expanding a text while noting what it refers to, and the error if that fails."""

import re

_VARIABLE = re.compile(r"\$\{([a-zA-Z0-9\-_+./~:]+)\}")
_PYTHON = re.compile(r"\$\{@((?:\{[^{}]*\}|[^}])+)\}", re.DOTALL)


class _CutOff(Exception):
    """What looks like code ends within a string, by a brace there; all code in the text is left alone then."""


class ExpansionError(Exception):
    """A value could not be expanded; `varlist` is the chain of variables that led there, innermost first."""

    def __init__(self, varname, expression, exception):
        self.expression = expression
        self.variablename = varname
        self.exception = exception
        self.varlist = [varname or expression or ""]
        if varname:
            where = "Failure expanding variable %s, expression was %s" % (varname, expression)
        else:
            where = "Failure expanding expression %s" % expression
        self.msg = "%s which triggered exception %s: %s" % (where, type(exception).__name__, exception)
        Exception.__init__(self, self.msg)
        self.args = (varname, expression, exception)

    def addVar(self, varname):
        """Note that expanding `varname` led here."""
        if varname:
            self.varlist.append(varname)

    def __str__(self):
        return "%s\nThe variable dependency chain for the failure is: %s" % (self.msg, " -> ".join(self.varlist))


class VariableParse(object):
    """An expanded text (`value`) and the variables, functions and contained words it asks for."""

    def __init__(self, varname, d, unexpanded_value=None, val=None):
        self.varname = varname
        self.d = d
        self.value = val
        self.unexpanded_value = unexpanded_value
        self.references = set()
        self.execs = set()
        self.contains = {}

    def var_sub(self, match):
        """The value to put in place of a `${NAME}`."""
        name = match.group(1)
        self.references.add(name)
        value = self.d.getVar(name)
        return match.group() if value is None else str(value)

    def python_sub(self, match):
        """The value to put in place of a `${@code}`."""
        if _VARIABLE.search(match.group(1)):
            # Code that a variable without a value belongs to cannot be run.
            return match.group()
        result = self.d.expand(match.group(), self.varname) if self.varname else self.d.expand(match.group())
        if result == match.group():
            raise _CutOff()
        from bb.codeparser import PythonParser
        parser = PythonParser(self.varname, None)
        parser.parse_python(match.group(1).strip())
        self.references |= parser.references
        self.execs |= parser.execs
        for name, words in parser.contains.items():
            self.contains.setdefault(name, set()).update(words)
        return result


def parse_value(d, s, varname):
    """Expand a text; the `VariableParse` with value and references."""
    parse = VariableParse(varname, d, s, s)
    if not isinstance(s, str):
        return parse
    if varname:
        # Only the whole expansion notices that a variable refers to itself.
        d.expand(s, varname)
    value = s
    while "${" in value:
        before = value
        value = _VARIABLE.sub(parse.var_sub, value)
        try:
            value = _PYTHON.sub(parse.python_sub, value)
        except _CutOff:
            break
        if value == before:
            break
    parse.value = value
    return parse


def direct_references(text):
    """Names of the variables that a text itself refers to, without expanding it."""
    if not isinstance(text, str):
        return set()
    found = set(_VARIABLE.findall(text))
    for code in _PYTHON.findall(text):
        from bb.codeparser import PythonParser
        parser = PythonParser("", None)
        try:
            parser.parse_python(code.strip())
        except SyntaxError:
            continue
        found |= parser.references
    return found
