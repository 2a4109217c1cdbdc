"""Python libraries of layers that have been imported."""

import os
import sys

_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def imported_files():
    """Source files of imported modules that are part of neither Python nor bitzel."""
    prefixes = tuple({os.path.realpath(p) + os.sep for p in (sys.prefix, sys.base_prefix, _OWN)})
    found = set()
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path and path.endswith(".py") and not os.path.realpath(path).startswith(prefixes):
            found.add(os.path.abspath(path))
    return sorted(found)
