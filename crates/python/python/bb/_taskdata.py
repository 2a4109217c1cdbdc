"""What a task knows of the tasks it depends on: the entries of `BB_TASKDEPDATA`."""

from collections import namedtuple

TaskData = namedtuple("TaskData", "pn taskname fn deps provides taskhash unihash hashfn taskhash_deps", module="bb")
