"""The `bb` package that OpenEmbedded metadata and scripts import.

Same names and behaviour as BitBake's package of this name, served by bitzel: the
datastore, the parser and the scanners live in the native module `_bitzel`
(see `bb._native`), the rest is plain Python.

Submodules are imported on first use, so that `import bb` stays cheap. The package
path is extensible: folders `bb` without an `__init__.py` of their own in directories of
`sys.path` add submodules (a test-suite, say). A whole other `bb` package adds nothing.
"""

import builtins
import os
import sys

for _entry in sys.path:
    _portion = os.path.join(_entry, "bb")
    if os.path.isdir(_portion) and not os.path.exists(os.path.join(_portion, "__init__.py")):
        __path__.append(_portion)
del _entry, _portion

from bb import _native

__version__ = _native.version()

if sys.version_info < (3, 9, 0):
    raise RuntimeError("python %d.%d is too old for `bb`: use python 3.9 or newer" % sys.version_info[:2])


class BBHandledException(Exception):
    """An error that has been reported already: whoever catches it prints nothing more."""


from bb._logging import (BBLogger, BBLoggerAdapter, BBLoggerMixin, NullHandler, PrefixLoggerAdapter,
                         debug, error, erroronce, fatal, logger, mainlogger, note, plain, verbnote, warn, warnonce)

# Recipe and class code uses these two without importing them.
builtins.bb = sys.modules[__name__]
builtins.os = os


def __getattr__(name):
    """Import submodules, and build the two rarely used objects, when first asked for."""
    if name == "TaskData":
        from bb._taskdata import TaskData
        globals()[name] = TaskData
        return TaskData
    if name in ("deprecated", "deprecate_import"):
        from bb import _deprecation
        return getattr(_deprecation, name)
    if name == "multiprocessing":
        from bb._multiprocessing import multiprocessing
        globals()[name] = multiprocessing
        return multiprocessing
    if not name.startswith("_"):
        import importlib
        module = "%s.%s" % (__name__, name)
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as err:
            if err.name != module:
                raise
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
