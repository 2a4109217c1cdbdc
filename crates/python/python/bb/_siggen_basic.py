"""Signature generators that compute hashes: with stamps that do not (`basic`) or do (`basichash`) name them."""

import hashlib
import logging
import os
import re

import bb
import bb.data
import bb.parse
import bb.runqueue
from bb._siggen_base import SignatureGenerator

logger = logging.getLogger("BitBake.SigGen")

_LOCAL_DIRS_EXCLUDED = "CVS .bzr .git .hg .osc .p4 .repo .svn"


class SignatureGeneratorBasic(SignatureGenerator):
    """Computes base and task hashes; rebuilding is still decided by the presence of stamps."""

    name = "basic"

    def __init__(self, data):
        super().__init__(data)
        self.basehash_ignore_vars = set((data.getVar("BB_BASEHASH_IGNORE_VARS") or "").split())
        self.taskhash_ignore_tasks = None
        self.twl = None
        self.checksum_cache = None
        # In the process of a task: what other tasks make of its signature, by task.
        self.native_parts = None
        self.init_rundepcheck(data)
        self.localdirsexclude = (data.getVar("BB_SIGNATURE_LOCAL_DIRS_EXCLUDE") or _LOCAL_DIRS_EXCLUDED).split()

    def init_rundepcheck(self, data):
        """Read what `rundep_check` and `get_taskhash` need from the configuration."""
        self.taskhash_ignore_tasks = data.getVar("BB_TASKHASH_IGNORE_TASKS") or None
        self.twl = re.compile(self.taskhash_ignore_tasks) if self.taskhash_ignore_tasks else None

    def _build_data(self, mcfn, d):
        """Compute what a recipe's base hashes stand on: (tasks' dependencies, all dependencies, values)."""
        ignore_mismatch = (d.getVar("BB_HASH_IGNORE_MISMATCH") or "") == "1"
        tasklist, gendeps, values = bb.data.generate_dependencies(d, self.basehash_ignore_vars)
        taskdeps, basehash = bb.data.generate_dependency_hash(tasklist, gendeps, values, self.basehash_ignore_vars,
                                                              mcfn)
        for task in tasklist:
            tid = mcfn + ":" + task
            if not ignore_mismatch and tid in self.basehash and self.basehash[tid] != basehash[tid]:
                bb.error("When reparsing %s, the basehash value changed from %s to %s. The metadata is not "
                         "deterministic and this needs to be fixed." % (tid, self.basehash[tid], basehash[tid]))
                bb.error("The following commands may help:")
                command = "$ bitbake %s -c%s" % (d.getVar("PN"), task)
                bb.error("%s -Snone" % command)
                bb.error("Then:")
                bb.error("%s -Sprintdiff\n" % command)
            self.basehash[tid] = basehash[tid]
        return taskdeps, gendeps, values

    def set_setscene_tasks(self, setscene_tasks):
        self.setscenetasks = set(setscene_tasks)

    def finalise(self, fn, d, variant):
        mc = d.getVar("BB_CURRENT_MC") or ""
        name = fn
        if variant or mc:
            from bb.cache import realfn2virtual
            name = realfn2virtual(fn, variant, mc)
        try:
            taskdeps, gendeps, values = self._build_data(name, d)
        except bb.parse.SkipRecipe:
            raise
        except Exception:
            bb.warn("Error during finalise of %s" % name)
            raise
        basehashes = {task: self.basehash[name + ":" + task] for task in taskdeps}
        d.setVar("__siggen_basehashes", basehashes)
        d.setVar("__siggen_gendeps", gendeps)
        d.setVar("__siggen_varvals", values)
        d.setVar("__siggen_taskdeps", {task: frozenset(deps) for task, deps in taskdeps.items()})

    def setup_datacache_from_datastore(self, mcfn, d):
        super().setup_datacache_from_datastore(mcfn, d)
        cache = self._cache_of(mcfn)
        cache.siggen_varvals = {mcfn: d.getVar("__siggen_varvals", False)}
        cache.siggen_taskdeps = {mcfn: d.getVar("__siggen_taskdeps", False)}
        cache.siggen_gendeps = {mcfn: d.getVar("__siggen_gendeps", False)}

    def rundep_check(self, fn, recipename, task, dep, depname, dataCaches):
        """Whether the hash of task `dep` counts in that of a task; metadata overrides this."""
        # Tasks of the recipes named by BB_TASKHASH_IGNORE_TASKS count only within their recipe.
        if self.twl and not self.twl.match(recipename):
            if self.twl.match(depname):
                return False
        return True

    def read_taint(self, fn, task, stampbase):
        """The taint of a task, or None."""
        try:
            with open(stampbase + "." + task + ".taint", "r") as file:
                return file.read()
        except IOError:
            return None

    def prep_taskhash(self, tid, deps, dataCaches):
        """Find the dependencies and files that count, and the taint."""
        from bb import _sigfiles
        mc, _, task, mcfn = bb.runqueue.split_tid_mcfn(tid)
        cache = dataCaches[mc]
        self.basehash[tid] = cache.basetaskhash[tid]
        recipename = cache.pkg_fn[mcfn]
        self.tidtopn[tid] = recipename

        kept = []
        for dep in sorted(deps):
            depmc, _, deptask, depmcfn = bb.runqueue.split_tid_mcfn(dep)
            depname = dataCaches[depmc].pkg_fn[depmcfn]
            if not self.rundep_check(mcfn, recipename, task, dep, depname, dataCaches):
                continue
            if dep not in self.taskhash:
                bb.fatal("%s is not in taskhash, caller isn't calling in dependency order?" % dep)
            kept.append(("mc:%s:%s:%s" % (depmc, depname, deptask) if depmc else "%s:%s" % (depname, deptask), dep))
        self.runtaskdeps[tid] = sorted(kept)

        self.file_checksum_values[tid] = []
        files = cache.file_checksums[mcfn].get(task)
        if files:
            checksums = self._file_checksums(files, recipename)
            self.file_checksum_values[tid] = sorted(
                ((path, checksum) for path, checksum in checksums), key=_sigfiles.clean_checksum_file_path)

        task_deps = cache.task_deps[mcfn]
        if task in task_deps.get("nostamp", ()):
            if tid not in self.taints or not self.taints[tid].startswith("nostamp:"):
                import uuid
                self.taints[tid] = "nostamp:" + str(uuid.uuid4())
        else:
            taint = self.read_taint(mcfn, task, cache.stamp[mcfn])
            if taint:
                self.taints[tid] = taint
                logger.warning("%s is tainted from a forced run" % tid)
        return {dep for _, dep in self.runtaskdeps[tid]}

    def _file_checksums(self, files, recipename):
        from bb.checksum import FileChecksumCache
        if self.checksum_cache is None:
            self.checksum_cache = FileChecksumCache()
        return self.checksum_cache.get_checksums(files, recipename, self.localdirsexclude)

    def get_taskhash(self, tid, deps, dataCaches):
        data = self.basehash[tid]
        for _, dep in self.runtaskdeps[tid]:
            data += self.get_unihash(dep)
        for path, checksum in self.file_checksum_values[tid]:
            if checksum:
                if "/./" in path:
                    data += "./" + path.split("/./")[1]
                data += checksum
        if tid in self.taints:
            taint = self.taints[tid]
            data += taint[len("nostamp:"):] if taint.startswith("nostamp:") else taint
        self.taskhash[tid] = hashlib.sha256(data.encode("utf-8")).hexdigest()
        return self.taskhash[tid]

    def dump_sigtask(self, mcfn, task, stampbase, runtime):
        """Write a task's signature file beside its stamp, only that of the base hash if not `runtime`.

        With "customfile:STAMP" for `runtime` the file's path is `stampbase`, the stamp's start STAMP.
        """
        tid = mcfn + ":" + task
        reference = stampbase
        full = bool(runtime) and tid in self.taskhash
        custom = isinstance(runtime, str) and runtime.startswith("customfile")
        if custom:
            sigfile = stampbase
            reference = runtime[len("customfile:"):]
        elif full:
            sigfile = "%s.%s.sigdata.%s" % (stampbase, task, self.get_unihash(tid))
        else:
            sigfile = "%s.%s.sigbasedata.%s" % (stampbase, task, self._basehash_of(tid, task))

        if self.native_parts is not None:
            self._write_native(tid, task, sigfile, reference, full, shared=custom)
            return
        from bb import _sigfiles
        cache = self._cache_of(mcfn)
        taskdeps = cache.siggen_taskdeps[mcfn][task]
        values = cache.siggen_varvals[mcfn]
        gendeps = cache.siggen_gendeps[mcfn]
        data = {
            "task": task,
            "basehash_ignore_vars": self.basehash_ignore_vars,
            "taskhash_ignore_tasks": self.taskhash_ignore_tasks,
            "taskdeps": frozenset(taskdeps),
            "basehash": self.basehash[tid],
            "gendeps": {name: frozenset(gendeps[name]) - self.basehash_ignore_vars for name in taskdeps},
            "varvals": {name: values[name] for name in (task, *taskdeps)},
        }
        if full:
            data["runtaskdeps"] = [name for name, _ in self.runtaskdeps[tid]]
            data["file_checksum_values"] = [
                (_sigfiles.clean_checksum_file_path(item), item[1]) for item in self.file_checksum_values[tid]]
            data["runtaskhashes"] = {name: self.get_unihash(dep) for name, dep in self.runtaskdeps[tid]}
            data["taskhash"] = self.taskhash[tid]
            data["unihash"] = self.get_unihash(tid)
        taint = self.taints.get(tid) if full else None
        if not taint:
            taint = self.read_taint(mcfn, task, reference)
        if taint:
            data["taint"] = taint
        _check(tid, data, sigfile)
        _sigfiles.write(sigfile, data)


    def _basehash_of(self, tid, task):
        if self.native_parts is None:
            return self.basehash[tid]
        import _bitzel
        return _bitzel.base_hashes()[task]

    def _write_native(self, tid, task, sigfile, reference, full, shared):
        """Write a signature file in the process of a task: the engine has what its text stands on.

        Others may write to the folder too if it is `shared`.
        """
        import _bitzel
        import json
        parts = dict(self.native_parts.get(tid, {})) if full else {}
        if parts:
            parts["unihash"] = self.get_unihash(tid)
            taint = self.taints.get(tid) or self.read_taint(tid.rpartition(":")[0], task, reference)
            if taint:
                parts["taint"] = taint
        _bitzel.write_siginfo(task, json.dumps(parts) if parts else "", sigfile, shared)


