"""Formatting, filtering and set-up of log output."""

import copy
import logging
import sys

loggerDefaultLogLevel = logging.INFO
loggerDefaultDomains = {}


class BBLogFormatter(logging.Formatter):
    """Formats records as BitBake's console and logs show them, in colour if enabled."""

    DEBUG3, DEBUG2, DEBUG = 8, 9, 10
    VERBOSE, NOTE, PLAIN, VERBNOTE = 19, 20, 21, 22
    WARNONCE, WARNING = 29, 30
    ERRORONCE, ERROR, CRITICAL = 39, 40, 50

    levelnames = {
        DEBUG3: "DEBUG", DEBUG2: "DEBUG", DEBUG: "DEBUG",
        VERBOSE: "NOTE", NOTE: "NOTE", VERBNOTE: "NOTE", PLAIN: "",
        WARNONCE: "WARNING", WARNING: "WARNING",
        ERRORONCE: "ERROR", ERROR: "ERROR", CRITICAL: "ERROR",
    }

    color_enabled = False
    BASECOLOR, BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE = range(29, 38)

    COLORS = {
        DEBUG3: CYAN, DEBUG2: CYAN, DEBUG: CYAN,
        VERBOSE: BASECOLOR, NOTE: BASECOLOR, VERBNOTE: BASECOLOR, PLAIN: BASECOLOR,
        WARNONCE: YELLOW, WARNING: YELLOW,
        ERRORONCE: RED, ERROR: RED, CRITICAL: RED,
    }

    BLD = "\033[1;%dm"
    STD = "\033[%dm"
    RST = "\033[0m"

    def getLevelName(self, levelno):
        """The word shown for a level; empty for plain messages."""
        return self.levelnames.get(levelno, "Level %d" % levelno)

    def format(self, record):
        record = copy.copy(record)
        record.levelname = self.getLevelName(record.levelno)
        if record.levelno == self.PLAIN:
            text = record.getMessage()
            return text
        if self.color_enabled:
            record = self.colorize(record)
        text = super().format(record)
        trace = getattr(record, "bb_exc_formatted", None)
        if trace:
            text += "\n" + "".join(trace)
        return text

    def colorize(self, record):
        """A copy of `record` with escape sequences around level and message."""
        color = self.COLORS[record.levelno]
        record = copy.copy(record)
        record.levelname = (self.BLD % color) + record.levelname + self.RST
        record.msg = (self.STD % color) + str(record.msg) + self.RST
        return record

    def enable_color(self):
        self.color_enabled = True

    def __repr__(self):
        return "%s fmt='%s' color=%s" % (self.__class__.__name__, self._fmt, self.color_enabled)


class BBLogFilter(object):
    """Passes records of a level, or of a lower level for some domains; sets the handler's level to match."""

    def __init__(self, handler, level, debug_domains):
        self.stdlevel = level
        self.debug_domains = debug_domains
        handler.setLevel(min([level, *debug_domains.values()]))
        handler.addFilter(self)

    def filter(self, record):
        return record.levelno >= min(self.stdlevel, self.debug_domains.get(record.name, self.stdlevel))


class LogFilterShowOnce(logging.Filter):
    """Drops repetitions of "once" messages and shows them as plain warnings and errors."""

    def __init__(self):
        self.seen = set()

    def filter(self, record):
        if record.levelno in (BBLogFormatter.WARNONCE, BBLogFormatter.ERRORONCE):
            key = (record.levelno, record.getMessage())
            if key in self.seen:
                return False
            self.seen.add(key)
        return True


class _LevelFilter(logging.Filter):
    """Base of the two filters that compare a record's level with a number or name."""

    _sign = ""

    def __init__(self, level):
        self.strlevel = str(level)
        self.level = stringToLevel(level)

    def __repr__(self):
        return "%s level %s %s (%d)" % (self.__class__.__name__, self._sign, self.strlevel, self.level)


class LogFilterGEQLevel(_LevelFilter):
    """Passes records of a level and above."""

    _sign = ">="

    def filter(self, record):
        return record.levelno >= self.level


class LogFilterLTLevel(_LevelFilter):
    """Passes records below a level."""

    _sign = "<"

    def filter(self, record):
        return record.levelno < self.level


def stringToLevel(level):
    """A level's number: numbers and digits as they are, names as `logging` or `BBLogFormatter` have them."""
    try:
        return int(level)
    except ValueError:
        number = getattr(logging, level, None)
        return number if isinstance(number, int) else getattr(BBLogFormatter, level)


def init_msgconfig(verbose, debug, debug_domains=None):
    """Set the default level from -v and -D counts, and the domains (-l) that are debugged."""
    global loggerDefaultLogLevel, loggerDefaultDomains
    if debug:
        loggerDefaultLogLevel = BBLogFormatter.DEBUG - debug + 1
    elif verbose:
        loggerDefaultLogLevel = BBLogFormatter.VERBOSE
    else:
        loggerDefaultLogLevel = BBLogFormatter.NOTE

    loggerDefaultDomains = {}
    for domain in debug_domains or []:
        name = "BitBake.%s" % domain
        loggerDefaultDomains[name] = loggerDefaultDomains.get(name, BBLogFormatter.DEBUG + 1) - 1


def constructLogOptions():
    """The level and the debugged domains in force."""
    return loggerDefaultLogLevel, loggerDefaultDomains


def addDefaultlogFilter(handler, cls=BBLogFilter, forcelevel=None):
    """Give `handler` a filter with the defaults, or with `forcelevel` as its level."""
    level, domains = constructLogOptions()
    cls(handler, level if forcelevel is None else forcelevel, domains)


def fatal(msgdomain, msg):
    """Log a critical message for a domain and leave the program."""
    name = "BitBake.%s" % msgdomain if msgdomain else "BitBake"
    logging.getLogger(name).critical(msg)
    sys.exit(1)


def logger_create(name, output=sys.stderr, level=logging.INFO, preserve_handlers=False, color="auto"):
    """Make a logger for a stand-alone program, printing to `output`.

    `color` is "auto" (if the output is a terminal), "always" or "never".
    """
    created = logging.getLogger(name)
    handler = logging.StreamHandler(output)
    handler.addFilter(LogFilterShowOnce())
    formatter = BBLogFormatter("%(levelname)s: %(message)s")
    if color == "always" or (color == "auto" and output.isatty()):
        formatter.enable_color()
    handler.setFormatter(formatter)
    if preserve_handlers:
        created.addHandler(handler)
    else:
        created.handlers = [handler]
    created.setLevel(level)
    return created


def has_console_handler(logger):
    """Whether `logger` prints to the standard output or error."""
    return any(isinstance(handler, logging.StreamHandler) and handler.stream in (sys.stdout, sys.stderr)
               for handler in logger.handlers)


def mergeLoggingConfig(logconfig, userconfig):
    """A user's logging configuration (a `logging.config` dictionary) merged into a default one."""
    from bb import _logconfig
    return _logconfig.merge(logconfig, userconfig)


def setLoggingConfig(defaultconfig, userconfigfile=None):
    """Put a logging configuration into force, with the user's file (JSON or YAML) merged in if given."""
    from bb import _logconfig
    return _logconfig.apply(defaultconfig, userconfigfile)
