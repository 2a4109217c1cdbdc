"""A shell task as scripts that run without bitzel, for `bitzel sandbox export`."""

import json
import os
import shlex

import _bitzel
import bb.build
import bb.utils
from bb import _runfunc
from bitzel_host import shell


def exported(text):
    """As `shell.described`, with the `script` that runs the task, written to T, and what it leaves out as `skipped`.

    A task without such a script has `refused`, the reason.
    """
    answer = json.loads(shell.described(text))
    task = json.loads(text)["task"]
    d = _bitzel.task_data(text)
    if d.getVarFlag(task, "python", False):
        answer["refused"] = "it is written in Python, which runs within bitzel"
    elif d.getVarFlag(task, "noexec", False):
        answer["refused"] = "it does nothing ([noexec])"
    else:
        answer["script"], answer["skipped"] = _script(task, d)
    return json.dumps(answer)


def _script(task, d):
    """The path of a script that does what `bb.build.exec_task` does for the shell functions of a task."""
    folder = d.getVar("T")
    bb.utils.mkdirhier(folder)
    before = (d.getVarFlag(task, "prefuncs") or "").split()
    after = (d.getVarFlag(task, "postfuncs") or "").split()
    lines = ["#!/bin/sh -e"]
    umask = d.getVarFlag(task, "umask") or d.getVar("BB_DEFAULT_UMASK")
    if umask:
        lines.append("umask %03o" % bb.utils.to_filemode(umask))
    skipped = []
    for function in before + [task] + after:
        if d.getVarFlag(function, "python", False):
            skipped.append(function)
            continue
        lines += _function(function, d, os.path.join(folder, "bundle.%s.%s" % (task, function)))
    path = os.path.join(folder, "bundle.%s" % task)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write("\n".join(lines) + "\n")
    os.chmod(path, 0o755)
    return path, skipped


def _function(function, d, path):
    """Lines that run a shell function: its directories, then its own script, which is written to `path`."""
    folders = {flag: d.expand(d.getVarFlag(function, flag) or "").split() for flag in ("cleandirs", "dirs")}
    _runfunc._write_script(function, d, path, folders["dirs"][-1] if folders["dirs"] else None)
    lines = ["cd %s" % shlex.quote(d.getVar("TOPDIR"))]
    if folders["cleandirs"]:
        lines.append("rm -rf -- %s" % " ".join(map(shlex.quote, folders["cleandirs"])))
    made = folders["cleandirs"] + folders["dirs"]
    if made:
        lines.append("mkdir -p -- %s" % " ".join(map(shlex.quote, made)))
    return lines + [shlex.quote(path)]
