"""A task's process: what surrounds `bb.build.exec_task` in the process that a runner forked for it."""

import functools
import gc
import json
import logging
import os
import signal
import sys
import types

import bb
import bb.build
import bb.data
import bb.event
import bb.msg
import bb.parse
import bb.siggen
import bb.utils
import _bitzel
from bitzel_host import events, fakeroot

# What most tasks use, though not here: imported once, not in the process of each.
import glob
import selectors
import shutil
import subprocess
import tempfile
import urllib.parse

import bb._exectask
import bb._runfunc
import bb._runscript
import bb._stamps
import bb._taskdata
import bb.cache
import bb.codeparser
import bb.fetch
import bb.fetch2
import bb.fetch2.download
import bb.fetch2.local
import bb.fetch2.wget
import bb.process
import bb.progress


# Who really runs this; under pseudo everybody seems to be root.
_USER = os.getuid(), os.getgid()


def quiet():
    """Have no messages below errors until `loud`; what that needs."""
    level = bb.mainlogger.level
    bb.mainlogger.setLevel(logging.ERROR)
    return level


def loud(level):
    """Have the messages again that `quiet` turned off."""
    bb.mainlogger.setLevel(level)


def _end_group(number, frame):
    """Told to end: so do all processes that the task started."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.killpg(0, signal.SIGTERM)
    sys.exit(128 + number)


def _set_signals():
    """For a task that shares the host's processes; a sandbox ends with all that runs in it."""
    signal.signal(signal.SIGTERM, _end_group)
    signal.signal(signal.SIGHUP, _end_group)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _set_outputs():
    """Nothing reaches the terminal: what tasks print belongs into their logs."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    if sys.stdout is not None:
        sys.stdout.reconfigure(line_buffering=False)


def _set_logging():
    """All messages become events, whatever the log file takes besides."""
    bb.msg.loggerDefaultLogLevel = logging.DEBUG - 2
    for handler in list(bb.mainlogger.handlers):
        bb.mainlogger.removeHandler(handler)
    bb.mainlogger.propagate = True
    bb.mainlogger.setLevel(logging.NOTSET)
    events.take_messages()


def _set_umask(order, d):
    umask = d.getVarFlag(order["task"], "umask") or d.getVar("BB_DEFAULT_UMASK")
    if umask:
        os.umask(bb.utils.to_filemode(umask))


def _set_variables(order, d):
    """What a task knows of the build and of itself."""
    for name, value in order["variables"].items():
        d.setVar(name, value)
    if order["quiet_errors"]:
        d.setVarFlag(order["task"], "quieterrors", "1")
    d.setVar("BB_TASKHASH", order["task_hash"])
    d.setVar("BB_UNIHASH", order["unihash"])
    known = json.loads(order["task_dep_data"] or "{}")
    for fields in known.values():
        for name in ("deps", "taskhash_deps"):
            fields[name] = set(fields[name])
    d.setVar("BB_TASKDEPDATA", {tid: bb.TaskData(**fields) for tid, fields in known.items()})
    return known


def _set_environment(task, d):
    """The environment: exported variables, and no more."""
    bb.utils.empty_environment()
    for name, value in bb.data.exported_vars(d):
        os.environ[name] = value
    for name, value in fakeroot.environment(task, d).items():
        os.environ[name] = value
        d.setVar(name, value)
        d.setVarFlag(name, "export", "1")
    for name in (d.getVarFlag(task, "exports") or "").split():
        d.setVarFlag(name, "export", "1")
        os.environ[name] = d.getVar(name) or ""


def environment_of(order, d):
    """The environment that the task of an order gets; for a process that runs none."""
    _set_variables(order, d)
    before = dict(os.environ)
    _set_environment(order["task"], d)
    found = dict(os.environ)
    os.environ.clear()
    os.environ.update(before)
    return found


def _set_network(task, d):
    """Only tasks with [network] reach the network.

    BitBake: a user that a directory service knows keeps it, since asking for it needs the network.
    """
    if bb.utils.to_boolean(d.getVarFlag(task, "network")):
        return
    if bb.utils.is_local_uid(_USER[0]) and not _bitzel.leave_network(*_USER):
        bb.debug(1, "There is no leave to take %s off the network" % task)


def _make_siggen(order, fn, d, known):
    """A signature generator that knows the hashes of the task and of those it depends on."""
    generator = bb.siggen.init(d)
    generator.setup_datacache_from_datastore(fn, d)
    task = bb._exectask.real_task(order["task"])
    tid = "%s:%s" % (fn, task)
    hashes = {other: (fields["pn"], fields["taskhash"], fields["unihash"]) for other, fields in known.items()}
    hashes[tid] = (d.getVar("PN"), order["task_hash"], order["unihash"])
    # OpenEmbedded's generators map files to names themselves while hashes are computed.
    names = getattr(generator, "lockedpnmap", {})
    for other, (pn, taskhash, unihash) in hashes.items():
        names[other.rpartition(":")[0]] = pn
        generator.tidtopn[other] = pn
        generator.taskhash[other] = taskhash
        if hasattr(generator, "set_unihash"):
            generator.set_unihash(other, unihash)
        else:
            generator.unihash[other] = unihash
    parts = json.loads(order["signature"]["runtime"] or "{}")
    generator.native_parts = {tid: parts}
    if parts.get("taint"):
        generator.taints[tid] = parts["taint"]
    return generator


def share_globals():
    """Have all functions of the metadata share their globals: what one declares `global`, others see.

    BitBake: there is one namespace. Here configurations and recipes have their own, made from one another.
    """
    context = bb.utils.get_context()
    for name, value in list(context.items()):
        # Those of modules have a name among their globals.
        if isinstance(value, types.FunctionType) and value.__globals__ is not context \
                and "__name__" not in value.__globals__:
            own = types.FunctionType(value.__code__, context, name, value.__defaults__, value.__closure__)
            own.__kwdefaults__ = value.__kwdefaults__
            own.__dict__.update(value.__dict__)
            context[name] = own


@functools.lru_cache(maxsize=4)
def _real_folders(paths):
    folders = {os.path.realpath(path) for path in paths if path}
    return sorted(folder for folder in folders if os.path.exists(folder))


def roots():
    """The folders that modules come from."""
    return _real_folders((*sys.path, sys.prefix, sys.base_prefix))


def error(message):
    """An error said on behalf of a task from outside of it: the event's class and its fields."""
    return events.described(logging.LogRecord("BitBake", logging.ERROR, "", 0, message, None, None))


