"""Finding and parsing configuration files."""

import logging
import os

import bb
import bb.parse

logger = logging.getLogger("BitBake")
parselog = logging.getLogger("BitBake.Parsing")


def parse_config_file(fn, data, include=True):
    """Parse a configuration file into a datastore; `BBHandledException` after a message if that fails."""
    try:
        return bb.parse.handle(fn, data, include, baseconfig=True)
    except bb.BBHandledException:
        raise
    except (OSError, bb.parse.ParseError, bb.data_smart.ExpansionError) as err:
        parselog.critical("Unable to parse %s: %s", fn, err)
        raise bb.BBHandledException() from err


def findConfigFile(configfile, data):
    """The path of `conf/FILE`, looked for upwards from the present directory and then along BBPATH."""
    places = []
    path = os.getcwd()
    while True:
        places.append(path)
        parent = os.path.dirname(path)
        if parent == path:
            break
        path = parent
    places.extend((data.getVar("BBPATH") or "").split(":"))
    for place in places:
        candidate = os.path.join(place, "conf", configfile)
        if place and os.path.exists(candidate):
            return candidate
    return None


def findTopdir():
    """The build directory: that of the nearest conf/bblayers.conf."""
    d = bb.data.init()
    bbpath = os.environ.get("BBPATH")
    if bbpath:
        d.setVar("BBPATH", bbpath)
    conf = findConfigFile("bblayers.conf", d)
    return os.path.dirname(os.path.dirname(conf)) if conf else None
