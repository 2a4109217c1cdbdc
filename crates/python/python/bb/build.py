"""Tasks: adding and removing them, asking about them, running functions."""

import logging
import os
import sys

import bb
import bb.event
from bb import _native, _tasks

for _name, _class in list(vars(_tasks).items()):
    if isinstance(_class, type) and _class.__module__ in (_tasks.__name__, __name__):
        _class.__module__ = __name__
        globals()[_name] = _class
del _name, _class

bblogger = logging.getLogger("BitBake")
logger = logging.getLogger("BitBake.Build")

# Whether shell functions trace (`set -x`) and output goes to the console too.
verboseShellLogging = False
verboseStdoutLogging = False

# Flags of tasks that the task graph needs, by how their values are taken.
_GRAPH_FLAGS = ("depends", "rdepends", "deptask", "rdeptask", "recrdeptask", "recideptask", "nostamp", "fakeroot",
                "noexec", "umask")


class StdoutNoopContextManager(object):
    """Standard output to be used, but not closed, by a `with` block."""

    def __enter__(self):
        return sys.stdout

    def __exit__(self, *exc_info):
        pass

    def write(self, string):
        return sys.stdout.write(string)

    def flush(self):
        sys.stdout.flush()

    @property
    def name(self):
        return getattr(sys.stdout, "name", "<stdout>")


class LogTee(object):
    """Writes to a file and to a logger."""

    def __init__(self, logger, outfile):
        self.outfile = outfile
        self.logger = logger
        self.name = self.outfile.name

    def write(self, string):
        self.logger.plain(string)
        self.outfile.write(string)

    def __enter__(self):
        self.outfile.__enter__()
        return self

    def __exit__(self, *excinfo):
        self.outfile.__exit__(*excinfo)

    def __repr__(self):
        return "<LogTee {0}>".format(self.name)

    def flush(self):
        self.outfile.flush()


def ensure_task_prefix(name):
    """A task's name with `do_` in front."""
    return name if name.startswith("do_") else "do_" + name


def addtask(task, before, after, d):
    """Add a task; `before` and `after` are names separated by spaces, or None."""
    _native.add_task(task, before, after, d)


def deltask(task, d):
    """Remove a task and all dependencies on it."""
    _native.del_task(task, d)


def listtasks(d):
    """The names of the recipe's tasks."""
    return tuple(d.getVar("__BBTASKS", False) or ())


def preceedtask(task, with_recrdeptasks, d):
    """The names of the tasks directly before one, with `with_recrdeptasks` those of its [recrdeptask] too."""
    names = set()
    if task in listtasks(d):
        names.update(d.getVarFlag(task, "deps") or ())
        if with_recrdeptasks:
            names.update((d.getVarFlag(task, "recrdeptask") or "").split())
    return names


def tasksbetween(task_start, task_end, d):
    """The tasks on any way from one task to another, both included, in the order a walk
    from the first along all ways meets them. Ways are tried in the order of `d.keys()`."""
    tasks = set(listtasks(d))
    deps = {task: d.getVarFlag(task, "deps", False) or () for task in d.keys() if task in tasks}
    arrives = {}

    def leads_there(task):
        if task not in arrives:
            arrives[task] = task == task_end
            if not arrives[task]:
                arrives[task] = any([leads_there(other) for other in deps if task in deps[other]])
        return arrives[task]

    between = []

    def walk(task):
        between.append(task)
        if task != task_end:
            for other in deps:
                if task in deps[other] and other not in between and leads_there(other):
                    walk(other)

    if leads_there(task_start):
        walk(task_start)
    return between


def add_tasks(tasklist, d):
    """Collect what the task graph needs of the recipe's tasks in `_task_deps`."""
    task_deps = d.getVar("_task_deps", False) or {}
    task_deps.setdefault("tasks", [])
    for kind in ("parents", "mcdepends") + _GRAPH_FLAGS:
        task_deps.setdefault(kind, {})
    for name in tasklist:
        task = d.expand(name)
        d.setVarFlag(task, "task", 1)
        if task not in task_deps["tasks"]:
            task_deps["tasks"].append(task)
        flags = d.getVarFlags(task) or {}
        for flag in _GRAPH_FLAGS + ("mcdepends",):
            if flag not in flags:
                continue
            value = d.expand(flags[flag])
            if flag in ("noexec", "fakeroot", "nostamp") and value != "1":
                bb.warn("In a future version of BitBake, setting the '%s' flag to something other than '1' "
                        "will result in the flag not being set. See YP bug #13808." % flag)
            task_deps[flag][task] = value
        task_deps["parents"][task] = [d.expand(before) for before in flags.get("deps") or ()]
    d.setVar("_task_deps", task_deps)


def shell_trap_code():
    """The start of generated shell scripts: a report of where a command failed."""
    from bb import _runscript
    return _runscript.SHELL_TRAP


def exec_func(func, d, dirs=None):
    """Run a shell or Python function of the metadata, with its [dirs], [cleandirs] and [lockfiles]."""
    from bb import _runfunc
    _runfunc.exec_func(func, d, dirs)


def exec_func_python(func, d, runfile, cwd=None):
    """Run a Python function in directory `cwd`, its text written to `runfile`."""
    from bb import _runfunc
    _runfunc.exec_func_python(func, d, runfile, cwd)


def exec_func_shell(func, d, runfile, cwd=None):
    """Run a shell function in directory `cwd` by way of the script `runfile`."""
    from bb import _runfunc
    _runfunc.exec_func_shell(func, d, runfile, cwd)


def exec_task(fn, task, d, profile=False):
    """Run a task of the recipe `fn` with its log, events and stamp; 0 if it went well.

    With `profile`, what its Python took is written beside the log, `profile-log.TASK`.
    """
    from bb import _exectask
    quiet = d.getVarFlag(task, "quieterrors", False) is not None
    try:
        if not profile:
            return _exectask.exec_task(fn, task, d, quiet)
        import cProfile
        profiler = cProfile.Profile()
        try:
            return profiler.runcall(_exectask.exec_task, fn, task, d, quiet)
        finally:
            profiler.dump_stats(os.path.join(d.getVar("T"), "profile-log.%s" % task))
    except Exception:
        import traceback
        if not quiet:
            logger.error("Build of %s failed", task)
            logger.error(traceback.format_exc())
            bb.event.fire(TaskFailed(task, fn, None, d, True), d)
        return 1


def make_stamp(task, d):
    """Write the stamp of a task, in place of its older ones."""
    from bb import _stamps
    _stamps.make(task, d.getVar("BB_FILENAME"))


def make_stamp_mcfn(task, mcfn):
    """Write the stamp of a task of a recipe file."""
    from bb import _stamps
    _stamps.make(task, mcfn)


def clean_stamp(task, d):
    """Remove the stamps of a task."""
    from bb import _stamps
    _stamps.clean(task, d.getVar("BB_FILENAME"))


def clean_stamp_mcfn(task, mcfn):
    """Remove the stamps of a task of a recipe file."""
    from bb import _stamps
    _stamps.clean(task, mcfn)


def write_taint(task, d):
    """Taint a task, so that it and what depends on it run again."""
    from bb import _stamps
    _stamps.taint(task, d.getVar("BB_FILENAME"))


def find_stale_stamps(task, mcfn):
    """The stamps of a task that belong to other hashes."""
    from bb import _stamps
    return _stamps.stale(task, mcfn)
