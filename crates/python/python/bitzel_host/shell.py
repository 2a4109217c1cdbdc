"""A task's sandbox and environment, for a shell in them (`bitzel sh`)."""

import json
import os

import _bitzel
from bitzel_host import fakeroot, task


def described(text):
    """The sandbox's configuration and task description, the environment, the folder to begin in,
    and words to put before the command, as JSON."""
    order = json.loads(text)
    config, spec = _bitzel.task_isolation(text, task.roots())
    d = _bitzel.task_data(text)
    name = order["task"]
    environment = task.environment_of(order, d)
    wanted = fakeroot.wanted(name, d)
    fakeroot.ready(name, d)
    words = (d.getVar("FAKEROOTCMD") or "").split() if wanted else []
    if wanted:
        environment.update(fakeroot.assignments("FAKEROOTBASEENV", d))
        environment.update(fakeroot.environment(name, d))
    folders = [d.getVar(variable) for variable in ("B", "S", "WORKDIR", "TOPDIR")]
    return json.dumps({
        "config": config,
        "spec": spec,
        "env": environment,
        "cwd": next((folder for folder in folders if folder and os.path.isdir(folder)), "/"),
        "launcher": words,
    })
