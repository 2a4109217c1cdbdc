"""What the signature of a task stands on: variables, their values, and the base hash.

The rule is that of BitBake's signatures: a variable counts with its value before
expansion but after overrides; what the value and the code in it refer to counts too, and
so do flags. Reached through `bb.data`.
"""

import hashlib

import bb
from bb import _native
from bb.codeparser import PythonParser, ShellParser, modulecode_deps
from bb.utils import logger

# Flags whose values change nothing that runs, beyond BB_SIGNATURE_EXCLUDE_FLAGS.
_FLAGS_OF_DEPENDENCY = ("vardeps", "vardepsexclude", "vardepvalue", "vardepvalueexclude")


def _with_contains(value, contains, exclusions, d):
    """A value with a line for every word that `bb.utils.contains` asks for, and whether it is set."""
    lines = []
    for name in sorted(contains):
        if name in exclusions:
            continue
        held = set((d.getVar(name, True) or "").split())
        for words in sorted(contains[name]):
            state = "Set" if set(words.split()) <= held else "Unset"
            lines.append("\n%s{%s} = %s" % (name, words, state))
    return (value or "") + "".join(lines)


def _with_removes(value, removes):
    """A value with a line for every text that is removed from it."""
    return value + "".join("\n_remove of %s" % text for text in sorted(removes))


class _Reader(object):
    """Reads the dependencies of one variable; `parsedata` is the datastore code is looked at in."""

    def __init__(self, key, names, mod_funcs, shelldeps, varflagsexcl, ignored, d, parsedata):
        self.key = key
        self.names = names
        self.mod_funcs = mod_funcs
        self.shelldeps = shelldeps
        self.varflagsexcl = varflagsexcl
        self.ignored = ignored
        self.d = d
        self.parsedata = parsedata
        self.deps = set()

    def module_function(self):
        """Dependencies and value of a function of a registered Python library."""
        references, execs, contains, value = modulecode_deps[self.key]
        self.deps |= (self.names & references) | (execs & (self.names | self.mod_funcs))
        return _with_contains(value, contains, self.ignored, self.d)

    def variable(self):
        """Dependencies and value of a variable or function of the metadata."""
        d, key = self.d, self.key
        if "[" in key and key.endswith("]"):
            name, flag = key[:-1].split("[", 1)
            value, parser = d.getVarFlag(name, flag, False, retparser=True)
            self.deps |= self._from_parser(parser)
            return _with_contains(value, parser.contains if parser else {}, self.ignored, d)

        flags = d.getVarFlags(key, list(_FLAGS_OF_DEPENDENCY) + ["export", "postfuncs", "prefuncs", "lineno",
                                                                 "filename"]) or {}
        exclusions = set((d.expand(flags.get("vardepsexclude") or "")).split()) | set(self.ignored)
        if "vardepvalue" in flags:
            value = d.expand(flags["vardepvalue"])
        else:
            value = self._content(flags, exclusions)
        for text in (flags.get("vardepvalueexclude") or "").split("|"):
            if text:
                value = value.replace(d.expand(text), "")
        self._add_flags(flags)
        self.deps |= set(d.expand(flags.get("vardeps") or "").split())
        self.deps -= exclusions
        return value

    def _content(self, flags, exclusions):
        d, key = self.d, self.key
        function = d.getVarFlag(key, "func", False)
        store = self.parsedata if function else d
        value, parser = store.getVarFlag(key, "_content", False, retparser=True)
        contains = dict(parser.contains) if parser else {}
        if function and d.getVarFlag(key, "python", False):
            scan = PythonParser(key, logger)
            scan.parse_python(value or "", flags.get("lineno") or 0, flags.get("filename") or "<string>")
            self.deps |= (scan.references & self.names) | self._from_parser(parser)
            self.deps |= scan.execs & (self.names | self.mod_funcs)
            contains = _merged(contains, scan.contains)
        elif function:
            scan = ShellParser(key, logger)
            text = parser.value if parser else value
            self.deps |= self.shelldeps | self._from_parser(parser)
            self.deps |= scan.parse_shell(text or "") & self.names
        else:
            self.deps |= self._from_parser(parser)
        value = "" if value is None else str(value)
        # Removals count with their text; they are looked into as well.
        removes = _native.removes(store, key)
        for text in removes:
            self.deps |= self._from_parser(store.expandWithRefs(text, None))
        return _with_contains(_with_removes(value, removes), contains, exclusions, d)

    def _from_parser(self, parser):
        if parser is None:
            return set()
        return (parser.references & self.names) | (parser.execs & (self.names | self.mod_funcs))

    def _add_flags(self, flags):
        d, key = self.d, self.key
        for flag in ("prefuncs", "postfuncs"):
            self.deps |= set((flags.get(flag) or "").split())
        if "exports" in (d.getVarFlags(key) or {}):
            self.deps |= set((d.getVarFlag(key, "exports") or "").split())
        known = d.getVarFlags(key) or {}
        self.deps |= {"%s[%s]" % (key, flag) for flag in known
                      if flag not in self.varflagsexcl and flag not in _FLAGS_OF_DEPENDENCY
                      and not flag.startswith("_")}


