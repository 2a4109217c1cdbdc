"""`crate://`: Rust packages from a crate registry."""

import json
import os
import re

import bb.utils

from . import checksums, command, tracing, unpack
from .errors import ParameterError
from .wget import Wget


class Crate(Wget):
    """Fetcher of crates: `crate://REGISTRY/NAME/VERSION`."""

    schemes = ("crate",)

    def urldata_init(self, ud, d):
        """The download's URL, its name, and the registry's index entry."""
        match = re.match(r"^crate://(.*)/([^/]+)/([^/;]*)(;.*)?$", ud.url)
        if not match:
            raise ParameterError("Invalid URL: Must be crate://HOST/NAME/VERSION", ud.url)
        host, name, version, _ = match.groups()
        if host == "crates.io":
            ud.url = "https://static.crates.io/crates/%s/%s/download" % (name, version)
            ud.versionsurl = "https://index.crates.io/" + _index_path(name)
        else:
            ud.url = "https://%s/%s/%s/download" % (host, name, version)
            ud.versionsurl = "https://%s/%s/versions" % (host, name)
        ud.parm["downloadfilename"] = "%s-%s.crate" % (name, version)
        ud.parm.setdefault("name", "%s-%s" % (name, version))
        super().urldata_init(ud, d)

    def unpack(self, urldata, rootdir, data):
        """To where cargo looks for vendored crates; the recipe's own crate to the root."""
        name = os.path.splitext(os.path.basename(urldata.localpath))[0]
        own = name == data.getVar("BP")
        folder = rootdir if own else os.path.join(rootdir, "cargo_home", "bitbake")
        bb.note("Unpacking %s to %s/" % (urldata.localpath, rootdir.rstrip("/")))
        bb.utils.mkdirhier(folder)
        tracing.tracer(data).unpack("crate-extract", folder)
        unpack.untar(urldata, folder, data, ("-z",))
        if own:
            return
        # Cargo wants to know what a vendored crate's archive had for a checksum.
        sha256 = checksums.compute(urldata.localpath, ("sha256",))["sha256"]
        with open(os.path.join(folder, name, ".cargo-checksum.json"), "w", encoding="utf-8") as stream:
            json.dump({"files": {}, "package": sha256}, stream)

    def latest_versionstring(self, ud, d):
        """The newest version in the registry's index that is not withdrawn."""
        from . import upstream

        command.check_network_access(d, "version check at %s" % ud.versionsurl, ud.versionsurl)
        text = upstream.fetch_text(ud, d, ud.versionsurl)
        if ud.versionsurl.startswith("https://index.crates.io/"):
            entries = [json.loads(line) for line in text.splitlines() if line.strip()]
            versions = [entry["vers"] for entry in entries if not entry.get("yanked")]
        else:
            versions = [entry["num"] for entry in json.loads(text)["versions"] if not entry.get("yanked")]
        best = ""
        for version in versions:
            if "-" not in version and upstream.newer(version, best):
                best = version
        return (best, "")


def _index_path(name):
    """Path of a package in the index (The Cargo Book, "Index Format")."""
    lower = name.lower()
    if len(lower) < 3:
        return "%d/%s" % (len(lower), lower)
    if len(lower) == 3:
        return "3/%s/%s" % (lower[0], lower)
    return "%s/%s/%s" % (lower[:2], lower[2:4], lower)
