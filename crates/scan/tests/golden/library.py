import os
from os.path import join
import bb.parse

CONST = 1

def plain(d):
    """doc"""
    return d.getVar("A")

def _private(d):
    return d.getVar("P")

@bb.parse.vardeps("V1", "V2 V3")
def withdeps(d):
    return d.getVar("B") + plain(d)

@bb.parse.vardepsexclude("B", "C")
def excluded(d):
    return d.getVar("B") + d.getVar("C") + d.getVar("D")

@bb.parse.vardepsexclude("B")
@bb.parse.vardeps("W")
def both(d):
    return d.getVar("B") + bb.utils.contains("F", "x", "", "", d)

def visited(x, d):
    return d.getVar(x)
def _v(name, args):
    return {"VV": {"q"}}, set(), None
visited.visitorcode = _v

def calls(d):
    visited("a", d)
    mymod.visited("b", d)
    _private(d)
    other.thing(d)
    d.getVarFlag("X", "f")
    bb.utils.contains_any("F", "a b", 1, 2, d)

class K:
    def m(self, d):
        return d.getVar("K")

def outer(d):
    def inner(d):
        return d.getVar("I")
    # comment
    return inner(d)
# trailing comment

def oneline(d): return d.getVar("O")

async def asy(d):
    await d.getVar("Y")

def tail(d):
    a()
    # belongs to it
  # does not, but is passed over
    # belongs to it again

class Gone:
    pass
Gone = Gone()
