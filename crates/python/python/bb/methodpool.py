"""The `def` functions of metadata."""

from bb import _native


def insert_method(modulename, code, fn, lineno):
    """Define the functions in `code`, which starts after line `lineno` of file `fn`."""
    _native.insert_method(modulename, code, fn, lineno)
