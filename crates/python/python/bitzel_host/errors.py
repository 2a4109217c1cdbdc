"""Errors in metadata, shown with the file, the line and the code that raised."""

import linecache
import os
import traceback

_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def describe(error):
    """The message of an exception, followed by the metadata lines it passed through."""
    lines = [str(error) or type(error).__name__]
    cause = getattr(error, "exception", None)
    for exc in (error, cause):
        for frame in traceback.extract_tb(getattr(exc, "__traceback__", None)):
            if frame.filename.startswith(_OWN) or frame.filename.startswith("<"):
                continue
            text = frame.line or linecache.getline(frame.filename, frame.lineno).strip()
            lines.append("  %s:%s in %s: %s" % (frame.filename, frame.lineno, frame.name, text))
    return "\n".join(lines)
