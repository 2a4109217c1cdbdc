#!/usr/bin/env python3
"""Records what BitBake's parser makes of the texts in golden/*.json.

  record.py CHECKOUT_2_18 CHECKOUT_2_8 [FILE..]

Each text is written to a file of its own and handed to BitBake's parser, in a process of its own. The
statements are written down as they are about to be evaluated; nothing is evaluated but functions, each
in an empty datastore, to see what is stored for them. A case's answers are replaced by what BitBake
says now; `2.8` is left out where both versions agree.
"""
import glob
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
OPERATORS = ("colon", "lazyques", "ques", "append", "prepend", "predot", "postdot")


# ---------------------------------------------------------------- within BitBake's process


class Log(logging.Handler):
    """Keeps messages of level WARNING and above."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        if record.levelno >= logging.WARNING:
            self.messages.append([record.levelname, record.getMessage()])


def stored_function(node):
    """The name, value and line that BitBake stores for a function, in a datastore of its own."""
    import bb.data_smart
    import bb.methodpool

    data = bb.data_smart.DataSmart()
    bb.methodpool.insert_method = lambda *args, **kwargs: None
    node.eval(data)
    name = next(n for n in data.keys() if data.getVarFlag(n, "lineno", False))
    return name, data.getVar(name, False), int(data.getVarFlag(name, "lineno", False))


def describe(node):
    """A statement as a list: its kind, its line, its parts."""
    kind, parts = type(node).__name__, vars(node)
    line = parts["lineno"]
    if kind == "DataNode":
        group = parts["groupd"]
        operator = next((group[name] for name in OPERATORS if group[name]), "=")
        return ["assign", line, bool(group["exp"]), group["var"], group["flag"], operator, group["value"]]
    if kind == "MethodNode":
        name, value, lineno = stored_function(node)
        anonymous = parts["func_name"] == "__anonymous"
        body = "\n".join(parts["body"])
        if anonymous:
            assert value == "def %s(d):\n%s" % (name, body) and name.startswith("__anon_%d_" % line)
        else:
            assert value in (None, body)  # None: an override's, kept elsewhere
        python = bool(parts["python"] or anonymous)
        name = "" if anonymous else parts["func_name"]
        return ["function", line, name, python, bool(parts["fakeroot"]), body, lineno]
    if kind == "PythonMethodNode":
        name, value, lineno = stored_function(node)
        assert name == parts["function"]
        return ["def", line, name, value, lineno]
    if kind == "AddTaskNode":
        tasks = parts["tasks"] if "tasks" in parts else parts["func"]
        return ["addtask", line] + [(text or "").split() for text in (tasks, parts["after"], parts["before"])]
    if kind == "IncludeNode":
        return ["require" if parts["force"] else "include", line, parts["what_file"]]
    if kind == "InheritDeferredNode":
        return ["inherit_defer", line, parts["inherit"][0]]
    simple = {
        "ExportNode": ("export", "var"),
        "UnsetNode": ("unset", "var"),
        "UnsetFlagNode": ("unset flag", "var", "flag"),
        "IncludeAllNode": ("include_all", "what_file"),
        "InheritNode": ("inherit", "classes"),
        "DelTaskNode": ("deltask", "tasks"),
        "BBHandlerNode": ("addhandler", "hs"),
        "ExportFuncsNode": ("EXPORT_FUNCTIONS", "n"),
        "PyLibNode": ("addpylib", "libdir", "namespace"),
        "AddFragmentsNode": (
            "addfragments",
            "fragments_path_prefix",
            "fragments_variable",
            "flagged_variables_list_variable",
            "builtin_fragments_variable",
        ),
    }
    names = simple[kind]
    return [names[0], line] + [parts[name] for name in names[1:]]


def answer(case, folder):
    """What BitBake says to a case."""
    import bb
    import bb.data_smart
    import bb.parse
    import bb.parse.ast

    log = Log()
    logger = logging.getLogger("BitBake")
    logger.handlers, logger.propagate = [log], False
    path = os.path.join(folder, case["file"])
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write(case["text"])
    data = bb.data_smart.DataSmart()
    data.setVar("BBPATH", folder)
    statements = []
    bb.parse.ast.StatementGroup.eval = lambda group, data: statements.extend(describe(node) for node in group)
    try:
        bb.parse.handle(path, data, 1, case.get("base", False))
    except bb.BBHandledException:
        pass  # it is in the log
    except IndexError:
        log.messages.append(["ERROR", "IndexError"])
    except bb.parse.ParseError as error:
        log.messages.append(["ERROR", str(error)])
    result = {}
    if statements:
        result["statements"] = statements
    if log.messages:
        result["messages"] = [[level, text.replace(folder + "/", "")] for level, text in log.messages]
    return result


def serve(checkout):
    """Answers the cases on standard input, each in a child process."""
    sys.path.insert(0, os.path.join(checkout, "lib"))
    import bb.data_smart  # before the children, for speed
    import bb.parse  # noqa: F401

    for line in sys.stdin:
        reader, writer = os.pipe()
        if os.fork() == 0:
            folder = tempfile.mkdtemp()
            try:
                text = json.dumps(answer(json.loads(line), folder))
            finally:
                shutil.rmtree(folder)
            os.write(writer, text.encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            print(pipe.read(), flush=True)
        os.wait()


# ---------------------------------------------------------------- the recorder


def ask(checkout, cases):
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    command = [sys.executable, os.path.realpath(__file__), "--serve", checkout]
    done = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def record(path, new, old):
    with open(path, encoding="utf-8") as file:
        topic = json.load(file)
    for case in topic["cases"]:
        case.pop("2.18", None), case.pop("2.8", None)
    cases = topic["cases"]
    for case, first, second in zip(cases, ask(new, cases), ask(old, cases), strict=True):
        case["2.18"] = first
        if second != first:
            case["2.8"] = second
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"about": %s,\n "cases": [\n%s\n ]}\n' % (json.dumps(topic["about"]), lines))
    print(path, len(cases), "cases,", sum("2.8" in case for case in cases), "differ")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    elif len(sys.argv) < 3:
        sys.exit(__doc__)
    else:
        for name in sys.argv[3:] or sorted(glob.glob(os.path.join(HERE, "golden", "*.json"))):
            record(name, sys.argv[1], sys.argv[2])