def _merged(first, second):
    merged = {name: set(words) for name, words in first.items()}
    for name, words in second.items():
        merged.setdefault(name, set()).update(words)
    return merged


def build_dependencies(key, keys, mod_funcs, shelldeps, varflagsexcl, ignored_vars, d, codeparsedata):
    """(the names that variable `key` depends on, its value as signatures take it)."""
    reader = _Reader(key, set(keys), set(mod_funcs), set(shelldeps), set(varflagsexcl), set(ignored_vars), d,
                     codeparsedata)
    try:
        if key in mod_funcs:
            value = reader.module_function()
        else:
            value = reader.variable()
    except bb.parse.SkipRecipe:
        raise
    except Exception as err:
        bb.warn("Exception during build_dependencies for %s" % key)
        raise err
    reader.deps.discard(key)
    return frozenset(reader.deps), value


def generate_dependencies(d, ignored_vars):
    """(tasks, names that every variable depends on, values) of all that a recipe's tasks reach."""
    names = {name for name in d.keys() if not name.startswith("__")}
    mod_funcs = set(modulecode_deps)
    shelldeps = {name for name in d.getVar("__exportlist", False) or ()
                 if d.getVarFlag(name, "export", False) and not d.getVarFlag(name, "unexport", False)}
    excluded = set((d.getVar("BB_SIGNATURE_EXCLUDE_FLAGS") or "").split())
    parsedata = d.createCopy()
    for item in (d.getVar("BB_HASH_CODEPARSER_VALS") or "").split():
        name, _, value = item.partition("=")
        parsedata.setVar(name, value.replace("%20", " "))

    deps, values = {}, {}
    tasklist = d.getVar("__BBTASKS", False) or []
    waiting = list(tasklist)
    while waiting:
        key = waiting.pop()
        if key in deps:
            continue
        deps[key], values[key] = build_dependencies(key, names, mod_funcs, shelldeps, excluded, ignored_vars, d,
                                                    parsedata)
        waiting.extend(deps[key] - deps.keys())
    return tasklist, deps, values


def generate_dependency_hash(tasklist, gendeps, lookupcache, ignored_vars, fn):
    """(sorted dependencies of every task, the tasks' base hashes by `fn:task`)."""
    taskdeps, basehash = {}, {}
    for task in tasklist:
        seen = set()
        waiting = set(gendeps[task]) - set(ignored_vars)
        while waiting:
            name = waiting.pop()
            seen.add(name)
            waiting |= set(gendeps.get(name, ())) - seen - set(ignored_vars)
        seen.discard(task)
        ordered = sorted(seen)
        text = [lookupcache[task] or ""]
        for name in ordered:
            text.append(name)
            value = lookupcache.get(name)
            if value is not None:
                text.append(str(value))
        taskdeps[task] = ordered
        basehash["%s:%s" % (fn, task)] = hashlib.sha256("".join(text).encode("utf-8")).hexdigest()
    return taskdeps, basehash
