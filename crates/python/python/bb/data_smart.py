"""The datastore class, its histories, expansion with references, and the error of failing expansions."""

import hashlib
from collections.abc import MutableMapping

from bb import _native
from bb._expansion import ExpansionError, VariableParse, parse_value
from bb._history import IncludeHistory, VariableHistory

DataSmart = _native.DataSmart
DataSmart.__module__ = __name__


def _get_hash(self):
    """A digest of all variables before expansion, but those that BB_HASHCONFIG_IGNORE_VARS names and internal ones."""
    ignored = set((self.getVar("BB_HASHCONFIG_IGNORE_VARS") or "").split())
    digest = hashlib.sha256()
    for name in sorted(self.keys()):
        if name not in ignored and not name.startswith("__"):
            digest.update(repr((name, self.getVar(name, False))).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _reduce(self):
    """What pickling keeps: variables with all they are made of. Histories are left out."""
    state = [(name, self.getVarFlags(name, internalflags=True) or {}) for name in self.keys()]
    return _restore, (state,)


def _restore(state):
    """The datastore that `_reduce` took apart."""
    d = DataSmart()
    silent = {"parsing": True, "ignore": True}
    for name, parts in state:
        for part, value in parts.items():
            if part in (":append", ":prepend", ":remove"):
                for text, overrides in value:
                    d.setVar(name + part + (":" + overrides if overrides else ""), text, **silent)
            else:
                d.setVarFlag(name, part, value, **silent)
    return d


# A datastore is a mapping from names to values before expansion; like BitBake's, it has no hash.
MutableMapping.register(DataSmart)
for _name in ("get", "items", "values", "update", "pop", "popitem", "setdefault", "clear", "__eq__"):
    setattr(DataSmart, _name, getattr(MutableMapping, _name))
DataSmart.__hash__ = None
DataSmart.get_hash = _get_hash
DataSmart.__reduce__ = _reduce
del _name
if _native.version().startswith("2.8."):
    del DataSmart.setVarFilter  # 2.8 has no filters

# Variables that were renamed in BitBake itself; using an old name is an error.
bitbake_renamed_vars = {
    "BB_ENV_WHITELIST": "BB_ENV_PASSTHROUGH",
    "BB_ENV_EXTRAWHITE": "BB_ENV_PASSTHROUGH_ADDITIONS",
    "BB_HASHBASE_WHITELIST": "BB_BASEHASH_IGNORE_VARS",
    "BB_HASHCONFIG_WHITELIST": "BB_HASHCONFIG_IGNORE_VARS",
    "BB_HASHTASK_WHITELIST": "BB_TASKHASH_IGNORE_TASKS",
    "BB_SETSCENE_ENFORCE_WHITELIST": "BB_SETSCENE_ENFORCE_IGNORE_TASKS",
    "MULTI_PROVIDER_WHITELIST": "BB_MULTI_PROVIDER_ALLOWED",
    "BB_STAMP_WHITELIST": "is a deprecated variable and support has been removed",
    "BB_STAMP_POLICY": "is a deprecated variable and support has been removed",
}

for _class in (ExpansionError, VariableParse, IncludeHistory, VariableHistory):
    _class.__module__ = __name__
del _class
