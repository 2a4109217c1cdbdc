"""Parsing recipes, classes and configuration files."""

import logging

from bb import _native

logger = logging.getLogger("BitBake.Parsing")

# The signature generator in force, set by the host (see `bb.siggen.init`).
siggen = None


class ParseError(Exception):
    """A file could not be parsed; knows file and line."""

    def __init__(self, msg, filename, lineno=0):
        self.msg = msg
        self.filename = filename
        self.lineno = lineno
        Exception.__init__(self, msg, filename, lineno)

    def __str__(self):
        place = "%s:%d" % (self.filename, self.lineno) if self.lineno else "%s" % self.filename
        return "ParseError at %s: %s" % (place, self.msg) if self.lineno else "ParseError in %s: %s" % (place, self.msg)


class SkipRecipe(Exception):
    """Raised by metadata that does not want its recipe built; the text says why."""


class SkipPackage(SkipRecipe):
    """The former name of `SkipRecipe`."""


def _extended(attribute, names):
    def mark(function):
        setattr(function, attribute, getattr(function, attribute, set()) | set(names))
        return function
    return mark


def vardeps(*varnames):
    """Decorator: the function depends on these variables, though its text does not show it."""
    return _extended("bb_vardeps", varnames)


def vardepsexclude(*varnames):
    """Decorator: the function does not depend on these variables, though its text looks like it."""
    return _extended("bb_vardepsexclude", varnames)


_PARSED = (".bb", ".bbappend", ".bbclass", ".inc", ".conf")
_NAMED = (".bb", ".bbappend")


def supports(fn, data):
    """Whether a file's name is one of those that can be parsed (1 or 0)."""
    return 1 if fn.endswith(_PARSED) else 0


def handle(fn, data, include=0, baseconfig=False):
    """Parse a file into `data`; recipes give their variants by name ('' for the recipe itself)."""
    if not supports(fn, data):
        raise ParseError("not a BitBake file", fn)
    return _native.parse_file(fn, data, include, baseconfig)


def init(fn, data):
    """Prepare a datastore for parsing a file."""
    if not data.getVar("TOPDIR"):
        import os
        data.setVar("TOPDIR", os.getcwd())
    if not data.getVar("BBPATH"):
        import os
        data.setVar("BBPATH", os.path.join(os.path.sep, "usr", "share", "bitbake"))


handlers = [{"supports": supports, "handle": handle, "init": init}]


def init_parser(d):
    """Set the signature generator that the datastore names (BB_SIGNATURE_HANDLER)."""
    global siggen
    import bb.siggen
    siggen = bb.siggen.init(d)


def resolve_file(fn, d):
    """The path of a file, searched along BBPATH unless absolute; FileNotFoundError if there is none.

    The places looked at become dependencies of what is being parsed.
    """
    import errno
    import os
    where = ""
    if os.path.isabs(fn):
        mark_dependency(d, fn)
        found = fn
    else:
        from bb.utils import which
        bbpath = d.getVar("BBPATH")
        where = " in %s" % bbpath
        found, tried = which(bbpath, fn, history=True)
        for place in tried:
            mark_dependency(d, place)
    if not found or not os.path.isfile(found):
        raise FileNotFoundError(errno.ENOENT, "file %s not found%s" % (fn, where))
    return found


def mark_dependency(d, f):
    """Note that the result of parsing depends on a file."""
    _native.mark_dependency(d, f)


def check_dependency(d, f):
    """Whether it is noted that the result of parsing depends on a file."""
    return _native.check_dependency(d, f)


def get_file_depends(d):
    """The existing files that the result of parsing depends on, separated by spaces."""
    import os
    noted = (d.getVar("__base_depends", False) or []) + (d.getVar("__depends", False) or [])
    return " ".join(os.path.abspath(path) for path, _ in noted)


_names = {}


def vars_from_file(mypkg, d):
    """[PN, PV, PR] as the name of a recipe file says: `name_version_revision.bb`, None for what is absent."""
    parts = _names.get(mypkg)
    if parts is None:
        parts = _names[mypkg] = _split_name(mypkg)
    return list(parts) if parts[0] is not None else parts


def _split_name(path):
    if not path or not path.endswith(_NAMED):
        return (None, None, None)
    base = path.rsplit("/", 1)[-1]
    stem = base.rsplit(".", 1)[0] or base
    parts = stem.split("_")
    if len(parts) > 3:
        raise ParseError("Unable to generate default variables from filename (too many underscores)", path)
    return tuple(parts + [None] * (3 - len(parts)))


def _file_mtime(path):
    import os
    return os.stat(path).st_mtime_ns


_mtimes = {}


def cached_mtime(f):
    """The modification time of a file, asked of the system once."""
    if f not in _mtimes:
        update_mtime(f)
    return _mtimes[f]


def cached_mtime_noerror(f):
    """Like `cached_mtime`, 0 for files that are not there."""
    try:
        return cached_mtime(f)
    except OSError:
        return 0


def check_mtime(f, mtime):
    """Whether a file has this modification time."""
    try:
        return _file_mtime(f) == mtime
    except OSError:
        return False


def update_mtime(f):
    """Ask for the modification time of a file anew; 0 if it is not there."""
    try:
        _mtimes[f] = _file_mtime(f)
    except OSError:
        _mtimes.pop(f, None)
        raise
    return _mtimes[f]


def update_cache(f):
    """Forget what is known of a file if it changed."""
    if f in _mtimes and not check_mtime(f, _mtimes[f]):
        clear_cache()


def clear_cache():
    """Forget all modification times."""
    _mtimes.clear()


from bb.parse.parse_py import BBHandler, ConfHandler
