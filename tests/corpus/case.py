"""Runs one case of the golden corpus and gives its answer; the format is described in README.md.

A case runs in a process of its own and a folder of its own, so none can see another's functions,
caches or files. Only public calls are made: bb.data.init, bb.parse.handle and the methods of the
datastore; a case with a `command` runs the `bitbake` program instead.
"""
import io
import json
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

CASE_SECONDS = 60
ANY = "<ANY>"  # a recorded text that equals every text
PATH_PUNCTUATION = str.maketrans({c: "_" for c in "/.+-@%&~"})
# Where in `bb` itself something was set is not part of an answer.
LIBRARY_LINE = re.compile(r"\b\w+\.py:\d+(?: \[\w+\])?")
# Keys that every parsed recipe has, so that `keys` shows what the case is about.
COMMON_KEYS = {"BBINCLUDED", "BBPATH", "BB_DEFAULT_TASK", "DEPENDS", "FILE", "PN", "T", "_task_deps"}


class Places:
    """Replaces what only this run has: its temporary folder and where `bb` lies."""

    def __init__(self, root, library="/nowhere"):
        self.library = library
        pairs = [(root, "<T>"), (root.translate(PATH_PUNCTUATION), "<T_>"), (library, "<LIB>")]
        self.pairs = sorted(pairs, key=lambda p: -len(p[0]))

    def text(self, s):
        for path, mark in self.pairs:
            s = s.replace(path, mark)
        s = re.sub(r"0x[0-9a-f]{6,}", "0x<ADDRESS>", s)
        s = LIBRARY_LINE.sub("<LIB>", s)
        s = re.sub(r"\b((?:run|log)\.\w+)\.\d+", r"\1.<PID>", s)
        if "RecursionError: maximum recursion depth exceeded" in s:
            return ANY  # where Python gave up is not BitBake's answer
        return s

    def any(self, o):
        """The value as JSON can hold it; what JSON lacks is written as Python shows it."""
        if isinstance(o, str):
            return self.text(o)
        if o is None or isinstance(o, (bool, int, float)):
            return o
        if isinstance(o, dict):
            if {"op", "file", "line"} <= o.keys() and str(o["file"]).startswith(self.library):
                o = {**o, "file": "<LIB>", "line": 0, "func": ""}  # a history entry made by `bb` itself
            return {self.text(str(k)): self.any(v) for k, v in o.items()}
        if isinstance(o, (list, tuple)):
            return [self.any(x) for x in o]
        if isinstance(o, (set, frozenset)):
            return sorted(self.any(str(x)) for x in o)
        return self.text(repr(o))


