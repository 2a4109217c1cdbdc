"""Stamp files of tasks; their names come from the signature generator."""

import glob
import os

import bb
import bb.parse
from bb.utils import mkdirhier


def _cleaned(task, mcfn):
    """Files to remove with the task's stamp: its stamps of other hashes, and those of its setscene task."""
    found = []
    for name in (task, task + "_setscene"):
        mask = bb.parse.siggen.stampcleanmask_mcfn(name, mcfn)
        if not mask:
            continue
        for name in glob.glob(mask):
            # Signature data and taints are no stamps.
            if "sigdata" in name or "sigbasedata" in name or name.endswith(".taint"):
                continue
            found.append(name)
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
