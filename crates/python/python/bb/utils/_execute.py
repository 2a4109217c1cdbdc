"""Compiling and running metadata Python, with errors shown in terms of recipe lines."""

import os
import time

import bb
from bb import _native
from bb.utils._log import logger

# Lines shown before and after the one an error is in.
_AROUND = 4
_DEEPEST_TRACE = 10


def get_context():
    """The global namespace of metadata Python."""
    return _native.get_context()


def set_context(ctx):
    """Make `ctx` the global namespace of metadata Python."""
    _native.set_context(ctx)


def clean_context():
    """Start again with a global namespace that holds no functions of metadata."""
    set_context({"os": os, "bb": bb, "time": time})


def _excerpt(lines, number):
    """Lines around line `number` (from 1), numbered, that line marked."""
    first = max(1, number - _AROUND)
    last = min(len(lines), number + _AROUND)
    return [(" *** %.4d:%s" if here == number else "     %.4d:%s") % (here, lines[here - 1].rstrip())
            for here in range(first, last + 1)]


def better_compile(text, file, realfile, mode="exec", lineno=0):
    """Compile code that starts after line `lineno` of `realfile`.

    Errors are logged with the offending line and its neighbours, then raised as
    `BBHandledException`. `file` is the name shown in Python's own message.
    """
    try:
        return compile("\n" * max(lineno, 0) + text, realfile, mode) if lineno else compile(text, realfile, mode)
    except Exception as err:
        number = getattr(err, "lineno", None)
        message = ["Error in compiling python function in %s, line %s:\n" % (realfile, number)]
        if number:
            message.append("The code lines resulting in this error were:")
            message.extend(_excerpt(text.split("\n"), number - lineno))
        else:
            message.append("The function causing this error was:")
            message.extend(text.split("\n"))
        detail = str(err).replace(realfile, file) if realfile else str(err)
        message.append("%s: %s" % (err.__class__.__name__, detail))
        logger.error("\n".join(message))
        handled = bb.BBHandledException(err)
        raise handled from err


def _frames(error):
    """(file, line, function) of every call between the code run here and the error."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno, trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    # The first frame is better_exec itself.
    return frames[1:]


def _print_exception(error, realfile, text):
    """Log an error of metadata Python with an excerpt of the code of every call."""
    import linecache
    message = ["Error executing a python function in %s:\n" % realfile,
               "The stack trace of python calls that resulted in this exception/failure was:"]
    own = text.split("\n") if isinstance(text, str) else []
    frames = _frames(error)
    for level, (file, number, function) in enumerate(frames[:_DEEPEST_TRACE]):
        message.append("File: '%s', lineno: %s, function: %s" % (file, number, function))
        lines = linecache.getlines(file)
        if (level == 0 or not lines) and file == frames[0][0] and number <= len(own):
            lines = own
        message.extend(_excerpt(lines, number) if lines else ["     (no source for line %d)" % number])
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__name__)
    message.append("Exception: %s: %s\n" % (name, error))
    logger.error("\n".join(message))


def _passes_through(error):
    """Whether an error needs no report: it was reported, or is no mistake of the code."""
    import sys
    kinds = [bb.BBHandledException]
    for module, name in (("bb.parse", "SkipRecipe"), ("bb.data_smart", "ExpansionError"),
                         ("bb.process", "ExecutionError")):
        if module in sys.modules:
            kinds.append(getattr(sys.modules[module], name))
    return isinstance(error, tuple(kinds))


def better_exec(code, context, text=None, realfile="<code>", pythonexception=False):
    """Run code in a namespace; errors are logged with excerpts and raised as `BBHandledException`.

    `text` is the code's text (also taken if `code` is text); with `pythonexception` errors
    are passed on as they are.
    """
    if text is None:
        text = code
    if not hasattr(code, "co_filename"):
        code = better_compile(code, realfile, realfile)
    try:
        exec(code, get_context(), context)
    except Exception as err:
        if pythonexception or _passes_through(err):
            raise
        _print_exception(err, realfile, text)
        raise bb.BBHandledException(err) from err


def simple_exec(code, context):
    """Run code in a namespace, errors as they are."""
    exec(code, get_context(), context)


def better_eval(source, locals, extraglobals=None):
    """The value of an expression in the metadata namespace."""
    namespace = get_context()
    if extraglobals:
        namespace = {**namespace, **extraglobals}
    return eval(source, namespace, locals)


def exec_flat_python_func(func, *args, **kwargs):
    """Call a metadata function by (dotted) name and give what it returns."""
    return better_eval("%s(*args, **kwargs)" % func, {"args": args, "kwargs": kwargs})
