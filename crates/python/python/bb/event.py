"""Firing events: to handlers that metadata registers, and to the user interface.

Handlers are called for events whose class their mask names exactly. A datastore knows
which handlers were registered for it (and for copies of it); only those see its events.
"""

import logging
import sys
import threading
from collections import OrderedDict

import bb
import bb.utils
from bb import _events, _events_more

for _module in (_events, _events_more):
    for _name, _class in list(vars(_module).items()):
        if isinstance(_class, type) and _class.__module__ in (_module.__name__, __name__):
            _class.__module__ = __name__
            globals()[_name] = _class
del _module, _name, _class

logger = logging.getLogger("BitBake.Event")

Registered = 10
AlreadyRegistered = 14

# The process a task runs in; 0 elsewhere. Every event carries it.
worker_pid = 0

# Set in task processes: takes (event, datastore) in place of the user interface.
worker_fire = None

# Set by the host: takes every event meant for the user interface.
ui_sink = None

# Events waiting for the first user interface.
ui_queue = []

_handlers = OrderedDict()
_event_handler_map = {}
_catchall_handlers = {}
_eventfilter = None

_ui_handlers = {}
_ui_logfilters = {}
_ui_handler_seq = 0
_uiready = False

_thread_lock = threading.RLock()
_heartbeat_enabled = False
_should_exit = threading.Event()

_VARIABLE = "__BBHANDLERS_MC"


def noop(_):
    """A handler that does nothing."""
    return True


def enable_threadlock():
    """Nothing to do: events are always fired one at a time."""


def disable_threadlock():
    """Nothing to do: events are always fired one at a time."""


def enable_heartbeat():
    """Have heartbeat events fired."""
    global _heartbeat_enabled
    _heartbeat_enabled = True


def disable_heartbeat():
    """Have no heartbeat events fired."""
    global _heartbeat_enabled
    _heartbeat_enabled = False


def check_for_interrupts():
    """Raise `BBHandledException` if the user asked to stop."""
    if _should_exit.is_set():
        logger.debug("Interrupted by user")
        raise bb.BBHandledException()


def getName(e):
    """The name of an event's class, or of a class."""
    return e.__name__ if isinstance(e, type) else e.__class__.__name__


def get_class_handlers():
    """The registered handlers by name."""
    return _handlers


def set_class_handlers(h):
    """Replace the registered handlers."""
    global _handlers
    _handlers = h


def clean_class_handlers():
    """An empty set of handlers, for `set_class_handlers`."""
    return OrderedDict()


set_handlers = set_class_handlers
get_handlers = get_class_handlers


def set_eventfilter(func):
    """Set a function of (name, handler, event, datastore) that says whether a handler is called, or None."""
    global _eventfilter
    _eventfilter = func


def _full_name(name, data):
    """A handler's name with that of its configuration in front, and the names known to the datastore."""
    if data is None:
        return name, None
    return (data.getVar("BB_CURRENT_MC") or "") + name, set(data.getVar(_VARIABLE, False) or ())


def register(name, handler, mask=None, filename=None, lineno=None, data=None):
    """Register a handler: a function of (event, datastore), or its body as text from line `lineno` of a file.

    `mask` lists the names of event classes (`bb.event.ConfigParsed`); nothing or `*` means all.
    """
    name, known = _full_name(name, data)
    if name in _handlers:
        return AlreadyRegistered
    if handler is None:
        return None

    result = Registered
    if isinstance(handler, str):
        function = _function_from_text(name, handler, filename, lineno)
        if function is None:
            _handlers[name] = noop
            return None
        handler = function
    _handlers[name] = handler
    if not mask or "*" in mask:
        _catchall_handlers[name] = True
    else:
        for event in mask:
            _event_handler_map.setdefault(event, {})[name] = True
    if known is not None:
        known.add(name)
        data.setVar(_VARIABLE, known)
    return result


# Compiled handlers: every recipe registers those of its classes anew.
_handler_code = {}


def _function_from_text(name, body, filename, lineno):
    """The function with a body given as text, or None after an error message."""
    key = (name, body, filename, lineno)
    code = _handler_code.get(key)
    if code is None:
        source = "def %s(e, d):\n%s" % (name, body)
        try:
            # The body's first line is the one after the handler's name.
            code = compile("\n" * (int(lineno) - 1 if lineno is not None else 0) + source,
                           filename or "%s(e, d)" % name, "exec")
        except SyntaxError as err:
            import traceback
            logger.error("Unable to register event handler '%s':\n%s", name,
                         "".join(traceback.format_exception_only(type(err), err)))
            return None
        _handler_code[key] = code
    namespace = {}
    bb.utils.simple_exec(code, namespace)
    return namespace[name]


def remove(name, handler, data=None):
    """Remove a handler; KeyError if there is none of that name."""
    name, known = _full_name(name, data)
    _handlers.pop(name)
    _catchall_handlers.pop(name, None)
    for names in _event_handler_map.values():
        names.pop(name, None)
    if known is not None and name in known:
        known.discard(name)
        data.setVar(_VARIABLE, known)


def execute_handler(name, handler, event, d):
    """Call one handler; errors are logged and passed on."""
    event.data = d
    try:
        handler(event, d)
    except (bb.parse.SkipRecipe, bb.BBHandledException):
        raise
    except SystemExit:
        logger.error("Execution of event handler '%s' failed", name)
        raise
    except Exception:
        logger.error("Execution of event handler '%s' failed", name, exc_info=sys.exc_info())
        raise
    finally:
        del event.data


