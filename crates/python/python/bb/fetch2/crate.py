"""`crate://`: Rust packages from a crate registry."""

import re

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


def _index_path(name):
    """Path of a package in the index (cargo's registry index, "Index files")."""
    lower = name.lower()
    if len(lower) < 3:
        return "%d/%s" % (len(lower), lower)
    if len(lower) == 3:
        return "3/%s/%s" % (lower[0], lower)
    return "%s/%s/%s" % (lower[:2], lower[2:4], lower)
