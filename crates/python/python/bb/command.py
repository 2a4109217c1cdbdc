"""The events that end what a user interface asked for."""

from bb import event


class CommandCompleted(event.Event):
    """It is done."""


class CommandExit(event.Event):
    """It ended with an exit code."""

    def __init__(self, exitcode):
        event.Event.__init__(self)
        self.exitcode = int(exitcode)


class CommandFailed(CommandExit):
    """It failed; `error` says why."""

    def __init__(self, message):
        self.error = message
        CommandExit.__init__(self, 1)

    def __str__(self):
        return "Command execution failed: %s" % self.error
