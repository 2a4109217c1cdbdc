"""Names of recipe variants: `virtual:VARIANT:FILE`, with `mc:NAME:` in front for other configurations."""

import logging

logger = logging.getLogger("BitBake.Cache")


def virtualfn2realfn(virtualfn):
    """(file, variant, configuration) of a name."""
    mc = variant = ""
    if virtualfn.startswith("mc:") and virtualfn.count(":") >= 2:
        _, mc, virtualfn = virtualfn.split(":", 2)
    if virtualfn.startswith("virtual:"):
        variant, _, virtualfn = virtualfn[len("virtual:"):].rpartition(":")
    return virtualfn, variant, mc


def realfn2virtual(realfn, cls, mc):
    """The name of a file's variant in a configuration."""
    name = "virtual:%s:%s" % (cls, realfn) if cls else realfn
    return "mc:%s:%s" % (mc, name) if mc else name


def variant2virtual(realfn, variant):
    """The name of a file's variant, `mc:NAME:` at the start of the variant being the configuration."""
    if variant == "":
        return realfn
    if variant.startswith("mc:") and variant.count(":") >= 2:
        _, mc, rest = variant.split(":", 2)
        return "mc:%s:%s" % (mc, realfn2virtual(realfn, rest, ""))
    return "virtual:%s:%s" % (variant, realfn)


def getCacheFile(path, filename, mc, data_hash):
    """The path of a cache file for a configuration."""
    import os
    if mc:
        filename = "%s.%s" % (filename, mc)
    return os.path.join(path, "%s.%s" % (filename, data_hash))
