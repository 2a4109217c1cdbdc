"""What stands in for the extension module in tests of the pure Python parts.

`install()` is for runs without a built `_bitzel`; the datastore holds plain values.
"""

import sys
import types


class DataSmart(dict):
    """A datastore without expansion, overrides and histories."""

    def getVar(self, var, expand=True, noweakdefault=False, parsing=False):
        return self.get(var)

    def setVar(self, var, value, **loginfo):
        self[var] = value

    def getVarFlag(self, var, flag, expand=True, noweakdefault=False, parsing=False, retparser=False):
        return None

    def createCopy(self):
        return DataSmart(self)


def install():
    """Make `import _bitzel` work: with the extension if it is there, else with this."""
    try:
        import _bitzel
        return _bitzel
    except ImportError:
        module = types.ModuleType("_bitzel")
    context = {}

    def set_context(namespace):
        nonlocal context
        context = namespace

    module.DataSmart = DataSmart
    module.version = lambda: "2.18.0"
    module.get_context = lambda: context
    module.set_context = set_context
    sys.modules["_bitzel"] = module
    return module
