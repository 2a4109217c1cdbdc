"""Changing the values of variables in recipe and configuration files, keeping everything else."""

import os
import re


def _patterns(variables, match_overrides):
    """(name, pattern, whether a function) of every variable looked for."""
    override = r"(?:_[-\w${}]+)?" if match_overrides else ""
    patterns = []
    for name in variables:
        if name.endswith("()"):
            pattern = re.compile(r"^(%s%s)[ \t]*\([ \t]*\)[ \t]*{" % (name[:-2].rstrip(), override))
            patterns.append((name, pattern, True))
        else:
            pattern = re.compile(r"^(%s%s)[ \t]*([?+:.]*=[+.]*)[ \t]*([\"'])" % (name, override))
            patterns.append((name, pattern, False))
    return patterns


class _Statement(object):
    """An assignment or function found in a file: its lines, and how to write it anew."""

    def __init__(self, match, function, line):
        self.name = match.group(1) + ("()" if function else "")
        self.function = function
        self.operator = "" if function else match.group(2)
        self.start = match.group(0)
        self.text = line[match.end():]
        self.lines = [line]

    def complete(self):
        """Whether all lines of the statement are there."""
        if self.function:
            return self.lines[-1].startswith("}")
        return self.text.rstrip().endswith(self.start[-1])

    def add(self, line):
        self.lines.append(line)
        self.text += line

    def value(self):
        """The value as written, continued lines joined; of a function its body."""
        if self.function:
            return self.text[:self.text.rstrip().rindex("}")]
        return self.text.rstrip()[:-1].replace("\\\n", "").replace("\n", "")

    def written(self, value, operator, indent, minbreak):
        """The lines of the statement with another value."""
        if self.function:
            return self._function_lines(value, indent)
        start = "%s %s " % (self.name, operator or self.operator)
        if isinstance(value, list) and len(value) == 1 and minbreak:
            value = value[0]
        if not isinstance(value, list):
            return ['%s"%s"\n' % (start, value)]
        if not value:
            return ['%s""\n' % start]
        indent = self._indent(indent, len(start) + 1)
        if minbreak:
            lines = ['%s"%s \\\n' % (start, value[0])]
            value = value[1:]
        else:
            lines = ['%s" \\\n' % start]
        lines.extend("%s%s \\\n" % (indent, item) for item in value)
        lines.append('%s"\n' % indent)
        return lines

    @staticmethod
    def _indent(indent, opening):
        if isinstance(indent, str):
            return indent
        return " " * (opening if indent < 0 else indent)

    def _function_lines(self, value, indent):
        if isinstance(value, list):
            indent = self._indent(indent, len(self.name) + 2)
            value = "\n" + indent + ("\n" + indent).join(value) + "\n"
        else:
            if value and not value.endswith("\n"):
                value += "\n"
            if not value.startswith("\n"):
                value = "\n" + value
        return ["%s {%s}\n" % (self.name, value)]


def _drop_doubled_blank(newlines, following):
    """After a removal two blank lines may meet; keep one. Whether `following` is the one to leave out."""
    return not following.strip() and bool(newlines) and not newlines[-1].strip()


def edit_metadata(meta_lines, variables, varfunc, match_overrides=False):
    """Change variables in the lines of a recipe or configuration file.

    `variables` are names, or regular expressions for names, functions with `()` at the
    end. For each one found `varfunc(name, value, operator, lines so far)` gives a tuple:
    the new value (text, a list to be written one item a line, or None to remove it), the
    new operator or None to keep it, the indentation of listed items (a number, -1 for that
    of the opening quote, or text), and whether the first item stays on the first line. It
    may add lines before the statement to the lines so far. With `match_overrides` names
    with `_override` at the end match too. Gives whether anything changed, and all lines.
    """
    patterns = _patterns(variables, match_overrides)
    newlines = []
    updated = False
    removed = False
    statement = None
    for line in meta_lines:
        if statement is None:
            for _, pattern, function in patterns:
                match = pattern.match(line)
                if match:
                    statement = _Statement(match, function, line)
                    break
            else:
                if removed and _drop_doubled_blank(newlines, line):
                    removed = False
                    continue
                removed = False
                newlines.append(line)
                continue
            if statement.function or not statement.complete():
                continue
        else:
            statement.add(line)
            if not statement.complete():
                continue
        before = len(newlines)
        changed, removed = _replace(statement, varfunc, newlines)
        updated = updated or changed or len(newlines) - before != len(statement.lines)
        statement = None
    if statement is not None:
        # DIFFERS: lines of a statement that never ends are kept; BitBake loses them.
        newlines.extend(statement.lines)
    return updated, newlines


