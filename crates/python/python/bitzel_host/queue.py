"""What the run queue asks of the configuration: its event handlers, and its functions that say
which tasks can be restored and which of those are needed."""

import importlib
import json

import bb
import bb.event
import bb.parse
import bb.utils

_data = {}


def begin_build(arguments):
    """Get ready for the other questions. Arguments: variables of the build (JSON), the lowest level of
    messages to pass on, then the multiconfigs."""
    import _bitzel
    from bitzel_host import events

    variables, level, *configurations = arguments
    for handler in list(bb.mainlogger.handlers):
        bb.mainlogger.removeHandler(handler)
    bb.event.ui_sink = events.to_listener
    bb.mainlogger.addHandler(bb.event.LogHandler())
    bb.mainlogger.setLevel(int(level))
    for mc in configurations:
        d = _bitzel.config_data(mc)
        for name, value in json.loads(variables).items():
            d.setVar(name, value)
        _data[mc] = d
    bb.parse.init_parser(_data[""])
    return ""


def fire(arguments):
    """Fire an event. Arguments: multiconfig, class, arguments of the class (JSON list)."""
    mc, name, values = arguments
    module, _, name = name.rpartition(".")
    event = getattr(importlib.import_module(module), name)(*json.loads(values))
    bb.event.fire_class_handlers(event, _data[mc])
    return ""


def number_threads(tasks):
    """Task names to those of them with [number_threads], and its values."""
    flags = {task: _data[""].getVarFlag(task, "number_threads") for task in tasks}
    return json.dumps({task: int(value) for task, value in flags.items() if value})


def hashcheck(arguments):
    """Which tasks can be restored, as BB_HASHCHECK_FUNCTION says. Arguments: tasks to their hashes and
    BB_HASHFILENAME (JSON), how many tasks need no restoring, whether to sum up in a message."""
    tasks, current, summary = json.loads(arguments[0]), int(arguments[1]), arguments[2] == "True"
    d = _data[""]
    function = d.getVar("BB_HASHCHECK_FUNCTION")
    if not function:
        return "[]"
    known = {key: {tid: facts[key] for tid, facts in tasks.items()} for key in ("hash", "unihash", "hashfn")}
    names = {"sq_data": known, "d": d, "siginfo": False, "currentcount": current, "summary": summary}
    call = function + "(sq_data, d, siginfo=siginfo, currentcount=currentcount, summary=summary)"
    return json.dumps(sorted(bb.utils.better_eval(call, names)))


def depvalid(arguments):
    """Whether a task is not needed although it can be restored, as BB_SETSCENE_DEPVALID says. Arguments: the task;
    it and those that depend on it, to PN, task name and file (JSON); those found not to be needed (JSON list)."""
    task, tasks, not_needed = arguments[0], json.loads(arguments[1]), json.loads(arguments[2])
    d = _data[""]
    function = d.getVar("BB_SETSCENE_DEPVALID")
    if not function:
        return "False"
    names = {"task": task, "taskdata": tasks, "notneeded": set(not_needed), "d": d}
    return str(bool(bb.utils.better_eval(function + "(task, taskdata, notneeded, d)", names)))
