"""The data of all recipes of a configuration, as `bb.providers` and metadata expect it.

Keys are names of variants as in `bb.cache` (`virtual:native:/path/x.bb`).
"""

from collections import defaultdict

from bb.utils import explode_deps


def _lists():
    return defaultdict(list)


class RecipeCache(object):
    """What is known of the recipes of one configuration."""

    def __init__(self):
        self.pkg_fn = {}
        self.pkg_pn = _lists()
        self.pkg_pepvpr = {}
        self.pkg_dp = {}
        self.providers = _lists()
        self.pn_provides = _lists()
        self.fn_provides = {}
        self.rproviders = _lists()
        self.packages = _lists()
        self.packages_dynamic = _lists()
        self.deps = _lists()
        self.all_depends = []
        self.rundeps = defaultdict(_lists)
        self.runrecs = defaultdict(_lists)
        self.possible_world = []
        self.universe_target = []
        self.world_target = set()
        self.bbfile_priority = {}
        self.preferred = {}
        self.ignored_dependencies = []
        self.stamp = {}
        self.stampclean = {}
        self.stamp_extrainfo = {}
        self.hashfn = {}
        self.inherits = {}
        self.task_deps = {}
        self.tasks = {}
        self.file_checksums = {}
        self.basetaskhash = {}
        self.extradepsfunc = {}
        self.fakerootenv = {}
        self.fakerootnoenv = {}
        self.fakerootdirs = {}
        self.fakerootlogs = {}
        # Why recipes were skipped, by name of the variant.
        self.skipped = {}

    def add(self, fn, d, priority):
        """Take the data of a variant from its datastore."""
        reason = d.getVar("__SKIPPED")
        if reason:
            self.skipped[fn] = reason
            return
        pn = d.getVar("PN") or ""
        self.pkg_fn[fn] = pn
        self.pkg_pn[pn].append(fn)
        self.pkg_pepvpr[fn] = (d.getVar("PE") or "", d.getVar("PV") or "", d.getVar("PR") or "")
        self.pkg_dp[fn] = int(d.getVar("DEFAULT_PREFERENCE") or 0)
        self.bbfile_priority[fn] = priority
        self.universe_target.append(pn)
        if not d.getVar("EXCLUDE_FROM_WORLD"):
            self.possible_world.append(fn)
        self._add_names(fn, pn, d)
        self._add_tasks(fn, d)

    def _add_names(self, fn, pn, d):
        provided = (d.getVar("PROVIDES") or "").split()
        self.fn_provides[fn] = provided
        for name in provided:
            self.providers[name].append(fn)
            if name not in self.pn_provides[pn]:
                self.pn_provides[pn].append(name)
        for name in explode_deps(d.getVar("DEPENDS") or ""):
            self.deps[fn].append(name)
            if name not in self.all_depends:
                self.all_depends.append(name)
        packages = (d.getVar("PACKAGES") or "").split()
        runtime = explode_deps(d.getVar("RPROVIDES") or "")
        for package in packages:
            self.packages[package].append(fn)
            runtime += explode_deps(d.getVar("RPROVIDES:%s" % package) or "")
            for variable, where in (("RDEPENDS", self.rundeps), ("RRECOMMENDS", self.runrecs)):
                where[fn][package] = (explode_deps(d.getVar(variable) or "")
                                      + explode_deps(d.getVar("%s:%s" % (variable, package)) or ""))
        for name in runtime:
            if fn not in self.rproviders[name]:
                self.rproviders[name].append(fn)
        for pattern in (d.getVar("PACKAGES_DYNAMIC") or "").split():
            self.packages_dynamic[pattern].append(fn)

    def _add_tasks(self, fn, d):
        tasks = d.getVar("__BBTASKS", False) or []
        self.task_deps[fn] = d.getVar("_task_deps", False) or {"tasks": [], "parents": {}}
        self.file_checksums[fn] = self._flags(tasks, "file-checksums", d)
        self.stamp_extrainfo[fn] = self._flags(tasks, "stamp-extra-info", d)
        self.stamp[fn] = d.getVar("STAMP") or ""
        self.stampclean[fn] = d.getVar("STAMPCLEAN") or ""
        self.hashfn[fn] = d.getVar("BB_HASHFILENAME") or ""
        self.inherits[fn] = list(d.getVar("__inherit_cache", False) or ())
        self.extradepsfunc[fn] = d.getVar("calculate_extra_depends") or ""
        for task, value in (d.getVar("__siggen_basehashes", False) or {}).items():
            self.basetaskhash["%s:%s" % (fn, task)] = value
        for variable, where in (("FAKEROOTENV", self.fakerootenv), ("FAKEROOTNOENV", self.fakerootnoenv),
                                ("FAKEROOTDIRS", self.fakerootdirs), ("FAKEROOTLOGS", self.fakerootlogs)):
            where[fn] = d.getVar(variable) or ""

    @staticmethod
    def _flags(tasks, flag, d):
        values = ((task, d.getVarFlag(task, flag)) for task in tasks)
        return {task: value for task, value in values if value}