def _replace(statement, varfunc, newlines):
    """Ask `varfunc` about a statement and write its answer; (whether changed, whether removed)."""
    old = statement.value()
    value, operator, indent, minbreak = varfunc(statement.name, old, statement.operator, newlines)
    if value is None:
        return True, True
    if value == old and operator in (None, statement.operator):
        newlines.extend(statement.lines)
        return False, False
    newlines.extend(statement.written(value, operator, indent, minbreak))
    return True, False


def edit_metadata_file(meta_file, variables, varfunc):
    """Change variables in a file, see `edit_metadata`; whether the file was written anew."""
    with open(meta_file, "r") as file:
        updated, newlines = edit_metadata(file, variables, varfunc)
    if updated:
        with open(meta_file, "w") as file:
            file.writelines(newlines)
    return updated


def _as_list(value):
    return [value] if isinstance(value, str) else list(value or [])


def _without_slash(path):
    return path.rstrip("/") if len(path) > 1 else path


class _LayerEdit(object):
    """The layers to add to and remove from BBLAYERS, and what became of them."""

    def __init__(self, add, remove, edit_cb):
        self.add = [_without_slash(path) for path in _as_list(add)]
        self.remove = [_without_slash(path) for path in _as_list(remove)]
        self.callback = edit_cb
        self.present = []
        self.operators = []

    @staticmethod
    def _full(path):
        """A path with the user's home in place of `~`."""
        if path.startswith("~"):
            return os.environ.get("HOME", "~") + path[1:]
        return path

    def survey(self, name, value, op, newlines):
        """First reading: note layers and operators, change nothing."""
        self.operators.append(op)
        self.present.extend(self._full(_without_slash(path)) for path in value.split())
        return value, None, 2, False

    def settle(self):
        """Sort out which additions and removals have no effect: (not added, not removed)."""
        import fnmatch
        self.removing = []
        notremoved = []
        for pattern in self.remove:
            # A pattern takes away the first layer it matches.
            for layer in self.present:
                if layer not in self.removing and fnmatch.fnmatchcase(layer, self._full(pattern)):
                    self.removing.append(layer)
                    break
            else:
                notremoved.append(pattern)
        notadded = []
        self.adding = []
        staying = [layer for layer in self.present if layer not in self.removing]
        for layer in self.add:
            if self._full(layer) in staying:
                notadded.append(layer)
            elif layer not in self.adding:
                self.adding.append(layer)
        # Where BBLAYERS is built of single `+=` lines, additions are such lines too.
        self.appended = self.adding if self.operators.count("+=") > 1 else []
        if self.appended:
            self.adding = []
        return notadded, notremoved

    def apply(self, name, value, op, newlines):
        """Second reading: the changed list of layers."""
        layers = [_without_slash(path) for path in value.split()]
        changed = [layer for layer in layers if self._full(layer) not in self.removing]
        if self.adding:
            changed += self.adding
            self.adding = []
        if self.callback:
            changed = [self.callback(layer, self._full(layer)) for layer in changed]
        if changed == layers:
            return value, None, 2, False
        if not changed:
            return (None if op == "+=" else ""), None, 2, False
        return changed, None, 2, False


def edit_bblayers_conf(bblayers_conf, add, remove, edit_cb=None):
    """Add layers to and remove layers (also by pattern) from BBLAYERS in a bblayers.conf.

    `edit_cb(path, full path)`, if given, gives the path to write for every layer. Gives
    the layers that were there already, and those to be removed that were not there.
    """
    edit = _LayerEdit(add, remove, edit_cb)
    with open(bblayers_conf, "r") as file:
        lines = file.readlines()
    edit_metadata(lines, ["BBLAYERS"], edit.survey)
    if not edit.operators:
        raise Exception("Unable to find BBLAYERS in %s" % bblayers_conf)
    notadded, notremoved = edit.settle()
    updated, newlines = edit_metadata(lines, ["BBLAYERS"], edit.apply)
    if edit.appended:
        newlines.extend('BBLAYERS += "%s"\n' % layer for layer in edit.appended)
        updated = True
    if updated:
        with open(bblayers_conf, "w") as file:
            file.writelines(newlines)
    return notadded, notremoved