def note(text, d, lines):
    """Add lines to the log of the task that an order names, once that is over."""
    log = os.path.join(d.getVar("T") or "", "log.%s" % json.loads(text)["task"])
    if os.path.exists(log):
        with open(log, "a", encoding="utf-8") as file:
            file.writelines("NOTE: sandbox: %s\n" % line for line in lines)


def _set_process(pid, d):
    """Have files named by the process named by `pid`: in a sandbox all tasks have the same few numbers."""
    d.setVar("BB_TASK_PID", str(pid))
    fifo = d.getVar("LOGFIFO", False)
    if fifo:
        # Shell functions send their messages there.
        d.setVar("LOGFIFO", fifo.replace("${@os.getpid()}", str(pid)))


def main(text, d, descriptor, pid, told, isolated):
    """Run the task that an order (JSON) names; its exit status. Events go to the descriptor.

    Files named by the process get `pid`; an `isolated` task has no network to be taken off. What it
    was `told` of its isolation is passed on.
    """
    order = json.loads(text)
    task = order["task"]
    address = order["address"]
    fn = bb.cache.realfn2virtual(address["recipe"]["path"], address["variant"], address["mc"])
    if fakeroot.wanted(task, d):
        status = fakeroot.enter(task, d)
        if status is not None:
            return status
    events.to_socket(descriptor)
    bb.event.worker_pid = pid
    bb.event.worker_fire = events.fire
    # What there is so far is shared with the runner: only what comes now is worth looking at.
    gc.freeze()
    gc.enable()
    try:
        if not isolated:
            _set_signals()
        _set_outputs()
        _set_logging()
        for message in told:
            bb.note(message)
        _set_umask(order, d)
        known = _set_variables(order, d)
        _set_process(pid, d)
        if not isolated:
            _set_network(task, d)
        _set_environment(task, d)
        os.chdir(d.getVar("TOPDIR"))
        bb.parse.siggen = _make_siggen(order, fn, d, known)
        bb.fetch2.fetcher_init(d, False)
        return bb.build.exec_task(fn, task, d, False)
    except Exception:
        import traceback
        bb.error("%s of %s cannot be run:\n%s" % (task, fn, traceback.format_exc()))
        return 1
