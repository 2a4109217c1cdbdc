"""Running a task: its log, its functions, its events and its stamp (see `bb.build.exec_task`)."""

import datetime
import logging
import os
import resource
import signal
import sys

import bb
import bb.build
import bb.data
import bb.event
import bb.msg
import bb.utils
from bb._taskdata import process_id

logger = logging.getLogger("BitBake.Build")

_DEFAULT_LOGFMT = "log.{task}.{pid}"
_SETSCENE = "_setscene"


def real_task(task):
    """The task whose work a setscene task restores; any other task itself."""
    return task[:-len(_SETSCENE)] if task.endswith(_SETSCENE) else task


class _ErrorCheck(logging.Handler):
    """Notes whether an error was shown; those that ask for the whole log (`forcelog`) do not count."""

    def __init__(self):
        self.triggered = False
        super().__init__(logging.ERROR)

    def emit(self, record):
        self.triggered = not getattr(record, "forcelog", False)


class _Log(object):
    """The log file of a task: standard output and messages go to it inside a `with` block."""

    def __init__(self, task, d):
        self.folder = d.getVar("T")
        self.task = task
        self.pid = process_id(d)
        name = (d.getVar("BB_LOGFMT") or _DEFAULT_LOGFMT).format(task=task, pid=self.pid)
        self.name = name
        self.path = os.path.join(self.folder, name)
        self.link = os.path.join(self.folder, "log.%s" % task)
        bb.utils.mkdirhier(os.path.dirname(self.path))

    def note_order(self):
        """Add the task to the list of those that ran, in their order."""
        when = datetime.datetime.now().strftime("%Y%m%d-%H%M%S.%f")
        with open(os.path.join(self.folder, "log.task_order"), "a") as file:
            file.write("%s %s (%s): %s\n" % (when, self.task, self.pid, self.name))

    def set_link(self):
        try:
            os.unlink(self.link)
        except FileNotFoundError:
            pass
        try:
            os.symlink(self.name, self.link)
        except OSError:
            # A file system without links still has the log.
            pass

    def __enter__(self):
        self.saved = [os.dup(descriptor) for descriptor in (1, 2)]
        # What is printed and what is logged come in turns.
        self.file = open(self.path, "w", encoding="utf-8", errors="surrogateescape")
        for descriptor in (1, 2):
            os.dup2(self.file.fileno(), descriptor)
        # Both write at the end of what the other wrote.
        self.handler = logging.StreamHandler(self.file)
        self.handler.setLevel(logging.DEBUG - 2)
        self.handler.setFormatter(bb.msg.BBLogFormatter("%(levelname)s: %(message)s"))
        logging.getLogger("BitBake").addHandler(self.handler)
        return self

    def __exit__(self, *excinfo):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        logging.getLogger("BitBake").removeHandler(self.handler)
        for saved, descriptor in zip(self.saved, (1, 2)):
            os.dup2(saved, descriptor)
            os.close(saved)
        self.file.close()

    def drop_if_empty(self):
        if os.path.exists(self.path) and os.path.getsize(self.path) == 0:
            bb.utils.remove(self.path)
            bb.utils.remove(self.link)


def _set_priority(d):
    """BB_TASK_NICE_LEVEL and BB_TASK_IONICE_LEVEL (`CLASS.LEVEL`)."""
    nice = d.getVar("BB_TASK_NICE_LEVEL")
    if nice:
        now = os.nice(0)
        os.nice(int(nice) - now)
        logger.debug("Renice to %s " % os.nice(0))
    ionice = d.getVar("BB_TASK_IONICE_LEVEL")
    if ionice:
        try:
            kind, level = ionice.split(".", 1)
            bb.utils.ioprio_set(os.getpid(), int(kind), int(level))
        except ValueError:
            bb.warn("Invalid ionice level %s" % ionice)


def _data_of_task(fn, task, d):
    """The datastore as the task sees it: overrides named after it come first."""
    own = bb.data.createCopy(d)
    override = "task-" + task[len("do_"):].replace("_", "-")
    own.setVar("OVERRIDES", "%s:%s" % (override, d.getVar("OVERRIDES", False)))
    own.setVar("BB_FILENAME", fn)
    own.setVar("BB_CURRENTTASK", task[len("do_"):])
    own.setVar("BB_RUNTASK", task)
    return own


def exec_task(fn, task, d, quiet):
    """Run a task with all that belongs to it; 0 if it went well. `quiet` for one whose failure is no error."""
    if not d.getVarFlag(task, "task", False):
        bb.event.fire(bb.build.TaskInvalid(task, fn, d), d)
        logger.error("No such task: %s" % task)
        return 1
    logger.debug("Executing task %s", task)
    own = _data_of_task(fn, task, d)
    if not own.getVar("T"):
        bb.fatal("T variable not set, unable to build")
    _set_priority(own)
    log = _Log(task, own)
    log.note_order()
    log.set_link()
    own.setVar("BB_LOGFILE", log.path)
    errors = _ErrorCheck()
    top = logging.getLogger("BitBake")
    top.addHandler(errors)
    own.setVar("BB_TASK_LOGGER", top)
    try:
        failed = _run_functions(fn, task, own, log)
    except bb.BBHandledException:
        _fire_failed(fn, task, own, log, errors.triggered, quiet)
        return 1
    except (Exception, SystemExit) as error:
        shown = errors.triggered
        if quiet:
            logger.verbose("%s" % error)
        else:
            logger.error("%s" % error)
        _fire_failed(fn, task, own, log, shown, quiet)
        return _status_of(error)
    finally:
        top.removeHandler(errors)
        log.drop_if_empty()
    bb.event.fire(bb.build.TaskSucceeded(task, fn, log.path, own), own)
    if not own.getVarFlag(task, "nostamp", False) and not own.getVarFlag(task, "selfstamp", False):
        bb.build.make_stamp(task, own)
    return 0


def _status_of(error):
    """The exit status of a task that failed: 1, unless a command of its met the limit of a file's size.

    The sandbox knows that limit and names it.
    """
    too_big = 128 + signal.SIGXFSZ
    limited = resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
    return too_big if limited and getattr(error, "exitcode", None) == too_big else 1


def _run_functions(fn, task, d, log):
    """The task's functions in their order, all in its log."""
    flags = d.getVarFlags(task)
    with log:
        bb.event.fire(bb.build.TaskStarted(task, fn, log.path, flags, d), d)
        for func in (d.getVarFlag(task, "prefuncs") or "").split():
            bb.build.exec_func(func, d)
        bb.build.exec_func(task, d)
        for func in (d.getVarFlag(task, "postfuncs") or "").split():
            bb.build.exec_func(func, d)


def _fire_failed(fn, task, d, log, shown, quiet):
    if quiet:
        bb.event.fire(bb.build.TaskFailedSilent(task, fn, log.path, d), d)
    else:
        bb.event.fire(bb.build.TaskFailed(task, fn, log.path, d, shown), d)
