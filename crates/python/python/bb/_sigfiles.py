"""Signature files: writing, reading, showing and comparing them, and computing hashes from them.

A signature file is zstd-compressed JSON with sorted keys, sets as `{"_set_object": [...]}`.
"""

import difflib
import hashlib
import json
import os

import bb.compress.zstd

_FORMER_NAMES = {"basewhitelist": "basehash_ignore_vars", "taskwhitelist": "taskhash_ignore_tasks"}


class SetEncoder(json.JSONEncoder):
    """Writes sets as sorted lists with a mark."""

    def default(self, obj):
        if isinstance(obj, (set, frozenset)):
            return {"_set_object": sorted(obj)}
        return json.JSONEncoder.default(self, obj)


def SetDecoder(dct):
    """Reads what `SetEncoder` wrote."""
    if "_set_object" in dct:
        return frozenset(dct["_set_object"])
    return dct


def handle_renames(data):
    """Give former names of members their present ones, in place."""
    for former, name in _FORMER_NAMES.items():
        if former in data:
            data[name] = data.pop(former)


def write(path, data):
    """Write a signature file; it appears at once and complete, and may be written by many."""
    import bb.utils
    directory = os.path.dirname(path)
    with bb.utils.umask(0o002):
        bb.utils.mkdirhier(directory)
    handle, temporary = bb.utils.mkstemp(dir=directory, prefix="sigtask.")
    try:
        with bb.compress.zstd.open(handle, "wt", encoding="utf-8", num_threads=1) as file:
            json.dump(data, file, sort_keys=True, separators=(",", ":"), cls=SetEncoder)
        os.chmod(temporary, 0o664)
        os.replace(temporary, path)
    except BaseException:
        try:
            os.unlink(temporary)
        except FileNotFoundError:
            pass
        raise


def read(path):
    """The data of a signature file."""
    with bb.compress.zstd.open(path, "rt", encoding="utf-8", num_threads=1) as file:
        data = json.load(file, object_hook=SetDecoder)
    handle_renames(data)
    return data


def clean_checksum_file_path(file_checksum_tuple):
    """A file's name as signature files have it: from `/./` on if that is in its path, else the base name."""
    path = file_checksum_tuple[0]
    if "/./" in path:
        return "./" + path.split("/./")[1]
    return os.path.basename(path)


def calc_basehash(sigdata):
    """The base hash that the data of a signature file gives."""
    task = sigdata["task"]
    values = sigdata["varvals"]
    text = values.get(task) or ""
    for name in sorted(sigdata["taskdeps"]):
        text += name
        if values.get(name) is not None:
            text += str(values[name])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def calc_taskhash(sigdata):
    """The task hash that the data of a signature file gives."""
    text = sigdata["basehash"]
    for dep in sigdata["runtaskdeps"]:
        text += sigdata["runtaskhashes"][dep]
    for path, checksum in sigdata["file_checksum_values"]:
        if checksum:
            if path.startswith("./"):
                text += path
            text += checksum
    taint = sigdata.get("taint")
    if taint:
        text += taint[len("nostamp:"):] if taint.startswith("nostamp:") else taint
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _taint_shown(taint):
    return taint.replace("nostamp:", "nostamp(uuid4):", 1) if taint and taint.startswith("nostamp:") else taint


def dump_sigfile(a):
    """What a signature file says, as lines."""
    data = read(a)
    output = ["basehash_ignore_vars: %s" % sorted(data["basehash_ignore_vars"]),
              "taskhash_ignore_tasks: %s" % sorted(data["taskhash_ignore_tasks"] or []),
              "Task dependencies: %s" % sorted(data["taskdeps"]),
              "basehash: %s" % data["basehash"]]
    output.extend("List of dependencies for variable %s is %s" % (name, sorted(data["gendeps"][name]))
                  for name in sorted(data["gendeps"]))
    output.extend("Variable %s value is %s" % (name, data["varvals"][name]) for name in sorted(data["varvals"]))
    if "runtaskdeps" in data:
        output.append("Tasks this task depends on: %s" % sorted(data["runtaskdeps"]))
    if "file_checksum_values" in data:
        output.append("This task depends on the checksums of files: %s" % sorted(data["file_checksum_values"]))
    if "runtaskhashes" in data:
        output.extend("Hash for dependent task %s is %s" % (name, data["runtaskhashes"][name])
                      for name in sorted(data["runtaskhashes"]))
    if "taint" in data:
        output.append("Tainted (by forced/invalidated task): %s" % _taint_shown(data["taint"]))
    output.append("Computed base hash is %s and from file %s" % (calc_basehash(data), data["basehash"]))
    if "runtaskdeps" in data and "runtaskhashes" in data:
        output.append("Computed task hash is %s" % calc_taskhash(data))
    else:
        output.append("Unable to compute task hash")
    return output


