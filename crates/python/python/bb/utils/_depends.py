"""Dependency lists in the style of RDEPENDS: `name (op version) name ...`."""

import re
from collections import OrderedDict

import bb
from bb.utils._version import VersionStringException

_OPERATOR = re.compile(r"<=|>=|<<|>>|!=|==|=<|=>|<|>|=")


def explode_deps(s):
    """The names of a dependency list, without the versions."""
    names = []
    inside = False
    for word in s.split():
        if word.startswith("("):
            inside = True
        if not inside:
            names.append(word)
        if inside and word.endswith(")"):
            inside = False
    return names


class _Constraint(object):
    """The state of reading one name's `(op version)`, word by word."""

    def __init__(self):
        self.open = False
        self.operator = None
        self.version = ""

    def begin(self, word):
        """Take a word that starts with a parenthesis; what follows it."""
        self.open = True
        self.operator = None
        return word[1:]

    def take(self, word):
        """Take a word within the parentheses; the constraint known so far, or None."""
        closing = word.endswith(")")
        text = word[:-1] if closing else word
        if self.operator is None and (text or closing):
            match = _OPERATOR.match(text)
            if not match:
                raise VersionStringException(
                    'Invalid version specification in "(%s" - invalid or missing operator' % word)
            self.operator = match.group()
            text = text[match.end():]
        self.open = not closing
        if not text:
            return None
        # BitBake: the last of several words is set off by a space, the others are run together.
        self.version = ("%s %s" % (self.version, text)).strip() if closing else self.version + text
        return "%s %s" % (self.operator, self.version)


def explode_dep_versions2(s, *, sort=True):
    """A dependency list as an ordered dictionary: name to list of "op version" strings.

    A name given several times gathers the versions of all; names are sorted unless
    `sort` is false. Raises `VersionStringException` where the operator is missing.
    """
    found = OrderedDict()
    name, constraint = None, _Constraint()
    for word in s.replace(",", "").split():
        if word.startswith("("):
            word = constraint.begin(word)
        if constraint.open:
            text = constraint.take(word)
            if text is not None:
                found.setdefault(name, []).append(text)
        else:
            name, constraint = word, _Constraint()
            found.setdefault(name, [])
    return OrderedDict(sorted(found.items())) if sort else found


def explode_dep_versions(s):
    """Like `explode_dep_versions2`, with only the first version of each name, or None.

    Warns about every name with several versions.
    """
    found = explode_dep_versions2(s)
    for name, versions in found.items():
        if len(versions) > 1:
            bb.warn("explode_dep_versions(): Item %s appeared in dependency string '%s' multiple times with "
                    "different values.  explode_dep_versions cannot cope with this." % (name, s))
        found[name] = versions[0] if versions else None
    return found


def join_deps(deps, commasep=True):
    """The dependency list of a dictionary as the explode functions give it."""
    items = []
    for name, versions in deps.items():
        if not versions:
            items.append(name)
        elif isinstance(versions, list):
            items.extend("%s (%s)" % (name, version) for version in versions)
        else:
            items.append("%s (%s)" % (name, versions))
    return (", " if commasep else " ").join(items)
