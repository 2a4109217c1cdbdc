"""Events on their way out of a process: the class's name and the attributes as JSON."""

import json
import logging
import os
import socket

_PIECE = 16000
_socket = None

# Messages below this level are not sent.
level = 0


def _jsonable(value):
    """What stands for an object that JSON does not know."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)


def _record(record):
    fields = {name: value for name, value in vars(record).items()
              if name not in ("args", "msg", "exc_info", "exc_text", "stack_info", "relativeCreated", "msecs",
                              "thread", "threadName", "processName", "process", "taskName", "filename", "module")}
    try:
        fields["msg"] = record.getMessage()
    except (TypeError, ValueError):
        fields["msg"] = str(record.msg)
    return "logging.LogRecord", fields


def described(event):
    """Name of an event's class, and its attributes as JSON. Names lose a leading `_`."""
    if isinstance(event, logging.LogRecord):
        name, fields = _record(event)
    else:
        kind = type(event)
        name = "%s.%s" % (kind.__module__, kind.__name__)
        fields = {key.lstrip("_"): value for key, value in vars(event).items() if key != "data"}
    try:
        return name, json.dumps(fields, default=_jsonable)
    except (TypeError, ValueError):
        # Keys that are no texts.
        return name, json.dumps({key: str(value) for key, value in fields.items()})


def take_messages():
    """Have log records fired as events, once each."""
    import bb.event
    top = logging.getLogger("BitBake")
    if not any(isinstance(handler, bb.event.LogHandler) for handler in top.handlers):
        top.addHandler(bb.event.LogHandler())


def to_socket(descriptor):
    """Send events in pieces to a socket that keeps datagrams apart."""
    global _socket
    _socket = socket.socket(fileno=descriptor)


def fire(event, d):
    """Send an event to whoever ordered the task."""
    if isinstance(event, logging.LogRecord) and event.levelno < level:
        return
    _send(*described(event))


def send(name, fields):
    """Send something that is no event of BitBake."""
    _send(name, json.dumps(fields))


def _send(name, fields):
    data = ("%s\n%s" % (name, fields)).encode("utf-8", errors="surrogateescape")
    sender = os.getpid().to_bytes(4, "little")
    for start in range(0, len(data), _PIECE):
        last = b"\1" if start + _PIECE >= len(data) else b"\0"
        try:
            _socket.send(sender + last + data[start:start + _PIECE])
        except OSError:
            # Nobody listens any more; the task will be told to end.
            return


def to_listener(event):
    """Send an event to whoever asked what this process is answering."""
    import _bitzel
    import bb.event
    if isinstance(event, logging.LogRecord) and event.levelno < level:
        return
    # Very many, and of interest to metadata only.
    if isinstance(event, bb.event.RecipeEvent):
        return
    name, fields = described(event)
    _bitzel.send_event(name, fields)
