"""Signature generators, which metadata may subclass, and signature files.

`bb.parse.siggen` holds the one that BB_SIGNATURE_HANDLER names. Task names are
`FILE:do_TASK` (see `bb.runqueue`); data of recipes comes in `dataCaches`, by configuration.
"""

import logging

import bb
import bb.parse
from bb._siggen_base import SignatureGenerator
from bb._siggen_basic import SignatureGeneratorBasic, SignatureGeneratorBasicHash
from bb._siggen_equiv import (HASHSERV_ENVVARS, SignatureGeneratorTestEquivHash, SignatureGeneratorUniHashMixIn,
                              check_hashserv_unihash)

logger = logging.getLogger("BitBake.SigGen")
hashequiv_logger = logging.getLogger("BitBake.SigGen.HashEquiv")

# The version of `find_siginfo` that metadata must at least provide.
find_siginfo_minversion = 2


def check_siggen_version(siggen):
    """Stop unless metadata's `find_siginfo` is recent enough."""
    if not hasattr(siggen, "find_siginfo_version"):
        bb.fatal("Siggen from metadata (OE-Core?) is too old, please update it (no version found)")
    if siggen.find_siginfo_version < siggen.find_siginfo_minversion:
        bb.fatal("Siggen from metadata (OE-Core?) is too old, please update it (%s vs %s)"
                 % (siggen.find_siginfo_version, siggen.find_siginfo_minversion))


def _generators():
    # Metadata adds its own to this module.
    return [item for item in globals().values() if isinstance(item, type) and issubclass(item, SignatureGenerator)]


def module_of(name):
    """The module that defines the generator of a name, or an empty text."""
    return next((item.__module__ for item in _generators() if item.name == (name or "noop")), "")


def init(d):
    """The signature generator that BB_SIGNATURE_HANDLER names; unknown names give "noop" and an error."""
    generators = _generators()
    desired = d.getVar("BB_SIGNATURE_HANDLER") or "noop"
    for generator in generators:
        if desired == generator.name:
            return generator(d)
    logger.error("Invalid signature generator '%s', using default 'noop'\nAvailable generators: %s", desired,
                 ", ".join(generator.name for generator in generators))
    return SignatureGenerator(d)


def build_pnid(mc, pn, taskname):
    """How signature files name a task: `PN:do_TASK`, with `mc:NAME:` in front for other configurations."""
    return "mc:%s:%s:%s" % (mc, pn, taskname) if mc else "%s:%s" % (pn, taskname)


def dump_this_task(outfile, d):
    """Write the signature file of the running task."""
    mcfn = d.getVar("BB_FILENAME")
    task = "do_" + d.getVar("BB_CURRENTTASK")
    base = bb.parse.siggen.stampfile_base(mcfn)
    bb.parse.siggen.dump_sigtask(mcfn, task, outfile, "customfile:" + base)


def __getattr__(name):
    """Reading and comparing signature files is code that few callers need."""
    if name in ("SetDecoder", "SetEncoder", "calc_basehash", "calc_taskhash", "clean_checksum_file_path",
                "compare_sigfiles", "dump_sigfile", "handle_renames", "init_colors", "list_inline_diff",
                "worddiff_str"):
        from bb import _sigfiles
        return getattr(_sigfiles, name)
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
