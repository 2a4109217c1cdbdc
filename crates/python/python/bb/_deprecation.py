"""Marking functions and imports as deprecated."""

import functools
import sys
import warnings


def deprecated(func, name=None, advice=""):
    """Wrap `func` so that each call issues a DeprecationWarning naming `advice`."""
    text = "Call to deprecated function %s%s." % (name or func.__name__, ": %s" % advice if advice else "")

    @functools.wraps(func)
    def warning_function(*args, **kwargs):
        warnings.warn(text, category=DeprecationWarning, stacklevel=2)
        return func(*args, **kwargs)

    return warning_function


def deprecate_import(current, modulename, fromlist, renames=None):
    """Give module `current` deprecated aliases of the names `fromlist` of `modulename`.

    `renames` lists the names to use in `current` where they differ.
    """
    source = __import__(modulename, fromlist=fromlist)
    target = sys.modules[current]
    for origin, alias in zip(fromlist, renames or fromlist):
        wrapped = deprecated(getattr(source, origin), "%s.%s" % (current, alias),
                             "Please use %s.%s instead" % (modulename, origin))
        setattr(target, alias, wrapped)
