"""What a recipe takes from outside, for reports: can the build go offline, under which licences is what it fetches."""

import os

from .errors import redact
from .fetch import Fetch


def sources(d):
    """Each entry of SRC_URI as a dictionary of plain values, in order, submodules after their repository.

    Keys: recipe, version, license, url, localpath (empty for files of the layers),
    donestamp, tarballs (what would do instead), revision, checksums by kind, stamped (those
    of the stamp), complete (whether a repository's clone has the revision; None for files).
    """
    from . import checksums, registry

    common = {"recipe": d.getVar("PN") or "", "version": d.getVar("PV") or "", "license": d.getVar("LICENSE") or ""}
    urls = (d.getVar("SRC_URI") or "").split()
    if not urls:
        return []
    dldir = d.getVar("DL_DIR") or ""
    found = []
    for ud in Fetch(urls, d).expanded_urldata():
        ud.setup_localpath(d)
        local = registry.is_local(ud.method)
        found.append(dict(
            common,
            url=redact(ud.url),
            localpath="" if local else ud.localpath,
            donestamp=ud.donestamp if ud.needdonestamp else None,
            tarballs=[os.path.join(dldir, name) for name in ud.mirrortarballs],
            revision=getattr(ud, "revision", None),
            checksums=checksums.expected(ud),
            stamped=checksums.read_stamp(ud.donestamp) if ud.needdonestamp else {},
            complete=not ud.method.need_update(ud, d) if ud.method.supports_srcrev() else None))
    return found
