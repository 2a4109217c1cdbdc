"""Questions about the words of a variable's value, and conversions of values."""


def _words(values):
    """The set of words meant by a string, or by any other collection as it is."""
    return set(values.split()) if isinstance(values, str) else set(values)


def contains(variable, checkvalues, truevalue, falsevalue, d):
    """`truevalue` if the value of `variable` holds all words of `checkvalues`, else `falsevalue`."""
    value = d.getVar(variable)
    if not value:
        return falsevalue
    return truevalue if _words(checkvalues).issubset(value.split()) else falsevalue


def contains_any(variable, checkvalues, truevalue, falsevalue, d):
    """`truevalue` if the value of `variable` holds any word of `checkvalues`, else `falsevalue`."""
    value = d.getVar(variable)
    if not value:
        return falsevalue
    return falsevalue if _words(checkvalues).isdisjoint(value.split()) else truevalue


def filter_string(val, checkvalues):
    """The words of `val` that are among `checkvalues`, sorted."""
    if not val:
        return ""
    return " ".join(sorted(_words(checkvalues).intersection(val.split())))


def filter(variable, checkvalues, d):
    """The words of the value of `variable` that are among `checkvalues`, sorted."""
    return filter_string(d.getVar(variable), checkvalues)


def to_boolean(string, default=None):
    """True for "y", "yes", "1", "true", False for "n", "no", "0", "false" (any case).

    Gives `default` for nothing, the truth of a number, and raises ValueError for other text.
    """
    if not string:
        return default
    if isinstance(string, int):
        return string != 0
    word = string.lower()
    if word in ("y", "yes", "1", "true"):
        return True
    if word in ("n", "no", "0", "false"):
        return False
    raise ValueError("Invalid value for to_boolean: %s" % string)


def to_filemode(input):
    """A file mode given as a number or as octal digits, as a number."""
    return input if isinstance(input, int) else int(input, 8)


def prune_suffix(var, suffixes, d):
    """`var` without the first of `suffixes` that it ends with."""
    for suffix in suffixes:
        if suffix and var.endswith(suffix):
            return var[:-len(suffix)]
    return var


def get_referenced_vars(start_expr, d):
    """Names of the variables an expression refers to, and those they refer to, nearest first."""
    from bb._expansion import direct_references
    found = []
    level = direct_references(start_expr)
    while level:
        found.extend(level)
        following = set()
        for name in level:
            following |= direct_references(d.getVar(name, False))
        level = following.difference(found)
    return found
