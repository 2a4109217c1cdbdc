"""The classes of events. They are found in, and pickle as members of, `bb.event`."""

import sys


class Event(object):
    """Base of all events; `pid` is that of the task's worker, 0 elsewhere."""

    def __init__(self):
        self.pid = sys.modules["bb.event"].worker_pid


class HeartbeatEvent(Event):
    """Fired every BB_HEARTBEAT_EVENT seconds while something runs; handlers must be quick."""

    def __init__(self, time):
        Event.__init__(self)
        self.time = time


class OperationStarted(Event):
    """Something that takes a while began."""

    def __init__(self, msg="Operation Started"):
        Event.__init__(self)
        self.msg = msg


class OperationCompleted(Event):
    """Something that takes a while is done, `total` steps of it."""

    def __init__(self, total, msg="Operation Completed"):
        Event.__init__(self)
        self.total = total
        self.msg = msg


class OperationProgress(Event):
    """Something that takes a while got to step `current` of `total`."""

    def __init__(self, current, total, msg="Operation in Progress"):
        Event.__init__(self)
        self.current = current
        self.total = total
        self.msg = "%s: %s/%s" % (msg, current, total)


class ConfigParsed(Event):
    """The base configuration was parsed; its datastore can still be changed."""


class MultiConfigParsed(Event):
    """All configurations were parsed; `mcdata` has their datastores by name."""

    def __init__(self, mcdata):
        self.mcdata = mcdata
        Event.__init__(self)


class RecipeEvent(Event):
    """Base of the events while a recipe, file `fn`, is parsed."""

    def __init__(self, fn):
        self.fn = fn
        Event.__init__(self)


class RecipePreDeferredInherits(RecipeEvent):
    """Deferred classes are about to be inherited; `inherits` holds what the statements name, unexpanded."""

    def __init__(self, fn, inherits):
        RecipeEvent.__init__(self, fn)
        self.inherits = inherits


class RecipePreFinalise(RecipeEvent):
    """The statements of a recipe were evaluated; finalising begins."""


class RecipePostKeyExpansion(RecipeEvent):
    """Names of variables were expanded."""


class RecipeTaskPreProcess(RecipeEvent):
    """The tasks, `tasklist`, are known but not yet processed."""

    def __init__(self, fn, tasklist):
        RecipeEvent.__init__(self, fn)
        self.tasklist = tasklist


class RecipeParsed(RecipeEvent):
    """A recipe was parsed."""


class BuildBase(Event):
    """Base of the events around a build: its name, its targets, its failures."""

    def __init__(self, n, p, failures=0):
        self._name = n
        self._pkgs = p
        Event.__init__(self)
        self._failures = failures

    def getPkgs(self):
        return self._pkgs

    def setPkgs(self, pkgs):
        self._pkgs = pkgs

    def getName(self):
        return self._name

    def setName(self, name):
        self._name = name

    def getFailures(self):
        return self._failures

    pkgs = property(getPkgs, setPkgs, None, "targets of the build")
    name = property(getName, setName, None, "name of the build")


class BuildInit(BuildBase):
    """A build was asked for."""

    def __init__(self, p=[]):
        BuildBase.__init__(self, None, list(p))


class BuildStarted(BuildBase, OperationStarted):
    """A build begins."""

    def __init__(self, n, p, failures=0):
        OperationStarted.__init__(self, "Building Started")
        BuildBase.__init__(self, n, p, failures)


class BuildCompleted(BuildBase, OperationCompleted):
    """A build is over."""

    def __init__(self, total, n, p, failures=0, interrupted=0):
        OperationCompleted.__init__(self, total, "Building Failed" if failures else "Building Succeeded")
        self._interrupted = interrupted
        BuildBase.__init__(self, n, p, failures)


class DiskFull(Event):
    """A file system ran full."""

    def __init__(self, dev, type, freespace, mountpoint):
        Event.__init__(self)
        self._dev = dev
        self._type = type
        self._free = freespace
        self._mountpoint = mountpoint


class DiskUsageSample(object):
    """Sizes in bytes: what an ordinary user may still use, all that is free, and the whole."""

    def __init__(self, available_bytes, free_bytes, total_bytes):
        self.available_bytes = available_bytes
        self.free_bytes = free_bytes
        self.total_bytes = total_bytes


