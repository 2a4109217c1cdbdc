"""Start of a host process: `python3 -m bitzel_host DESCRIPTOR...`."""

import gc

# A thousand recipes make millions of objects that are never garbage, as modules do; collecting
# while they are made only costs time.
gc.disable()

import logging
import os
import sys


# The exit code that tells the one who started this of a Python that is too old.
TOO_OLD = 78


class _Line(logging.Formatter):
    """One message with the name BitBake prints for its level: there is none above ERROR."""

    def format(self, record):
        name = "ERROR" if record.levelno >= 39 else record.levelname
        text = "%s: %s" % (name, record.getMessage())
        return text + "\n" + self.formatException(record.exc_info) if record.exc_info else text


def main():
    if sys.version_info < (3, 9):
        sys.stderr.write("ERROR: %s is Python %d.%d\n" % ((sys.executable,) + sys.version_info[:2]))
        sys.exit(TOO_OLD)
    import _bitzel

    # Set for the start of this process only; metadata shall not see them.
    for name in ("PYTHONHASHSEED", "PYTHONPATH", "BITZEL_COMPAT"):
        os.environ.pop(name, None)
    import bb

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    bb.mainlogger.addHandler(handler)
    bb.mainlogger.setLevel(logging.WARNING)
    bb.mainlogger.propagate = False
    _bitzel.serve([int(number) for number in sys.argv[1:]])


main()
