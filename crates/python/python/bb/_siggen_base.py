"""The base of all signature generators: no signatures at all (`noop`)."""

import hashlib
import os


class SignatureGenerator(object):
    """Gives tasks hashes that depend on nothing but their names; stamps without hashes."""

    name = "noop"

    def __init__(self, data):
        self.basehash = {}
        self.taskhash = {}
        self.unihash = {}
        self.runtaskdeps = {}
        self.file_checksum_values = {}
        self.taints = {}
        self.unitaskhashes = {}
        self.tidtopn = {}
        self.setscenetasks = set()

    def finalise(self, fn, d, varient):
        """A recipe was parsed: compute its base hashes."""

    def postparsing_clean_cache(self):
        """All recipes are parsed: drop what is needed no more."""

    def setup_datacache(self, datacaches):
        """Take the data of recipes, by configuration."""
        self.datacaches = datacaches

    def setup_datacache_from_datastore(self, mcfn, d):
        """Take the data of one recipe from its datastore, as a task does for itself."""
        from types import SimpleNamespace
        from bb.runqueue import split_mc
        mc = split_mc(mcfn)[0]
        cache = SimpleNamespace(stamp={}, stamp_extrainfo={})
        cache.stamp[mcfn] = d.getVar("STAMP")
        extra = {}
        for task in d.getVar("__BBTASKS", False) or []:
            info = d.getVarFlag(task, "stamp-extra-info")
            if info:
                extra[task] = info
        cache.stamp_extrainfo[mcfn] = extra
        self.datacaches = {mc: cache}

    def get_cached_unihash(self, tid):
        """A unihash that needs no asking, or None."""
        return None

    def get_unihash(self, tid):
        """The unihash of a task."""
        unihash = self.get_cached_unihash(tid)
        return unihash or self.taskhash[tid]

    def get_unihashes(self, tids):
        """The unihashes of many tasks, by task."""
        return {tid: self.get_unihash(tid) for tid in tids}

    def prep_taskhash(self, tid, deps, dataCaches):
        """Prepare computing the hash of a task that depends on `deps`."""

    def get_taskhash(self, tid, deps, dataCaches):
        """Compute the hash of a task; its dependencies' hashes are known."""
        self.taskhash[tid] = hashlib.sha256(tid.encode("utf-8")).hexdigest()
        return self.taskhash[tid]

    def writeout_file_checksum_cache(self):
        """Keep the checksums of files for the next run."""

    def save_unitaskhashes(self):
        """Keep the unihashes for the next run."""

    def set_setscene_tasks(self, setscene_tasks):
        """Take the names of the tasks that can be restored."""

    def _cache_of(self, mcfn):
        from bb.runqueue import split_mc
        return self.datacaches[split_mc(mcfn)[0]]

    def stampfile_base(self, mcfn):
        """The start of the paths of a recipe's stamps (STAMP)."""
        return self._cache_of(mcfn).stamp[mcfn]

    def _stamp_parts(self, taskname, mcfn, extrainfo):
        base = self.stampfile_base(mcfn)
        if not base:
            return None, ""
        extra = self._cache_of(mcfn).stamp_extrainfo[mcfn].get(taskname) or "" if extrainfo else ""
        return base, extra

    def stampfile_mcfn(self, taskname, mcfn, extrainfo=True):
        """The path of a task's stamp, or None for a recipe without stamps."""
        base, extra = self._stamp_parts(taskname, mcfn, extrainfo)
        return self.stampfile(base, mcfn, taskname, extra) if base else None

    def stampfile(self, stampbase, file_name, taskname, extrainfo):
        """The path of a stamp from its parts."""
        return ("%s.%s.%s" % (stampbase, taskname, extrainfo)).rstrip(".")

    def stampcleanmask_mcfn(self, taskname, mcfn):
        """A pattern for all stamps of a task, or an empty list for a recipe without stamps."""
        base, extra = self._stamp_parts(taskname, mcfn, True)
        return self.stampcleanmask(base, mcfn, taskname, extra) if base else []

    def stampcleanmask(self, stampbase, file_name, taskname, extrainfo):
        """A pattern for all stamps of a task, from its parts."""
        return ("%s.%s.%s" % (stampbase, taskname, extrainfo)).rstrip(".")

    def dump_sigtask(self, mcfn, task, stampbase, runtime):
        """Write the signature file of a task."""

    def invalidate_task(self, task, mcfn):
        """Make a task run again."""
        stamp = self.stampfile_mcfn(task, mcfn)
        if stamp and os.path.exists(stamp):
            os.unlink(stamp)

    def dump_sigs(self, dataCache, options):
        """Do what `-S` with these options asks for."""

    def get_taskdata(self):
        """What a task process needs to know of all tasks."""
        return (self.runtaskdeps, self.taskhash, self.unihash, self.file_checksum_values, self.taints, self.basehash,
                self.unitaskhashes, self.tidtopn, self.setscenetasks)

    def set_taskdata(self, data):
        """Take what `get_taskdata` gave."""
        (self.runtaskdeps, self.taskhash, self.unihash, self.file_checksum_values, self.taints, self.basehash,
         self.unitaskhashes, self.tidtopn, self.setscenetasks) = data

    def reset(self, data):
        """Start again, with another configuration."""
        self.__init__(data)

    def get_taskhashes(self):
        """The hashes of all tasks."""
        return self.taskhash, self.unihash, self.unitaskhashes, self.tidtopn

    def set_taskhashes(self, hashes):
        """Take what `get_taskhashes` gave."""
        self.taskhash, self.unihash, self.unitaskhashes, self.tidtopn = hashes

    def exit(self):
        """Let go of everything."""


SignatureGenerator.__module__ = "bb.siggen"
