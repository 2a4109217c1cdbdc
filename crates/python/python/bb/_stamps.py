"""Stamp files of tasks; their names come from the signature generator."""

import fnmatch
import glob
import os

import bb
import bb.parse
from bb.utils import mkdirhier


_WILD = "*?["


def _matches(mask):
    """The files that a mask means: what `glob.glob` gives, with one look at the names for its fixed start."""
    folder, pattern = os.path.split(mask)
    fixed = min((pattern.find(sign) for sign in _WILD if sign in pattern), default=len(pattern))
    if any(sign in folder for sign in _WILD) or not fixed:
        return glob.glob(mask)
    if fixed == len(pattern):
        return [mask] if os.path.lexists(mask) else []
    try:
        names = [name for name in os.listdir(folder or os.curdir) if name.startswith(pattern[:fixed])]
    except OSError:
        return []
    # Few or none are left: most folders have the stamps of all of a recipe's tasks.
    return [os.path.join(folder, name) for name in names if fnmatch.fnmatch(name, pattern)]


def _cleaned(task, mcfn):
    """Files to remove with the task's stamp: its stamps of other hashes, and those of its setscene task."""
    found = []
    for name in (task, task + "_setscene"):
        mask = bb.parse.siggen.stampcleanmask_mcfn(name, mcfn)
        # Signature data and taints are no stamps.
        found.extend(path for path in (_matches(mask) if mask else ())
                     if "sigdata" not in path and "sigbasedata" not in path and not path.endswith(".taint"))
    return found


def clean(task, mcfn):
    """Remove the stamps of a task."""
    for name in _cleaned(task, mcfn):
        try:
            os.unlink(name)
        except FileNotFoundError:
            pass


def make(task, mcfn):
    """Write the stamp of a task, with the signature data beside it."""
    clean(task, mcfn)
    # The stamp last: a task that has one has everything.
    if not task.endswith("_setscene"):
        base = bb.parse.siggen.stampfile_base(mcfn)
        bb.parse.siggen.dump_sigtask(mcfn, task, base, True)
    stamp = bb.parse.siggen.stampfile_mcfn(task, mcfn)
    if stamp:
        mkdirhier(os.path.dirname(stamp))
        with open(stamp, "w"):
            pass


def taint(task, mcfn):
    """Taint a task."""
    bb.parse.siggen.invalidate_task(task, mcfn)


def stale(task, mcfn):
    """The stamps of a task other than its present one."""
    current = bb.parse.siggen.stampfile_mcfn(task, mcfn)
    return [name for name in _cleaned(task, mcfn) if name != current]
