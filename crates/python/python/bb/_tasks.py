"""The events of tasks (found in, and pickled as members of, `bb.build`)."""

import time

from bb import event


class TaskBase(event.Event):
    """Base of what happens to a task of recipe file `fn`."""

    def __init__(self, t, fn, logfile, d):
        self._task = t
        self._fn = fn
        self._package = d.getVar("PF")
        self._mc = d.getVar("BB_CURRENT_MC")
        self.taskfile = d.getVar("FILE")
        self.taskname = self._task
        self.logfile = logfile
        self.time = time.time()
        self.pn = d.getVar("PN")
        self.pv = d.getVar("PV")
        event.Event.__init__(self)
        self._message = "recipe %s: task %s: %s" % (d.getVar("PF"), t, self.getDisplayName())

    def getTask(self):
        return self._task

    def setTask(self, task):
        self._task = task

    def getDisplayName(self):
        return self.__class__.__name__.replace("Task", "", 1)

    task = property(getTask, setTask, None, "the task's name")


class TaskStarted(TaskBase):
    """A task started."""

    def __init__(self, t, fn, logfile, taskflags, d):
        super().__init__(t, fn, logfile, d)
        self.taskflags = taskflags


class TaskSucceeded(TaskBase):
    """A task succeeded."""


class TaskFailed(TaskBase):
    """A task failed; `errprinted` if its errors were shown already."""

    def __init__(self, task, fn, logfile, metadata, errprinted=False):
        super().__init__(task, fn, logfile, metadata)
        self.errprinted = errprinted


class TaskFailedSilent(TaskBase):
    """A setscene task failed, which does not matter to the user."""

    def getDisplayName(self):
        return "Failed"


class TaskInvalid(TaskBase):
    """There is no such task."""

    def __init__(self, task, fn, metadata):
        super().__init__(task, fn, None, metadata)
        self._message = "No such task '%s'" % task


class TaskProgress(event.Event):
    """A task got on: `progress` in per cent (negative: unknown), `rate` as text."""

    def __init__(self, progress, rate=None):
        self.progress = progress
        self.rate = rate
        event.Event.__init__(self)