def has_class_handlers(name):
    """Whether some registered handler wants the events of a class."""
    return bool(_catchall_handlers or _event_handler_map.get(name))


def fire_class_handlers(event, d):
    """Give an event to the registered handlers whose mask has it."""
    if isinstance(event, logging.LogRecord):
        return
    wanted = _event_handler_map.get("%s.%s" % (event.__class__.__module__, event.__class__.__name__), ())
    if not wanted and not _catchall_handlers:
        return
    known = None if d is None else (d.getVar(_VARIABLE, False) or ())
    for name, handler in list(_handlers.items()):
        if name not in wanted and name not in _catchall_handlers:
            continue
        if known is not None and name not in known:
            continue
        if _eventfilter and not _eventfilter(name, handler, event, d):
            continue
        execute_handler(name, handler, event, d)


def print_ui_queue():
    """Print the log messages that no user interface ever fetched."""
    if _uiready:
        return
    from bb.msg import BBLogFormatter
    records = [event for event in ui_queue if isinstance(event, logging.LogRecord)]
    if not records:
        return
    top = logging.getLogger("BitBake")
    formatter = BBLogFormatter("%(levelname)s: %(message)s")
    outputs = []
    for stream, wanted in ((sys.stdout, lambda record: record.levelno < logging.WARNING),
                           (sys.stderr, lambda record: record.levelno >= logging.WARNING)):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        handler.addFilter(wanted)
        outputs.append(handler)
    if not bb.msg.has_console_handler(top):
        for handler in outputs:
            top.addHandler(handler)
    try:
        # Records must not come back here by way of a LogHandler.
        kept = [handler for handler in top.handlers if isinstance(handler, LogHandler)]
        for handler in kept:
            top.removeHandler(handler)
        for record in records:
            if record.levelno >= logging.INFO:
                top.handle(record)
    finally:
        for handler in outputs:
            top.removeHandler(handler)
        for handler in kept:
            top.addHandler(handler)


def fire_ui_handlers(event, d):
    """Give an event to the user interface, or keep it until there is one."""
    with _thread_lock:
        if ui_sink is not None:
            ui_sink(event)
            return
        if not _uiready:
            # Of no use to whoever comes later, and very many.
            if not isinstance(event, RecipeEvent):
                ui_queue.append(event)
            return
        lost = []
        for number, handler in list(_ui_handlers.items()):
            if not _ui_logfilters[number].filter(event):
                continue
            try:
                if hasattr(handler.event, "sendpickle"):
                    import pickle
                    handler.event.sendpickle(pickle.dumps(event))
                else:
                    handler.event.send(event)
            except Exception:
                lost.append(number)
        for number in lost:
            del _ui_handlers[number]


def fire(event, d):
    """Give an event to the registered handlers and to the user interface (or the task's owner)."""
    fire_class_handlers(event, d)
    if worker_fire:
        worker_fire(event, d)
    else:
        fire_ui_handlers(event, d)


def fire_from_worker(event, d):
    """Give an event that came from a task to the user interface."""
    fire_ui_handlers(event, d)


class UIEventFilter(object):
    """Says which events a user interface wants: classes by name, log records by level."""

    def __init__(self, level, debug_domains):
        self.update(None, level, debug_domains)

    def update(self, eventmask, level, debug_domains):
        self.eventmask = eventmask
        self.stdlevel = level
        self.debug_domains = debug_domains

    def filter(self, event):
        if isinstance(event, logging.LogRecord):
            return event.levelno >= min(self.stdlevel, self.debug_domains.get(event.name, self.stdlevel))
        if not self.eventmask or "*" in self.eventmask:
            return True
        return "%s.%s" % (event.__class__.__module__, event.__class__.__name__) in self.eventmask


def register_UIHhandler(handler, mainui=False):
    """Connect a user interface, an object whose `event` has `send` or `sendpickle`; its number."""
    global _ui_handler_seq, _uiready
    from bb import msg
    _ui_handler_seq += 1
    _ui_handlers[_ui_handler_seq] = handler
    level, domains = msg.constructLogOptions()
    _ui_logfilters[_ui_handler_seq] = UIEventFilter(level, domains)
    if mainui:
        _uiready = _ui_handler_seq
    return _ui_handler_seq


def unregister_UIHhandler(handlerNum, mainui=False):
    """Disconnect a user interface."""
    global _uiready
    if mainui:
        _uiready = False
    _ui_handlers.pop(handlerNum, None)


def get_uihandler():
    """The number of the main user interface, or None."""
    return _uiready or None


def set_UIHmask(handlerNum, level, debug_domains, mask):
    """Set what a user interface wants; whether there is such a one."""
    if handlerNum not in _ui_handlers:
        return False
    _ui_logfilters[handlerNum].update(mask, level, debug_domains)
    return True


class LogHandler(logging.Handler):
    """Fires log records as events."""

    def emit(self, record):
        if record.exc_info:
            import traceback
            record.bb_exc_formatted = traceback.format_exception(*record.exc_info)
            # Neither tracebacks nor exceptions of metadata can be pickled.
            record.exc_info = None
            record.exc_text = None
        record.taskpid = worker_pid
        fire(record, None)

    def filter(self, record):
        return True


import bb.msg
import bb.parse
