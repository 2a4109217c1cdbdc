"""`bb.multiprocessing`: the multiprocessing module, always in its fork flavour.

Metadata hands closures and open datastores to worker processes, which only works
when they are forked.
"""

import multiprocessing as _multiprocessing


class MultiprocessingContext(object):
    """Reads from and writes to the fork context of `multiprocessing`."""

    def __init__(self):
        super().__setattr__("_ctx", _multiprocessing.get_context("fork"))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return getattr(self._ctx, name)
        except AttributeError:
            return getattr(_multiprocessing, name)

    def __setattr__(self, name, value):
        setattr(self._ctx, name, value)


multiprocessing = MultiprocessingContext()
