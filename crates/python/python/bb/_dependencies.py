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

    def __init__(self, key, names, shelldeps, varflagsexcl, ignored, d, parsedata):
        self.key = key
        self.names = names
        self.shelldeps = shelldeps
        self.varflagsexcl = varflagsexcl
        self.ignored = ignored
        self.d = d
        self.parsedata = parsedata
        self.deps = set()

    def module_function(self):
        """Dependencies and value of a function of a registered Python library."""
        references, execs, contains, value = modulecode_deps[self.key]
        self.deps |= references | (execs & self.names)
        return _with_contains(value, contains, self.ignored, self.d)

    def variable(self):
        """Dependencies and value of a variable or function of the metadata."""
        d, key = self.d, self.key
        if "[" in key and key.endswith("]"):
            name, flag = key[:-1].split("[", 1)
            value, parser = d.getVarFlag(name, flag, False, retparser=True)
            self._refer(parser)
            return None if value is None else _with_contains(value, parser.contains, self.ignored, d)

        flags = d.getVarFlags(key) or {}
        exclusions = set(self._words(flags, "vardepsexclude")) | set(self.ignored)
        if "vardepvalue" in flags:
            value = d.expand(flags["vardepvalue"])
        else:
            value = self._content(flags, exclusions)
        for text in (flags.get("vardepvalueexclude") or "").split("|"):
            if text:
                value = value.replace(text, "")
        for flag in ("prefuncs", "postfuncs", "exports", "vardeps"):
            self.deps |= set(self._words(flags, flag))
        if self.varflagsexcl:
            # BitBake: without anything to exclude flags do not count at all.
            self.deps |= {"%s[%s]" % (key, flag) for flag in flags
                          if flag not in self.varflagsexcl and not flag.startswith("_")}
        self.deps -= exclusions
        return value

    def _words(self, flags, flag):
        return (self.d.expand(flags.get(flag)) or "").split()

    def _content(self, flags, exclusions):
        """The value, with what the code in it refers to added to the dependencies."""
        d, key = self.d, self.key
        store = self.parsedata if flags.get("func") else d
        value, parser = store.getVarFlag(key, "_content", False, retparser=True)
        contains = dict(parser.contains)
        self._refer(parser)
        if flags.get("func") and flags.get("python"):
            scan = PythonParser(key, logger)
            scan.parse_python(value or "", flags.get("lineno") or 0, flags.get("filename") or "<string>")
            self._refer(scan)
            contains = _merged(contains, scan.contains)
        elif flags.get("func"):
            self.deps |= self.shelldeps
            self.deps |= ShellParser(key, logger).parse_shell(parser.value or "") & self.names
        value = "" if value is None else str(value)
        # Removals count with their text; they are looked into as well.
        removes = _native.removes(store, key)
        for text in removes:
            removal = store.expandWithRefs(text, None)
            self._refer(removal)
            contains = _merged(contains, removal.contains)
        return _with_contains(_with_removes(value, removes), contains, exclusions, d)

    def _refer(self, found):
        """Take references as they are, but of functions called only those that are known."""
        self.deps |= found.references | (found.execs & self.names)


def _merged(first, second):
    merged = {name: set(words) for name, words in first.items()}
    for name, words in second.items():
        merged.setdefault(name, set()).update(words)
    return merged


def build_dependencies(key, keys, mod_funcs, shelldeps, varflagsexcl, ignored_vars, d, codeparsedata):
    """(the names that variable `key` depends on, its value as signatures take it)."""
    reader = _Reader(key, set(keys), set(shelldeps), set(varflagsexcl), set(ignored_vars), d, codeparsedata)
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
    return frozenset(reader.deps), value


def generate_dependencies(d, ignored_vars):
    """(tasks, names that every variable depends on, values) of all that a recipe's tasks reach."""
    mod_funcs = set(modulecode_deps)
    names = {name for name in d.keys() if not name.startswith("__")} | mod_funcs
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
