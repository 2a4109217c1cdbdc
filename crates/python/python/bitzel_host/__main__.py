"""Start of a host process: `python3 -m bitzel_host DESCRIPTOR...`."""

import logging
import sys


def main():
    import _bitzel
    import bb

    # A thousand recipes make millions of objects that are never garbage; collecting
    # while they are made only costs time.
    import gc
    gc.disable()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    bb.mainlogger.addHandler(handler)
    bb.mainlogger.setLevel(logging.WARNING)
    bb.mainlogger.propagate = False
    _bitzel.serve([int(number) for number in sys.argv[1:]])


main()
