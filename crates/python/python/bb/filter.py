"""Filters that `d.setVarFilter()` puts on the values of variables.

A filter is a Python expression over `val`, the value so far; it sees a few harmless
builtins and the functions registered with `filter_proc`, and gives the new value.
"""

import builtins


class Namespace(object):
    """The functions registered under a dotted name, as attributes or items."""

    def __getitem__(self, name):
        return self.__dict__[name]

    def __setitem__(self, name, value):
        self.__dict__[name] = value

    def __contains__(self, name):
        return name in self.__dict__

    def __setattr__(self, name, value):
        raise AttributeError("cannot set `%s`: filters cannot change what they see" % name)

    def __delattr__(self, name):
        raise AttributeError("cannot delete `%s`: filters cannot change what they see" % name)


FILTERS = {"__builtins__": {}}
for _name in ("all", "any", "bin", "bool", "chr", "enumerate", "float", "format", "hex", "int", "len", "map", "max",
              "min", "oct", "ord", "pow", "str", "sum"):
    FILTERS[_name] = getattr(builtins, _name)
del _name

# Filters are pure, so values that were filtered once are remembered: (value, expressions) to result.
CACHE = {}
_code = {}


def filter_proc(*, name=None):
    """Decorator that lets filter expressions call a function, by its own or a (dotted) `name`."""

    def register(func):
        *parents, last = (name or func.__name__).split(".")
        space = FILTERS
        for parent in parents:
            if parent not in space:
                space[parent] = Namespace()
            space = space[parent]
        space[last] = func
        CACHE.clear()
        return func

    return register


def apply_filters(val, expressions):
    """Give a value to the first expression, its result to the second, and so on."""
    try:
        key = (val, tuple(expressions))
        known = CACHE.get(key)
    except TypeError:
        key = known = None
    if known is not None:
        return known
    for expression in expressions:
        text = expression.strip()
        if not text:
            continue
        code = _code.get(text)
        if code is None:
            code = _code[text] = compile(text, "<string>", "eval")
        val = eval(code, FILTERS, {"val": val})
    if key is not None and isinstance(val, str):
        CACHE[key] = val
    return val


@filter_proc()
def suffix(val, suffix):
    """Every word with `suffix` behind it."""
    return " ".join(word + suffix for word in val.split())


@filter_proc()
def prefix(val, prefix):
    """Every word with `prefix` before it."""
    return " ".join(prefix + word for word in val.split())


@filter_proc()
def sort(val):
    """The words in order."""
    return " ".join(sorted(val.split()))


@filter_proc()
def remove(val, remove, sep=None):
    """The words, or parts between `sep`, without those in `remove`, a collection or such a text."""
    if isinstance(remove, str):
        remove = remove.split(sep)
    return (sep or " ").join(word for word in val.split(sep) if word not in remove)


def _register_utils():
    from bb.utils import explode_deps
    filter_proc(name="bb.utils.explode_deps")(explode_deps)


_register_utils()
del _register_utils
