"""Comparing version strings.

A version is split into runs of digits, runs of letters and single other characters, and
two versions are compared piece by piece: numbers sort before words, words before signs.
The end of a version sorts before all of these, and `~` even before the end.
"""

import operator
import re

_PIECE = re.compile(r"([0-9]+)|([a-zA-Z]+)|(.)", re.DOTALL)
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$", re.ASCII)

_TILDE, _NUMBER, _WORD, _SIGN = -1, 0, 1, 2

# Sorts between `~` and every number.
_END = (_NUMBER, -1)

_OPERATORS = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">>": operator.gt, ">=": operator.ge,
}


class VersionStringException(Exception):
    """A version specification or a comparison operator that is not one."""


def explode_version(s):
    """Split a version into (class, value) pairs whose order is that of the pieces."""
    pieces = []
    for number, word, sign in _PIECE.findall(s):
        if number:
            pieces.append((_NUMBER, int(number)))
        elif word:
            pieces.append((_WORD, word))
        else:
            pieces.append((_TILDE if sign == "~" else _SIGN, sign))
    return pieces


def split_version(s):
    """Split `PE:PV-PR` into (PE as a number, PV, PR); absent parts are 0 and empty."""
    text = s.strip(" <>=")
    epoch = 0
    if ":" in text:
        epoch, text = text.split(":")[:2]
    version, revision = text, ""
    if "-" in text:
        version, revision = text.rsplit("-", 1)
    return int(epoch), version, revision


def vercmp_part(a, b):
    """Compare two versions without epoch and revision: -1, 0 or 1."""
    left, right = explode_version(a), explode_version(b)
    length = max(len(left), len(right))
    left += [_END] * (length - len(left))
    right += [_END] * (length - len(right))
    return (left > right) - (left < right)


def vercmp(ta, tb):
    """Compare two (PE, PV, PR) triples: negative, 0 or positive."""
    epoch = int(ta[0] or 0) - int(tb[0] or 0)
    return epoch or vercmp_part(ta[1], tb[1]) or vercmp_part(ta[2], tb[2])


def vercmp_string(a, b):
    """Compare two version strings `PE:PV-PR`: negative, 0 or positive."""
    return vercmp(split_version(a), split_version(b))


def vercmp_string_op(a, b, op):
    """Whether `a op b` holds; `op` is one of = == != < << <= > >> >= (`<<` means `<`)."""
    try:
        holds = _OPERATORS[op]
    except KeyError:
        raise VersionStringException('Unsupported comparison operator "%s"' % op) from None
    return holds(vercmp_string(a, b), 0)


def is_semver(version):
    """Whether `version` is a semantic version (semver.org, 2.0.0)."""
    return _SEMVER.match(version) is not None