def init_colors(enable_color):
    """The escape sequences for showing differences, empty if colours are off."""
    sequences = {"color_title": "\033[1m", "color_default": "\033[0m",
                 "color_add": "\033[0;32m", "color_remove": "\033[0;31m"}
    return sequences if enable_color else dict.fromkeys(sequences, "")


class _Change(str):
    """An item of a list of differences that is shown without quotes."""

    def __repr__(self):
        return str(self)


def _word_changes(old, new):
    """What came, went or stayed between two lists of words: (sign, words) pairs."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, first, last, low, high in matcher.get_opcodes():
        if kind == "equal":
            yield "=", old[first:last]
            continue
        if last > first:
            yield "-", old[first:last]
        if high > low:
            yield "+", new[low:high]


def worddiff_str(oldstr, newstr, colors=None):
    """Two texts as one, with [-removed-] and {+added+} words."""
    colors = colors or init_colors(False)
    shown = []
    for sign, words in _word_changes(oldstr.split(" "), newstr.split(" ")):
        text = " ".join(words)
        if sign == "-":
            text = "%s[-%s-]%s" % (colors["color_remove"], text, colors["color_default"])
        elif sign == "+":
            text = "%s{+%s+}%s" % (colors["color_add"], text, colors["color_default"])
        shown.append(text)
    return '"%s"' % " ".join(shown)


def list_inline_diff(oldlist, newlist, colors=None):
    """Two lists as the text of one, with `-removed` and `+added` items."""
    colors = colors or init_colors(False)
    shown = []
    for sign, items in _word_changes(oldlist, newlist):
        text = " ".join(items)
        if sign == "=":
            shown.append(text)
        else:
            color = colors["color_remove" if sign == "-" else "color_add"]
            shown.append(_Change("%s%s%s%s" % (color, sign, text, colors["color_default"])))
    return "[%s]" % ", ".join(repr(item) for item in shown)


class _Comparison(object):
    """The differences of two signature files, as lines."""

    def __init__(self, a, b, recursecb, color, collapsed):
        self.a, self.b = a, b
        self.recurse = recursecb
        self.collapsed = collapsed
        self.color = color
        self.colors = init_colors(color)
        self.output = []

    def title(self, text, **values):
        """A line of its own colour, with values in the default one."""
        if self.color:
            values = {key: self.colors["color_default"] + str(value) + self.colors["color_title"]
                      if key in ("old", "new") else value for key, value in values.items()}
        line = text.format(**values)
        if self.color:
            line = self.colors["color_title"] + line + self.colors["color_default"]
        return line

    def changes(self, name):
        """Keys of a member that changed, came, and went."""
        old, new = self.a.get(name) or {}, self.b.get(name) or {}
        common = set(old) & set(new)
        return ({key for key in common if old[key] != new[key]}, set(new) - set(old), set(old) - set(new))

    def ignored(self):
        name = "basehash_ignore_vars"
        if self.a[name] != self.b[name]:
            self.output.append(self.title(name + " changed from '{old}' to '{new}'", old=self.a[name],
                                          new=self.b[name]))
            self.output.append("changed items: %s" % frozenset(self.a[name]).symmetric_difference(self.b[name]))
        name = "taskhash_ignore_tasks"
        if self.a[name] != self.b[name]:
            self.output.append(self.title(name + " changed from '{old}' to '{new}'", old=self.a[name],
                                          new=self.b[name]))

    def base(self):
        """Differences in what the base hash is made of."""
        if self.a["taskdeps"] != self.b["taskdeps"]:
            self.output.append(self.title("Task dependencies changed from:\n{old}\nto:\n{new}",
                                          old=sorted(self.a["taskdeps"]), new=sorted(self.b["taskdeps"])))
        if self.a["basehash"] != self.b["basehash"] and not self.collapsed:
            self.output.append(self.title("basehash changed from {old} to {new}",
                                          old=self.a["basehash"], new=self.b["basehash"]))
        changed, added, removed = self.changes("gendeps")
        for name in sorted(changed):
            self.output.append(self.title("List of dependencies for variable {name} changed from '{old}' to '{new}'",
                                          name=name, old=self.a["gendeps"][name], new=self.b["gendeps"][name]))
        self.output.extend(self.title("Dependency on variable {name} was added", name=name) for name in sorted(added))
        self.output.extend(self.title("Dependency on Variable {name} was removed", name=name)
                           for name in sorted(removed))
        for name in sorted(self.changes("varvals")[0]):
            self.value(name, self.a["varvals"][name], self.b["varvals"][name])

    def value(self, name, old, new):
        """How a variable's value differs: by words, by lines, or as a whole."""
        if "\n" in str(old) or "\n" in str(new):
            lines = list(difflib.unified_diff(str(old).splitlines(), str(new).splitlines(), lineterm=""))[2:]
            self.output.append(self.title("Variable {name} value changed:", name=name))
            self.output.append("\n".join(self.diff_line(line) for line in lines))
        elif old is not None and new is not None and (" " in old or " " in new):
            self.output.append(self.title("Variable {name} value changed:", name=name))
            self.output.append(worddiff_str(old, new, self.colors))
        else:
            self.output.append(self.title("Variable {name} value changed from '{old}' to '{new}'", name=name,
                                          old=old, new=new))

    def diff_line(self, line):
        kind = {"+": "color_add", "-": "color_remove"}.get(line[:1])
        return self.colors[kind] + line + self.colors["color_default"] if kind and self.color else line

    def files(self):
        """Differences in the checksums of files."""
        if "file_checksum_values" not in self.a or "file_checksum_values" not in self.b:
            return
        old = {clean_checksum_file_path((path, "")) if not path.startswith("./") else path: checksum
               for path, checksum in self.a["file_checksum_values"]}
        new = {clean_checksum_file_path((path, "")) if not path.startswith("./") else path: checksum
               for path, checksum in self.b["file_checksum_values"]}
        for path in sorted(old.keys() & new.keys()):
            if old[path] != new[path]:
                self.output.append(self.title("Checksum for file {path} changed from {old} to {new}", path=path,
                                              old=old[path], new=new[path]))
        self.output.extend(self.title("Dependency on checksum of file {path} was added", path=path)
                           for path in sorted(new.keys() - old.keys()))
        self.output.extend(self.title("Dependency on checksum of file {path} was removed", path=path)
                           for path in sorted(old.keys() - new.keys()))

    def tasks(self):
        """Differences in the tasks depended on, and their hashes."""
        if "runtaskdeps" not in self.a or "runtaskdeps" not in self.b:
            return
        old, new = self.a["runtaskdeps"], self.b["runtaskdeps"]
        if len(old) != len(new):
            self.output.append(self.title("runtaskdeps changed:"))
            self.output.append(list_inline_diff(old, new, self.colors))
            self.output.append(self.title("Number of task dependencies changed"))
        elif not self.recurse:
            self.reordered(old, new)

    def reordered(self, old, new):
        lines = []
        for first, second in zip(old, new):
            hashes = self.a["runtaskhashes"].get(first), self.b["runtaskhashes"].get(second)
            if hashes[0] != hashes[1] or first != second:
                lines.append("%s with hash %s\n changed to\n%s with hash %s" % (first, hashes[0], second, hashes[1]))
        if lines:
            self.output.append(self.title("runtaskdeps changed:"))
            self.output.extend(lines)

    def hashes(self):
        changed, added, removed = self.changes("runtaskhashes")
        if "runtaskhashes" not in self.a or "runtaskhashes" not in self.b:
            return
        old, new = self.a["runtaskhashes"], self.b["runtaskhashes"]
        for name in sorted(added):
            # A task that only got another name is no new one.
            if not any(old[gone] == new[name] for gone in removed):
                self.output.append(self.title("Dependency on task {name} was added with hash {hash}", name=name,
                                              hash=new[name]))
        for name in sorted(removed):
            if not any(new[came] == old[name] for came in added):
                self.output.append(self.title("Dependency on task {name} was removed with hash {hash}", name=name,
                                              hash=old[name]))
        for name in sorted(changed):
            if not self.collapsed:
                self.output.append(self.title("Hash for task dependency {name} changed from {old} to {new}",
                                              name=name, old=old[name], new=new[name]))
            if self.recurse:
                deeper = self.recurse(name, old[name], new[name])
                if deeper:
                    self.output = deeper if self.collapsed else self.output + deeper

    def taint(self):
        old, new = self.a.get("taint"), self.b.get("taint")
        if old != new:
            self.output.append(self.title("Taint (by forced/invalidated task) changed from {old} to {new}",
                                          old=_taint_shown(old), new=_taint_shown(new)))


def compare_sigfiles(a, b, recursecb=None, color=False, collapsed=False):
    """How two signature files differ, as lines.

    `recursecb(task, hash, hash)` gives the lines for a task whose hash changed. With
    `collapsed` only what causes differences is said.
    """
    comparison = _Comparison(read(a), read(b), recursecb, color, collapsed)
    comparison.ignored()
    comparison.base()
    comparison.files()
    comparison.tasks()
    comparison.hashes()
    comparison.taint()
    return comparison.output