class MonitorDiskEvent(Event):
    """Disk usage; `disk_usage` has samples by directory."""

    def __init__(self, disk_usage):
        Event.__init__(self)
        self.disk_usage = disk_usage


class NoProvider(Event):
    """Nothing provides what is to be built."""

    def __init__(self, item, runtime=False, dependees=None, reasons=None, close_matches=None):
        Event.__init__(self)
        self._item = item
        self._runtime = runtime
        self._dependees = dependees
        self._reasons = reasons
        self._close_matches = close_matches

    def getItem(self):
        return self._item

    def isRuntime(self):
        return self._runtime

    def __str__(self):
        kind, link = ("R", "RDEPENDS") if self._runtime else ("", "DEPENDS")
        text = "Nothing %sPROVIDES '%s'" % (kind, self._item)
        if self._dependees:
            text += " (but %s %s on or otherwise requires it)" % (", ".join(self._dependees), link)
        if self._reasons:
            return "\n".join([text, *self._reasons])
        if self._close_matches:
            return text + ". Close matches:\n  " + "\n  ".join(sorted(set(self._close_matches)))
        return text


class MultipleProviders(Event):
    """Several recipes provide the same, and none is preferred."""

    def __init__(self, item, candidates, runtime=False):
        Event.__init__(self)
        self._item = item
        self._candidates = candidates
        self._is_runtime = runtime

    def isRuntime(self):
        return self._is_runtime

    def getItem(self):
        return self._item

    def getCandidates(self):
        return self._candidates

    def __str__(self):
        kind, variable = ("runtime ", "PREFERRED_RPROVIDER") if self._is_runtime else ("", "PREFERRED_PROVIDER")
        return ("Multiple providers are available for %s%s (%s)\nConsider defining a %s entry to match %s"
                % (kind, self._item, ", ".join(self._candidates), variable, self._item))


class ParseStarted(OperationStarted):
    """Recipes begin to be parsed, `total` of them."""

    def __init__(self, total):
        OperationStarted.__init__(self, "Recipe parsing Started")
        self.total = total


class ParseCompleted(OperationCompleted):
    """All recipes are parsed; says how many were cached, parsed, skipped and so on."""

    def __init__(self, cached, parsed, skipped, masked, virtuals, errors, total):
        OperationCompleted.__init__(self, total, "Recipe parsing Completed")
        self.cached = cached
        self.parsed = parsed
        self.skipped = skipped
        self.virtuals = virtuals
        self.masked = masked
        self.errors = errors
        self.sofar = cached + parsed


class ParseProgress(OperationProgress):
    """`current` of `total` recipes are parsed."""

    def __init__(self, current, total):
        OperationProgress.__init__(self, current, total, "Recipe parsing")


class ParseError(Event):
    """Parsing failed."""

    def __init__(self, msg):
        Event.__init__(self)
        self._msg = msg


class CacheLoadStarted(OperationStarted):
    """The recipe cache begins to be read."""

    def __init__(self, total):
        OperationStarted.__init__(self, "Loading cache Started")
        self.total = total


class CacheLoadProgress(OperationProgress):
    """Part of the recipe cache is read."""

    def __init__(self, current, total):
        OperationProgress.__init__(self, current, total, "Loading cache")


class CacheLoadCompleted(OperationCompleted):
    """The recipe cache is read."""

    def __init__(self, total, num_entries):
        OperationCompleted.__init__(self, total, "Loading cache Completed")
        self.num_entries = num_entries


class TreeDataPreparationStarted(OperationStarted):
    """Data for a dependency tree begins to be collected."""

    def __init__(self):
        OperationStarted.__init__(self, "Preparing tree data Started")


class TreeDataPreparationProgress(OperationProgress):
    """Part of the data for a dependency tree is collected."""

    def __init__(self, current, total):
        OperationProgress.__init__(self, current, total, "Preparing tree data")


class TreeDataPreparationCompleted(OperationCompleted):
    """The data for a dependency tree is collected."""

    def __init__(self, total):
        OperationCompleted.__init__(self, total, "Preparing tree data Completed")
