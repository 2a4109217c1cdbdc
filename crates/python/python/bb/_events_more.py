"""The classes of answers, messages, processes and checks among the events (see `bb._events`)."""

from bb._events import Event


class DepTreeGenerated(Event):
    """The dependency graph asked for."""

    def __init__(self, depgraph):
        Event.__init__(self)
        self._depgraph = depgraph


class TargetsTreeGenerated(Event):
    """The targets tree asked for."""

    def __init__(self, model):
        Event.__init__(self)
        self._model = model


class ReachableStamps(Event):
    """All stamps that the present configuration could use."""

    def __init__(self, stamps):
        Event.__init__(self)
        self.stamps = stamps


class StaleSetSceneTasks(Event):
    """Stamps of setscene tasks, by task, that belong to other hashes."""

    def __init__(self, tasks):
        Event.__init__(self)
        self.tasks = tasks


class FilesMatchingFound(Event):
    """The files matching a pattern."""

    def __init__(self, pattern, matches):
        Event.__init__(self)
        self._pattern = pattern
        self._matches = matches


class ConfigFilesFound(Event):
    """The values for a variable that configuration files offer."""

    def __init__(self, variable, values):
        Event.__init__(self)
        self._variable = variable
        self._values = values


class ConfigFilePathFound(Event):
    """Where a configuration file lies."""

    def __init__(self, path):
        Event.__init__(self)
        self._path = path


class MsgBase(Event):
    """Base of the message events of old, now log records."""

    def __init__(self, msg):
        self._message = msg
        Event.__init__(self)


class MsgDebug(MsgBase):
    """A debug message."""


class MsgNote(MsgBase):
    """A note."""


class MsgWarn(MsgBase):
    """A warning."""


class MsgError(MsgBase):
    """An error."""


class MsgFatal(MsgBase):
    """A fatal error."""


class MsgPlain(MsgBase):
    """A message without a level."""


class LogExecTTY(Event):
    """A program to be started on the user's terminal, as `devshell` in `screen` does."""

    def __init__(self, msg, prog, sleep_delay, retries):
        Event.__init__(self)
        self.msg = msg
        self.prog = prog
        self.sleep_delay = sleep_delay
        self.retries = retries


class MetadataEvent(Event):
    """An event that metadata fires to be dealt with elsewhere: a type, and data."""

    def __init__(self, eventtype, eventdata):
        Event.__init__(self)
        self.type = eventtype
        self._localdata = eventdata


class ProcessStarted(Event):
    """Something with a progress bar of its own begins."""

    def __init__(self, processname, total):
        Event.__init__(self)
        self.processname = processname
        self.total = total


class ProcessProgress(Event):
    """Something with a progress bar of its own got on."""

    def __init__(self, processname, progress):
        Event.__init__(self)
        self.processname = processname
        self.progress = progress


class ProcessFinished(Event):
    """Something with a progress bar of its own is done."""

    def __init__(self, processname):
        Event.__init__(self)
        self.processname = processname


class SanityCheck(Event):
    """Metadata is asked to check the configuration, and to answer by events if `generateevents`."""

    def __init__(self, generateevents=True):
        Event.__init__(self)
        self.generateevents = generateevents


class SanityCheckPassed(Event):
    """The configuration is in order."""


class SanityCheckFailed(Event):
    """The configuration is not in order."""

    def __init__(self, msg, network_error=False):
        Event.__init__(self)
        self._msg = msg
        self._network_error = network_error


class NetworkTest(Event):
    """Metadata is asked to check the network, and to answer by events if `generateevents`."""

    def __init__(self, generateevents=True):
        Event.__init__(self)
        self.generateevents = generateevents


class NetworkTestPassed(Event):
    """The network works."""


class NetworkTestFailed(Event):
    """The network does not work."""


class FindSigInfoResult(Event):
    """The signature files asked for."""

    def __init__(self, result):
        Event.__init__(self)
        self.result = result


class GetTaskSignatureResult(Event):
    """The signature of the task asked for."""

    def __init__(self, sig):
        Event.__init__(self)
        self.sig = sig
