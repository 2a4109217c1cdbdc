"""Finding what Python and shell code refers to; scanners and their cache are native."""

import logging

from bb import _native

logger = logging.getLogger("BitBake.CodeParser")


class DummyLogger(object):
    """Stands in for a buffered logger that nobody flushes."""

    def flush(self):
        pass


class BufferedLogger(logging.getLoggerClass()):
    """Keeps log records until it is known whether they matter."""

    def __init__(self, name, level=0, target=None):
        super().__init__(name)
        self.setLevel(level)
        self.buffer = []
        self.target = target

    def handle(self, record):
        self.buffer.append(record)

    def flush(self):
        for record in self.buffer:
            if self.target.isEnabledFor(record.levelno):
                self.target.handle(record)
        self.buffer = []


def check_indent(codestr):
    """Code made complete by an `if 1:` in front if its first line is indented."""
    first = codestr.lstrip("\n")[:1]
    if first in (" ", "\t"):
        return "if 1:\n" + codestr.lstrip("\n")
    return codestr


class PythonParser(object):
    """Finds the references of Python code.

    After `parse_python`: `references` (variables, flags as NAME[flag]), `execs` (functions
    called), `var_execs` (functions run by exec_func), `contains` (words asked for).
    """

    getvars = (".getVar", ".appendVar", ".prependVar", "oe.utils.conditional")
    getvarflags = (".getVarFlag", ".appendVarFlag", ".prependVarFlag")
    containsfuncs = ("bb.utils.contains", "base_contains")
    containsanyfuncs = ("bb.utils.contains_any", "bb.utils.filter")
    execfuncs = ("bb.build.exec_func", "bb.build.exec_task")

    def __init__(self, name, log):
        self.name = name
        self.log = log
        self.var_execs = set()
        self.contains = {}
        self.execs = set()
        self.references = set()

    def parse_python(self, node, lineno=0, filename="<string>", fixedhash=None, func=None):
        """Scan code, a function's body or an expression; SyntaxError for what is none."""
        if not node or not node.strip():
            return
        references, execs, contains, var_execs = _native.scan_python(node)
        self.references = set(references)
        self.var_execs = set(var_execs)
        self.execs = set(execs) | self.var_execs
        self.contains = {name: set(words) for name, words in contains.items()}


class ShellParser(object):
    """Finds the commands that shell code runs, in `execs`."""

    def __init__(self, name, log):
        self._name = name
        self.log = log
        self.funcdefs = set()
        self.allexecs = set()
        self.execs = set()

    def parse_shell(self, value):
        """Scan a script; the set of commands it does not define itself."""
        self.execs, self.funcdefs = _native.scan_shell(value)
        self.allexecs = self.execs | self.funcdefs
        return self.execs


# Functions of Python libraries by full name: (references, functions called, words asked for, hash of the text).
modulecode_deps = {}


def add_module_functions(fn, functions, namespace):
    """Register the functions of a Python library, file `fn`, for dependency tracking."""
    with open(fn, encoding="utf-8") as file:
        found = _native.scan_module(file.read(), namespace)
    for name, references, execs, contains, var_execs, value in found:
        if name[len(namespace) + 1:] in functions:
            modulecode_deps[name] = (references, execs | var_execs, contains, value)


def parser_cache_init(cachedir):
    """Results are kept by the native scanners; there is nothing to read."""


def parser_cache_save():
    """Results are kept by the native scanners; there is nothing to write."""


def parser_cache_savemerge():
    """Results are kept by the native scanners; there is nothing to write."""
