"""Names of tasks, and the events of running them.

A task's name is `FILE:do_TASK`, with `mc:NAME:` in front for other configurations; the
run queue itself is native.
"""

from bb import event


def split_mc(n):
    """A configuration's name and what follows it."""
    if n.startswith("mc:") and n.count(":") >= 2:
        _, mc, rest = n.split(":", 2)
        return mc, rest
    return "", n


def split_tid(tid):
    """A task's (configuration, file, task)."""
    return split_tid_mcfn(tid)[:3]


def split_tid_mcfn(tid):
    """A task's (configuration, file, task, file with configuration)."""
    mcfn, _, task = tid.rpartition(":")
    mc, fn = split_mc(mcfn)
    return mc, fn, task, mcfn


def fn_from_tid(tid):
    """The file (with configuration) of a task."""
    return tid.rpartition(":")[0]


def taskname_from_tid(tid):
    """The task's name within its recipe."""
    return tid.rpartition(":")[2]


def mc_from_tid(tid):
    """The configuration of a task."""
    return split_mc(tid)[0]


def build_tid(mc, fn, taskname):
    """The name of a task from its parts."""
    return "mc:%s:%s:%s" % (mc, fn, taskname) if mc else "%s:%s" % (fn, taskname)


class TaskFailure(Exception):
    """A task of the run queue failed."""

    def __init__(self, x):
        self.args = x


class RunQueueStats(object):
    """How many tasks there are, and what became of them."""

    def __init__(self, total, setscene_total):
        self.completed = 0
        self.skipped = 0
        self.failed = 0
        self.active = 0
        self.setscene_active = 0
        self.setscene_covered = 0
        self.setscene_notcovered = 0
        self.setscene_total = setscene_total
        self.total = total

    def copy(self):
        other = self.__class__(self.total, self.setscene_total)
        other.__dict__.update(self.__dict__)
        return other

    def taskFailed(self):
        self.active -= 1
        self.failed += 1

    def taskCompleted(self):
        self.active -= 1
        self.completed += 1

    def taskSkipped(self):
        self.active += 1
        self.skipped += 1

    def taskActive(self):
        self.active += 1

    def updateCovered(self, covered, notcovered):
        self.setscene_covered = covered
        self.setscene_notcovered = notcovered

    def updateActiveSetscene(self, active):
        self.setscene_active = active


class runQueueExitWait(event.Event):
    """The run queue waits for its last tasks."""

    def __init__(self, remain):
        self.remain = remain
        self.message = "Waiting for %s active tasks to finish" % remain
        event.Event.__init__(self)


class runQueueEvent(event.Event):
    """Base of what happens to a task."""

    def __init__(self, task, stats, rq):
        self.taskid = task
        self.taskstring = task
        self.taskname = taskname_from_tid(task)
        self.taskfile = fn_from_tid(task)
        self.taskhash = rq.rqdata.get_task_hash(task)
        self.stats = stats.copy()
        event.Event.__init__(self)


class sceneQueueEvent(runQueueEvent):
    """Base of what happens to a setscene task."""

    def __init__(self, task, stats, rq, noexec=False):
        runQueueEvent.__init__(self, task, stats, rq)
        self.taskstring = task + "_setscene"
        self.taskname = taskname_from_tid(task) + "_setscene"
        self.taskfile = fn_from_tid(task)
        self.taskhash = rq.rqdata.get_task_hash(task)


class runQueueTaskStarted(runQueueEvent):
    """A task started."""

    def __init__(self, task, stats, rq, noexec=False):
        runQueueEvent.__init__(self, task, stats, rq)
        self.noexec = noexec


class sceneQueueTaskStarted(sceneQueueEvent):
    """A setscene task started."""

    def __init__(self, task, stats, rq, noexec=False):
        sceneQueueEvent.__init__(self, task, stats, rq)
        self.noexec = noexec


class runQueueTaskFailed(runQueueEvent):
    """A task failed."""

    def __init__(self, task, stats, exitcode, rq, fakeroot_log=None):
        runQueueEvent.__init__(self, task, stats, rq)
        self.exitcode = exitcode
        self.fakeroot_log = fakeroot_log

    def __str__(self):
        text = "Task (%s) failed with exit code '%s'" % (self.taskstring, self.exitcode)
        if self.fakeroot_log:
            text += " \nPseudo log:\n%s" % self.fakeroot_log
        return text


class sceneQueueTaskFailed(sceneQueueEvent):
    """A setscene task failed; the real task runs instead."""

    def __init__(self, task, stats, exitcode, rq):
        sceneQueueEvent.__init__(self, task, stats, rq)
        self.exitcode = exitcode

    def __str__(self):
        return "Setscene task (%s) failed with exit code '%s' - real task will be run instead" % (
            self.taskstring, self.exitcode)


class sceneQueueComplete(sceneQueueEvent):
    """All setscene tasks are done with."""

    def __init__(self, stats, rq):
        self.stats = stats.copy()
        event.Event.__init__(self)


class runQueueTaskCompleted(runQueueEvent):
    """A task succeeded."""


class sceneQueueTaskCompleted(sceneQueueEvent):
    """A setscene task succeeded."""


class runQueueTaskSkipped(runQueueEvent):
    """A task did not need to run."""

    def __init__(self, task, stats, rq, reason):
        runQueueEvent.__init__(self, task, stats, rq)
        self.reason = reason


class taskUniHashUpdate(event.Event):
    """The hash equivalence server gave a task another unihash."""

    def __init__(self, task, unihash):
        self.taskid = task
        self.unihash = unihash
        event.Event.__init__(self)


class PSIEvent(event.Event):
    """Pressure on the machine changed whether tasks may start."""

    def __init__(self, pressure_state, pressure_values):
        self.pressure_state = pressure_state
        self.pressure_values = pressure_values
        event.Event.__init__(self)
