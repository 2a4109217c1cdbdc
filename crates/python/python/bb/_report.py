"""Reporting the output of a task to the hash equivalence server."""

import logging
import os
import re

import bb
import bb.event
import bb.runqueue
from bb._taskdata import process_id

_logger = logging.getLogger("BitBake.SigGen.HashEquiv")
_HASH = re.compile(r"[0-9a-f]{64}")


def _output_hash(siggen, path, sigfile, task, d):
    """The hash of a directory, by the function that the generator's method names (SSTATE_HASHEQUIV_METHOD)."""
    from bb.utils import better_eval
    names = {"path": path, "sigfile": sigfile, "task": task, "d": d}
    return better_eval("%s(path, sigfile, task, d)" % siggen.method, names)


def _details(task, d):
    """What the server keeps beside the hashes, for people."""
    extra = {}
    if d.getVar("SSTATE_HASHEQUIV_OWNER"):
        extra["owner"] = d.getVar("SSTATE_HASHEQUIV_OWNER")
    if d.getVar("SSTATE_HASHEQUIV_REPORT_TASKDATA") == "1":
        extra.update(PN=d.getVar("PN"), PV=d.getVar("PV"), PR=d.getVar("PR"), task=task)
    return extra


def report(siggen, path, task, d):
    """Hash what task `task` (without `do_`) put into `path`, and tell the server of `siggen`."""
    # Neither hash is ours: nothing in them may be expanded.
    taskhash = d.getVar("BB_TASKHASH", False)
    unihash = d.getVar("BB_UNIHASH", False)
    for value in (taskhash, unihash):
        if not isinstance(value, str) or not _HASH.fullmatch(value):
            return
    report_taskdata = d.getVar("SSTATE_HASHEQUIV_REPORT_TASKDATA") == "1"
    tempdir = d.getVar("T")
    mcfn = d.getVar("BB_FILENAME")
    tid = mcfn + ":do_" + task
    if siggen.setscenetasks and tid not in siggen.setscenetasks:
        return
    # A task that was rebuilt with another hash than its own has nothing to report.
    if siggen.taskhash.get(tid) != taskhash:
        _logger.warning("%s (%s) is not the task hash of %s" % (taskhash, siggen.taskhash.get(tid), tid))
        return

    sigfile = None
    name = "depsig.do_%s.%i" % (task, int(process_id(d)))
    try:
        sigfile = open(os.path.join(tempdir, name), "w+b")
        outhash = _output_hash(siggen, path, sigfile, task, d)
        extra = _details(task, d)
        if report_taskdata:
            sigfile.seek(0)
            extra["outhash_siginfo"] = sigfile.read().decode("utf-8")
        with siggen.client() as client:
            answer = client.report_unihash(taskhash, siggen._get_method(tid), outhash, unihash, extra)
        new = answer["unihash"]
        from bb._siggen_equiv import check_hashserv_unihash
        check_hashserv_unihash(new)
        if new != unihash:
            _logger.debug("Task %s unihash changed %s -> %s by server %s" % (taskhash, unihash, new, siggen.server))
            bb.event.fire(bb.runqueue.taskUniHashUpdate(tid, new), d)
            siggen.set_unihash(tid, new)
            d.setVar("BB_UNIHASH", new)
        else:
            _logger.debug("Reported task %s as unihash %s to %s" % (taskhash, unihash, siggen.server))
    finally:
        if sigfile:
            sigfile.close()
            link = os.path.join(tempdir, "depsig.do_%s" % task)
            bb.utils.remove(link)
            try:
                os.symlink(name, link)
            except OSError:
                pass