class Messages(logging.Handler):
    """Keeps what is logged at level WARNING and above."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        n = record.levelno  # BitBake has levels of its own between the standard ones
        level = "CRITICAL" if n >= 50 else "ERROR" if n >= 39 else "WARNING"
        self.lines.append("%s: %s" % (level, record.getMessage()))


def write_files(root, files):
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text.replace("<T>", root))


def error_of(e):
    if isinstance(e, RecursionError):  # BitBake has no limit of its own, anything that stops will do
        return {"type": ANY, "text": ANY}
    return {"type": type(e).__name__, "text": str(e)}


def ask(probe, d, variants):
    """Answers one probe; the kinds are listed in README.md."""
    import bb
    kind, _, rest = probe.partition(" ")
    if kind.startswith("@"):
        return ask(rest, variants[kind[1:]], variants)
    args = rest.split(" ")
    if kind == "var":
        return d.getVar(rest)
    if kind == "raw":
        return d.getVar(rest, False)
    if kind == "flag":
        return d.getVarFlag(args[0], args[1])
    if kind == "rawflag":
        return d.getVarFlag(args[0], args[1], False)
    if kind == "flags":
        return d.getVarFlags(rest)
    if kind == "keys":
        return sorted(k for k in d.keys() if not k.startswith("__") and k not in COMMON_KEYS)
    if kind == "tasks":
        return {t: d.getVarFlag(t, "deps", False) for t in d.getVar("__BBTASKS", False) or ()}
    if kind == "variants":
        return sorted(variants)
    if kind == "history":
        # `parsing` tells how the datastore was called, not what happened to the variable.
        return [{k: v for k, v in sorted(h.items()) if k != "parsing"} for h in d.varhistory.variable(rest)]
    if kind == "includes":
        out = io.StringIO()
        d.inchistory.emit(out)
        return out.getvalue()
    if kind == "emit":
        out = io.StringIO()
        bb.data.emit_var(rest, out, d, all=True)
        return out.getvalue()
    if kind == "expr":
        return eval(rest, {"bb": bb, "d": d, "os": os, "variants": variants})
    raise SystemExit("unknown probe `%s`" % probe)


def parse_case(case, root):
    """Runs a case in-process; returns the answer."""
    import bb
    import bb.build
    import bb.data
    import bb.parse
    import bb.siggen
    messages = Messages()
    logger = logging.getLogger("BitBake")
    logger.addHandler(messages)
    logger.propagate = False
    write_files(root, case["files"])
    os.chdir(root)
    answer = {}
    d = bb.data.init()
    variants = {"": d}
    try:
        bb.parse.siggen = bb.siggen.init(d)
        for name, value in (("BBPATH", root), ("T", root), ("PN", "t"), ("BB_DEFAULT_TASK", "build")):
            d.setVar(name, value)
        d.setVar("__bbclasstype", "recipe")
        if case.get("tracking"):
            d.enableTracking()
        if "config" in case:
            write_files(root, {"conf/base.conf": case["config"]})
            bb.parse.handle(root + "/conf/base.conf", d, True, True)
        if case.get("main"):
            result = bb.parse.handle(os.path.join(root, case["main"]), d)
            variants = result if type(result) is dict else {"": result}
            d = variants[""]
    except Exception as e:
        answer["error"] = error_of(e)
    if "error" not in answer or case.get("keep_going"):
        values = {}
        if "python" in case:
            log = []
            try:
                exec(case["python"], {"bb": bb, "d": d, "os": os, "variants": variants, "log": log.append})
            except Exception as e:
                log.append(error_of(e))
            values["python"] = log
        for probe in case.get("probe", ()):
            try:
                values[probe] = ask(probe, d, variants)
            except Exception as e:
                values[probe] = {"error": error_of(e)}
        answer["values"] = values
    if messages.lines and answer.get("error", {}).get("type") != ANY:
        answer["messages"] = messages.lines
    where = os.path.dirname(os.path.dirname(os.path.realpath(bb.__file__)))
    return Places(root, where).any(answer)


ENVIRONMENT_LINE = re.compile(r"^(?:export |unset )?([A-Za-z0-9_.:+~${}/-]+)(?:=|\(\) \{|$)")


def environment_blocks(text):
    """Splits the output of `bitbake -e`: name → its comment and its value, as printed."""
    blocks, pending, name = {}, [], None
    for line in text.split("\n"):
        if name is not None:
            blocks[name].append(line)
            if line == "}" or (not line.endswith("\\") and not blocks[name][-2].endswith("() {")
                               and "() {" not in "".join(blocks[name][:1])):
                name = None
            continue
        match = None if line.startswith("#") else ENVIRONMENT_LINE.match(line)
        if match:
            blocks[match[1]] = pending + [line]
            pending = []
        elif line.startswith("#"):
            pending = ["#", line] if line.startswith("# $") else pending + [line]
        else:
            pending = []
    return {k: "\n".join(v) for k, v in blocks.items()}


def command_case(case, root, command):
    """Runs the `bitbake` program in a build directory of the case's own; returns the answer."""
    write_files(root, case["files"])
    build = os.path.join(root, "build")
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": root, "LC_ALL": "en_US.UTF-8",
           "BBPATH": build, "BB_SERVER_TIMEOUT": "0", "PYTHONHASHSEED": "0", **case.get("env", {})}
    program, *first = shlex.split(command)
    arguments = [shutil.which(program) or program, *first, *case["command"]]
    run = subprocess.run(arguments, cwd=build, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=CASE_SECONDS, text=True)
    answer = {"exit": run.returncode, "values": {}}
    blocks = None
    for probe in case["probe"]:
        kind, _, rest = probe.partition(" ")
        if kind == "env":
            blocks = blocks or environment_blocks(run.stdout)
            answer["values"][probe] = blocks.get(rest)
        elif kind == "file":
            path = os.path.join(root, rest)
            answer["values"][probe] = open(path, encoding="utf-8").read() if os.path.exists(path) else None
        elif kind == "match":
            answer["values"][probe] = sorted(set(re.findall(rest, run.stdout)))
        elif kind == "lines":
            answer["values"][probe] = [x for x in run.stdout.split("\n") if re.search(rest, x)]
        else:
            raise SystemExit("unknown probe `%s`" % probe)
    library = os.path.join(os.path.dirname(os.path.dirname(arguments[0])), "lib")
    return Places(root, library if os.path.isdir(os.path.join(library, "bb")) else "/nowhere").any(answer)


def run_case(case, command):
    """Runs a case in a child process and a folder of its own; returns its answer."""
    root = os.path.realpath(tempfile.mkdtemp(prefix="corpus-"))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            signal.alarm(CASE_SECONDS)
            answer = command_case(case, root, command) if "command" in case else parse_case(case, root)
            with os.fdopen(write, "w", encoding="utf-8") as f:
                json.dump(answer, f)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as f:
        text = f.read()
    status = os.waitpid(child, 0)[1]
    shutil.rmtree(root, ignore_errors=True)
    return json.loads(text) if status == 0 else {"crash": status}
