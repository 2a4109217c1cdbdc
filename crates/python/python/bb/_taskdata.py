"""What a task knows of the tasks it depends on: the entries of `BB_TASKDEPDATA`."""

import os

from collections import namedtuple

TaskData = namedtuple("TaskData", "pn taskname fn deps provides taskhash unihash hashfn taskhash_deps", module="bb")


def process_id(d):
    """The number in names of files that belong to the process of a task.

    Inside of a sandbox processes are counted from 1; then it is that of the process outside.
    """
    return d.getVar("BB_TASK_PID") or str(os.getpid())
