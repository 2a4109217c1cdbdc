"""Running programs and collecting what they print."""

import logging
import shlex
import signal
import subprocess

logger = logging.getLogger("BitBake.Process")


class CmdError(RuntimeError):
    """A command could not be run."""

    def __init__(self, command, msg=None):
        self.command = command
        self.msg = msg

    def __str__(self):
        text = "Execution of '%s' failed" % _shown(self.command)
        return "%s: %s" % (text, self.msg) if self.msg else text


class NotFoundError(CmdError):
    """There is no such command."""

    def __str__(self):
        return "Execution of '%s' failed: command not found" % _shown(self.command)


class ExecutionError(CmdError):
    """A command ended with another exit code than 0, or by a signal."""

    def __init__(self, command, exitcode, stdout=None, stderr=None):
        CmdError.__init__(self, command)
        self.exitcode = exitcode
        self.stdout = stdout
        self.stderr = stderr
        self.extra_message = None

    def __str__(self):
        text = "%s with exit code %s" % (CmdError.__str__(self), self.exitcode)
        if self.extra_message:
            text += " (%s)" % self.extra_message
        output = (self.stderr or "") + (self.stdout or "")
        return "%s:\n%s" % (text, output) if output else text


def _shown(command):
    return command if isinstance(command, str) else shlex.join(command)


def subprocess_setup():
    """Undo in a child that Python ignores SIGPIPE, which shell pipelines rely on."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


class Popen(subprocess.Popen):
    """`subprocess.Popen` with pipes for input and output, and SIGPIPE at its default.

    The signal is `restore_signals`' doing: a function to run in the child would cost a copy of this process.
    """

    defaults = {
        "close_fds": True,
        "restore_signals": True,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "stdin": subprocess.PIPE,
        "shell": False,
    }

    def __init__(self, *args, **kwargs):
        subprocess.Popen.__init__(self, *args, **{**self.defaults, **kwargs})


def _logged_communicate(pipe, log, input, extrafiles):
    """Feed `input`, copy what is printed to `log` as it comes; the two outputs.

    `extrafiles` are pairs of a file to read from too and a function its data goes to.
    """
    import codecs
    import os
    import selectors

    if pipe.stdin is not None:
        if input is not None:
            pipe.stdin.write(input)
        pipe.stdin.close()
    outputs = {}
    functions = {}
    with selectors.DefaultSelector() as selector:
        for stream in (pipe.stdout, pipe.stderr):
            if stream is not None:
                outputs[stream] = []
                functions[stream] = codecs.getincrementaldecoder("utf-8")(errors="replace")
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ)
        for file, function in extrafiles:
            os.set_blocking(file.fileno(), False)
            functions[file] = function
            selector.register(file, selectors.EVENT_READ)
        waiting = len(outputs)
        while waiting:
            ready = [key.fileobj for key, _ in selector.select()]
            # What came over the extra files was written before the output that follows it.
            for file in sorted(ready, key=lambda file: file in outputs):
                data = file.read()
                if data is None:
                    continue
                if file not in outputs:
                    if data:
                        functions[file](data)
                    else:
                        selector.unregister(file)
                    continue
                text = functions[file].decode(data, final=not data)
                if text:
                    outputs[file].append(text)
                    log.write(text)
                    log.flush()
                if not data:
                    selector.unregister(file)
                    waiting -= 1
        # What came over the extra files before the end still counts.
        for file, function in extrafiles:
            data = file.read() if not file.closed else None
            if data:
                function(data)
    for stream in outputs:
        stream.close()
    log.flush()
    return tuple("".join(outputs[stream]) if stream in outputs else None for stream in (pipe.stdout, pipe.stderr))


def run(cmd, input=None, log=None, extrafiles=None, **options):
    """Run a command (text goes through the shell) and give its (output, error output) as text.

    With `log`, an object with `write` and `flush`, output is also logged while it comes;
    `extrafiles` are then pairs of a file and a function its data goes to. `options` go to
    `Popen`. Raises `NotFoundError`, `CmdError`, and `ExecutionError` for failing commands.
    """
    if isinstance(cmd, str) and "shell" not in options:
        options["shell"] = True

    import errno
    try:
        pipe = Popen(cmd, **options)
    except OSError as err:
        if err.errno == errno.ENOENT:
            raise NotFoundError(cmd) from err
        raise CmdError(cmd, err) from err

    if log is not None:
        stdout, stderr = _logged_communicate(pipe, log, input, extrafiles or [])
        pipe.wait()
    else:
        stdout, stderr = (data.decode("utf-8") if data is not None else None for data in pipe.communicate(input))
    if pipe.returncode != 0:
        if log is not None:
            # What was printed is in the log already.
            raise ExecutionError(cmd, pipe.returncode)
        raise ExecutionError(cmd, pipe.returncode, stdout, stderr)
    return stdout, stderr
