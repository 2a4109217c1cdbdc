"""Tarballs that fetchers make of what they fetched: complete under their name, or not there."""

import os
import tempfile

import bb.utils

from . import command


def pack(d, target, members, workdir, options=()):
    """Packs `members` of `workdir` into the .tar.gz `target`; `options` are tar's. Raises FetchError."""
    bb.utils.mkdirhier(os.path.dirname(target))
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(target), delete=False) as stream:
        temporary = stream.name
    try:
        command.runfetchcmd(["tar", "-czf", temporary, *options, "--", *members], d, workdir=workdir)
        # Readable for others as far as the umask lets it.
        os.chmod(temporary, 0o666 & ~umask())
        os.rename(temporary, target)
    finally:
        bb.utils.remove(temporary)


def stamp(target):
    """Notes that the tarball is complete: an empty stamp, as mirrors have it."""
    open(target + ".done", "w").close()


def umask():
    """The umask of this process."""
    current = os.umask(0)
    os.umask(current)
    return current
