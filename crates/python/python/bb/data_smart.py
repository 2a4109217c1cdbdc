"""The datastore class and the error of failing expansions."""

from bb import _native

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


class ExpansionError(Exception):
    """A value could not be expanded; `varlist` is the chain of variables that led there."""

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
            self.varlist.insert(0, varname)

    def __str__(self):
        chain = " -> ".join(self.varlist)
        return "%s\nThe variable dependency chain for the failure is: %s" % (self.msg, chain)
