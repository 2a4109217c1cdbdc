"""Recipes, classes and the files they include."""

from bb import _native

_ENDINGS = (".bb", ".bbclass", ".inc")


def supports(fn, d):
    """Whether a file is a recipe, a class or a file to include."""
    return fn.endswith(_ENDINGS)


def handle(fn, d, include, baseconfig=False):
    """Parse such a file."""
    return _native.parse_file(fn, d, include, baseconfig)


def inherit(files, fn, lineno, d, deferred=False):
    """Do what an `inherit` of these classes on a line of file `fn` does."""
    return _native.inherit(files, fn, lineno, d, deferred)


def inherit_defer(expression, fn, lineno, d):
    """Do what an `inherit_defer` on a line of file `fn` does."""
    return _native.inherit_defer(expression, fn, lineno, d)
