"""The datastore class, its histories, expansion with references, and the error of failing expansions."""

from bb import _native
from bb._expansion import ExpansionError, VariableParse, parse_value
from bb._history import IncludeHistory, VariableHistory

DataSmart = _native.DataSmart

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
