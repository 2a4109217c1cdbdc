"""Where variables were changed, and which file included which (see `d.enableTracking()`)."""

import os


class IncludeHistory(object):
    """The tree of files that were parsed into a datastore."""

    def __init__(self, d=None, filename="[TOP LEVEL]", children=None):
        self.filename = filename
        if children is None:
            children = d._includes() if d is not None else []
        self.children = [IncludeHistory(None, name, below) for name, below in children]

    def copy(self):
        return self

    def emit(self, o, level=0):
        """Write the tree as a comment, indented by level; the last line is not ended."""
        if level == 0:
            o.write("#\n# INCLUDE HISTORY:\n#")
        else:
            o.write("\n# %s%s" % ("  " * (level - 1), self.filename))
            if self.children:
                o.write(" includes:")
        for child in self.children:
            child.emit(o, level + 1)


class VariableHistory(object):
    """The changes recorded for the variables of a datastore."""

    def __init__(self, dataroot):
        self.dataroot = dataroot

    def variable(self, var):
        """The changes of a variable in order, as dictionaries (op, detail, file, line, flag, func)."""
        return self.dataroot._history(var)

    def del_var_history(self, var, f=None, line=None):
        """Forget the changes of a variable."""
        self.dataroot._history_forget(var)

    def get_variable_files(self, var):
        """The files that set or changed a variable, one for each change."""
        return [event["file"] for event in self.variable(var) if event.get("file") and not event.get("flag")]

    def get_variable_lines(self, var, f):
        """The lines of file `f` that set or changed a variable."""
        return [event["line"] for event in self.variable(var) if event.get("file") == f and not event.get("flag")]

    def get_variable_refs(self, var):
        """The lines that set or changed a variable, by file."""
        refs = {}
        for event in self.variable(var):
            if event.get("file") and not event.get("flag"):
                refs.setdefault(event["file"], []).append(event["line"])
        return refs

    def get_variable_items_files(self, var):
        """For every word in a list variable the file that added it."""
        d = self.dataroot
        files = {}
        current = (d.getVar(var) or "").split()
        for event in self.variable(var):
            if event.get("flag"):
                continue
            if event.get("op") == "set":
                files = {}
            for item in (d.expand(str(event.get("detail") or "")) or "").split():
                if item in current:
                    files.setdefault(item, event.get("file"))
        return files

    def emit(self, var, oval, val, o, d):
        """Write the changes of a variable as a comment, then the value before expansion if it differs."""
        history = self.variable(var)
        for name, overrides in self.dataroot._override_versions(var):
            history += [dict(event, op="override[%s]:%s" % (overrides, event["op"]))
                        for event in self.variable(name) if event.get("flag") in (None, "_defaultval")]
        count = len(history)
        noted = " [%d operations]" % count if count > 1 else ""
        o.write("#\n# $%s%s\n" % (var, noted))
        if not history:
            o.write("#   [no history recorded]\n#\n")
            o.write('#   "%s"\n' % _commented(oval, "#"))
            return
        for event in history:
            place, function = event.get("file") or "[environment]", ""
            if event.get("func"):
                # Code is found by its function; its folder is not shown.
                place, function = os.path.basename(place), " [%s]" % event["func"]
            if event.get("file"):
                place += ":%s" % event.get("line")
            if event.get("flag"):
                o.write("#   %s %s%s\n#     [%s] \"%s\"\n" % (event["op"], place, function, event["flag"],
                                                           _commented(event.get("detail"), "#     ")))
            else:
                o.write("#   %s %s%s\n#     \"%s\"\n" % (event["op"], place, function,
                                                      _commented(event.get("detail"), "#     ")))
        if count > 1:
            o.write('# pre-expansion value:\n#   "%s"\n' % _commented(oval, "#"))


def _commented(value, start):
    return str(value).replace("\n", "\n" + start)