def _check(tid, data, sigfile):
    """Warn if the hashes do not follow from the data written."""
    from bb import _sigfiles
    for name, compute in (("basehash", _sigfiles.calc_basehash), ("taskhash", _sigfiles.calc_taskhash)):
        if name not in data:
            continue
        computed = compute(data)
        if computed != data[name]:
            bb.error("%s mismatch %s versus %s for %s" % (name.capitalize(), computed, data[name], tid))


class SignatureGeneratorBasicHash(SignatureGeneratorBasic):
    """Names the hash in the stamp, so that a changed task runs again."""

    name = "basichash"

    def get_stampfile_hash(self, tid):
        """The hash that a task's stamp is named by."""
        return self.get_unihash(tid)

    def stampfile(self, stampbase, mcfn, taskname, extrainfo, clean=False):
        if taskname.endswith("_setscene"):
            tid = mcfn + ":" + taskname[:-len("_setscene")]
        else:
            tid = mcfn + ":" + taskname
        shown = "*" if clean else self.get_stampfile_hash(tid)
        return ("%s.%s.%s.%s" % (stampbase, taskname, shown, extrainfo)).rstrip(".")

    def stampcleanmask(self, stampbase, mcfn, taskname, extrainfo):
        return self.stampfile(stampbase, mcfn, taskname, extrainfo, clean=True)

    def invalidate_task(self, task, mcfn):
        """Taint a task: its hash, and that of all that depends on it, becomes a new one."""
        import uuid
        bb.note("Tainting hash to force rebuild of task %s, %s" % (mcfn, task))
        taintfn = "%s.%s.taint" % (self.stampfile_base(mcfn), task)
        bb.utils.mkdirhier(os.path.dirname(taintfn))
        # The name of the file says what it is for; its content only has to be new.
        with open(taintfn, "w") as file:
            file.write(str(uuid.uuid4()))


for _class in (SignatureGeneratorBasic, SignatureGeneratorBasicHash):
    _class.__module__ = "bb.siggen"
del _class
