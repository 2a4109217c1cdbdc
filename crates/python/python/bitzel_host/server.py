"""What a build asks of the host's first process: event handlers and functions of the configuration.

Every function takes texts and answers with one; `bitzel_host.commands` names them all.
Events and messages of the work go to whoever asked.
"""

import json
import logging

import bb
import bb.build
import bb.event
import bb.fetch2
import bb.msg
import bb.parse
import bb.runqueue
import bb.siggen
import bb.utils
import _bitzel
from bitzel_host import events
# Task processes are copies of this one: what they need is imported once.
from bitzel_host import task as _task

# The datastores that handlers and functions see, by configuration.
_data = {}


def _d(mc):
    if mc not in _data:
        _data[mc] = _bitzel.config_data(mc)
    return _data[mc]


def begin_build(arguments):
    """A build begins. Arguments: variables of the build (JSON), the level of messages that
    are wanted, and the configurations."""
    variables, level, *configurations = arguments
    events.level = int(level)
    bb.event.ui_sink = events.to_listener
    for handler in list(bb.mainlogger.handlers):
        bb.mainlogger.removeHandler(handler)
    bb.mainlogger.propagate = True
    bb.mainlogger.setLevel(logging.NOTSET)
    bb.msg.loggerDefaultLogLevel = min(events.level, logging.INFO)
    events.take_messages()
    _data.clear()
    for mc in configurations:
        d = _d(mc)
        for name, value in json.loads(variables).items():
            d.setVar(name, value)
    d = _d(configurations[0] if configurations else "")
    bb.fetch2.fetcher_init(d)
    bb.parse.siggen = bb.siggen.init(d)
    for mc in configurations:
        _bitzel.prepare_signing(mc)
    import gc
    gc.collect()
    # Collecting would write to memory that task processes share with this one.
    gc.freeze()
    return ""


def number_threads(arguments):
    """The caps of tasks: [number_threads] of those named, as JSON."""
    d = _d("")
    caps = {}
    for task in arguments:
        number = d.getVarFlag(task, "number_threads")
        if number:
            caps[task] = int(number)
    return json.dumps(caps)


def _class(name):
    module, _, name = name.rpartition(".")
    import importlib
    return getattr(importlib.import_module(module), name)


class _Queue(object):
    """As much of a run queue as its events ask of it: the hash of their task."""

    def __init__(self, taskhash):
        self.rqdata = self
        self.taskhash = taskhash

    def get_task_hash(self, tid):
        return self.taskhash


def _argument(value):
    """An argument of an event's class; `{"stats": {..}}` and `{"queue": HASH}` stand for objects."""
    if isinstance(value, dict) and set(value) == {"stats"}:
        stats = bb.runqueue.RunQueueStats(0, 0)
        stats.__dict__.update(value["stats"])
        return stats
    if isinstance(value, dict) and set(value) == {"queue"}:
        return _Queue(value["queue"])
    return value


def handled(arguments):
    """Those of some classes of events that handlers of the configuration want, separated by blanks."""
    return " ".join(name for name in arguments if bb.event.has_class_handlers(name))


def fire(arguments):
    """Give an event to its handlers. Arguments: configuration, the event's class, its arguments
    as a JSON list. Answers with what the event says after all handlers had it (JSON)."""
    mc, name, values = arguments
    event = _class(name)(*[_argument(value) for value in json.loads(values)])
    bb.event.fire_class_handlers(event, _d(mc))
    return events.described(event)[1]


def hashcheck(arguments):
    """Which tasks can be restored (JSON list), by BB_HASHCHECK_FUNCTION. Arguments: tasks
    with hash, unihash and hashfn (JSON), how many are current, and `True` for a summary."""
    tasks, current, summary = arguments
    d = _d("")
    tasks = json.loads(tasks)
    function = d.getVar("BB_HASHCHECK_FUNCTION")
    if not function:
        return "[]"
    sq_data = {kind: {tid: facts[kind] for tid, facts in tasks.items()} for kind in ("hash", "hashfn", "unihash")}
    locals = {"sq_data": sq_data, "d": d, "siginfo": False, "currentcount": int(current),
              "summary": summary == "True"}
    # BitBake: metadata of all ages takes these arguments.
    call = "%s(sq_data, d, siginfo=siginfo, currentcount=currentcount, summary=summary)" % function
    return json.dumps(sorted(bb.utils.better_eval(call, locals)))


def depvalid(arguments):
    """Whether a restored task can do without a dependency, by BB_SETSCENE_DEPVALID: `True`
    or `False`. Arguments: the dependency, it and its dependents with (PN, task, file) each
    (JSON), and those found not to be needed (JSON)."""
    tid, dependents, not_needed = arguments
    d = _d("")
    function = d.getVar("BB_SETSCENE_DEPVALID")
    if not function:
        return "False"
    locals = {"task": tid, "taskdata": json.loads(dependents), "notneeded": set(json.loads(not_needed)), "d": d}
    return str(bool(bb.utils.better_eval("%s(task, taskdata, notneeded, d)" % function, locals)))
