"""The progress bar of BitBake's console."""

import sys


class BBProgress(object):
    """A bar `Name:  42% |####      |` on one line of a terminal; nothing elsewhere."""

    WIDTH = 40

    def __init__(self, msg, maxval, widgets=None, extrapos=-1, resize_handler=None):
        self.msg = msg
        self.maxval = maxval
        self.currval = 0
        self.out = sys.stderr
        self.finished = False

    def start(self, update=True):
        if update:
            self.update(0)
        return self

    def update(self, value=None):
        if value is not None:
            self.currval = value
        if not self.out.isatty():
            return
        share = min(1.0, self.currval / self.maxval) if self.maxval else 1.0
        filled = int(self.WIDTH * share)
        self.out.write("\r%s: %3d%% |%s%s|" % (self.msg, share * 100, "#" * filled, " " * (self.WIDTH - filled)))
        self.out.flush()

    def finish(self):
        if self.finished:
            return
        self.finished = True
        self.update(self.maxval)
        if self.out.isatty():
            self.out.write("\n")
