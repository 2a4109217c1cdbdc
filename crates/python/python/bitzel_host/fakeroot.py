"""Tasks with [fakeroot]: their processes seem to be root's, by the grace of FAKEROOTCMD (pseudo)."""

import os

# Where servers of pseudo were started, with what their environment has to hold.
_servers = {}


def wanted(task, d):
    """Whether a task asks for it."""
    return bool(d.getVarFlag(task, "fakeroot", False))


def environment(task, d):
    """What FAKEROOTENV, or FAKEROOTNOENV for a task without it, says is to be in the environment."""
    return assignments("FAKEROOTENV" if wanted(task, d) else "FAKEROOTNOENV", d)


def assignments(variable, d):
    """The words `NAME=VALUE` of a variable."""
    return dict(word.partition("=")[::2] for word in (d.getVar(variable) or "").split())


def ready(task, d):
    """Make what such a task needs outside of it: its folders, and pseudo's server.

    A server that the task started would end with its sandbox, and lose what other tasks told it.
    """
    if not wanted(task, d):
        return
    import bb.utils
    for folder in (d.getVar("FAKEROOTDIRS") or "").split():
        bb.utils.mkdirhier(folder)
    own = environment(task, d)
    state = own.get("PSEUDO_LOCALSTATEDIR")
    if state:
        _servers[state] = own
        _pseudo("-d", own)


def stop_servers():
    """Have servers that tasks of this process used write down what they know, and end."""
    for own in _servers.values():
        _pseudo("-S", own)
    _servers.clear()


def _pseudo(option, own):
    """Run pseudo itself; what it has to say is in its own log."""
    import subprocess
    env = {name: value for name, value in dict(os.environ, **own).items()
           if name not in ("LD_PRELOAD", "PSEUDO_DISABLED")}
    program = os.path.join(env.get("PSEUDO_BINDIR", ""), "pseudo")
    null = subprocess.DEVNULL
    subprocess.run([program, option], env=env, stdin=null, stdout=null, stderr=null, check=False)


def enter(task, d):
    """Go on in a process that pseudo serves; the exit status of that one in this one, else None.

    pseudo reads its settings when a process forks.
    """
    os.environ.update(environment(task, d))
    child = os.fork()
    if not child:
        return None
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status
