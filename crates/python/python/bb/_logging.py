"""Loggers with BitBake's levels, and the message functions metadata calls.

Debug messages are dropped early, by a comparison with `bb.msg.loggerDefaultLogLevel`,
because metadata emits very many of them.
"""

import logging
import sys

DEBUG3, DEBUG2, VERBOSE, PLAIN, VERBNOTE, WARNONCE, ERRORONCE = 8, 9, 19, 21, 22, 29, 39

_PREFIX = "BitBake"


def _threshold():
    """The lowest level that any output wants; 20 until `bb.msg` is told otherwise."""
    msg = sys.modules.get("bb.msg")
    return msg.loggerDefaultLogLevel if msg else logging.INFO


class NullHandler(logging.Handler):
    """A handler that swallows everything."""

    def emit(self, record):
        pass


class BBLoggerMixin(object):
    """The logging methods for levels that `logging` does not know."""

    def __init__(self, *args, **kwargs):
        # Loggers and adapters have unlike constructors; they call setup_bblogger() themselves.
        pass

    def setup_bblogger(self, name):
        """Let the top of BitBake's logger tree pass every level on to its handlers."""
        if name.split(".")[0] == _PREFIX:
            self.debug = self._debug_helper

    def _debug_helper(self, *args, **kwargs):
        return self.bbdebug(1, *args, **kwargs)

    def debug2(self, *args, **kwargs):
        return self.bbdebug(2, *args, **kwargs)

    def debug3(self, *args, **kwargs):
        return self.bbdebug(3, *args, **kwargs)

    def bbdebug(self, level, msg, *args, **kwargs):
        """Log `msg` at debug level 1 (the most important), 2 or 3."""
        number = logging.DEBUG - level + 1
        if number >= _threshold():
            return self.log(number, msg, *args, **_skip_frames(kwargs))

    def plain(self, msg, *args, **kwargs):
        return self.log(PLAIN, msg, *args, **_skip_frames(kwargs))

    def verbose(self, msg, *args, **kwargs):
        return self.log(VERBOSE, msg, *args, **_skip_frames(kwargs))

    def verbnote(self, msg, *args, **kwargs):
        return self.log(VERBNOTE, msg, *args, **_skip_frames(kwargs))

    def warnonce(self, msg, *args, **kwargs):
        return self.log(WARNONCE, msg, *args, **_skip_frames(kwargs))

    def erroronce(self, msg, *args, **kwargs):
        return self.log(ERRORONCE, msg, *args, **_skip_frames(kwargs))


def _skip_frames(kwargs):
    """Make the record name the caller of the mixin's method, not the method."""
    kwargs.setdefault("stacklevel", 2)
    return kwargs


class BBLogger(logging.getLoggerClass(), BBLoggerMixin):
    """A logger that knows BitBake's levels."""

    def __init__(self, name, *args, **kwargs):
        self.setup_bblogger(name)
        super().__init__(name, *args, **kwargs)


class BBLoggerAdapter(logging.LoggerAdapter, BBLoggerMixin):
    """An adapter that knows BitBake's levels."""

    def __init__(self, logger, *args, **kwargs):
        self.setup_bblogger(logger.name)
        super().__init__(logger, *args, **kwargs)


class PrefixLoggerAdapter(BBLoggerAdapter):
    """Puts a fixed text in front of every message."""

    def __init__(self, prefix, logger):
        super().__init__(logger, {})
        self._text = prefix

    def process(self, msg, kwargs):
        return "%s%s" % (self._text, msg), kwargs


for _class in (NullHandler, BBLoggerMixin, BBLogger, BBLoggerAdapter, PrefixLoggerAdapter):
    _class.__module__ = "bb"
del _class

logging.setLoggerClass(BBLogger)

logger = logging.getLogger(_PREFIX)
logger.addHandler(NullHandler())
logger.setLevel(DEBUG3)

mainlogger = logging.getLogger("BitBake.Main")


def plain(*args):
    """Print a message as it is, without a level in front."""
    mainlogger.plain("".join(args))


def debug(lvl, *args):
    """Print a debug message of level `lvl`: 1 (important) to 3 (chatter)."""
    if isinstance(lvl, str):
        mainlogger.warning("Passed invalid debug level '%s' to bb.debug", lvl)
        args = (lvl,) + args
        lvl = 1
    mainlogger.bbdebug(lvl, "".join(args))


def note(*args):
    """Print a message that only logs show."""
    mainlogger.info("".join(args))


def verbnote(*args):
    """Print a note that the console shows too, though it is no warning."""
    mainlogger.verbnote("".join(args))


def warn(*args):
    """Print a warning."""
    mainlogger.warning("".join(args))


def warnonce(*args):
    """Print a warning, once for equal messages."""
    mainlogger.warnonce("".join(args))


def error(*args, **kwargs):
    """Print an error; keyword arguments become attributes of the log record."""
    mainlogger.error("".join(args), extra=kwargs)


def erroronce(*args):
    """Print an error, once for equal messages."""
    mainlogger.erroronce("".join(args))


def fatal(*args, **kwargs):
    """Print an error and end what is being done by raising `BBHandledException`."""
    from bb import BBHandledException
    mainlogger.critical("".join(args), extra=kwargs)
    raise BBHandledException()
