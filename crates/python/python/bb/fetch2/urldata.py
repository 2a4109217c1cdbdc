"""What is known of one URL: its parts, its fetcher, and where its download lives."""

import os

from . import checksums, parameters, registry, revisions
from .errors import ParameterError
from .url import decodeurl

# Schemes whose downloads are single files of a known name: SRC_URI[sha256sum] is about them.
_CHECKSUM_TYPES = frozenset((
    "http", "https", "ftp", "ftps", "sftp", "s3", "az", "crate", "gs", "gomod", "npm"))


class FetchData:
    """One URL with everything its fetcher needs.

    Raises NoMethodError for a scheme without fetcher, ParameterError and
    MissingParameterError for wrong parameters, FetchError for a missing SRCREV.
    """

    def __init__(self, url, d, localonly=False):
        self.url = url
        self.donestamp = None
        self.needdonestamp = True
        self.localfile = ""
        self.localpath = None
        self.lockfile = None
        self.mirrortarballs = []
        self.basename = None
        self.basepath = None
        self.ignore_checksums = False
        self.setup = False
        expanded = d.expand(url) if "$" in url else url
        self.type, self.host, self.path, self.user, self.pswd, self.parm = decodeurl(expanded)
        for name in parameters.KNOWN.intersection(self.parm):
            # Where the value counts, none is the empty one.
            self.parm[name] = self.parm[name] or ""
        self.date = self.getSRCDate(d)
        if not self.user and "user" in self.parm:
            self.user = self.parm["user"]
        if not self.pswd and "pswd" in self.parm:
            self.pswd = self.parm["pswd"]
        self.name = self.parm.get("name", "default")
        if "," in self.name:
            raise ParameterError(
                "The fetcher no longer supports multiple name parameters in a single url", url)

        self.method = registry.method_for(self, d)
        if localonly and not registry.is_local(self.method):
            from .errors import NonLocalMethod
            raise NonLocalMethod()
        if self.parm.get("proto") and "protocol" not in self.parm:
            self.parm["protocol"] = self.parm["proto"]
        self.method.urldata_init(self, d)
        self._setup_checksums(d)
        self._setup_paths(d)

    def _setup_checksums(self, d):
        name = self.parm.get("name")
        for kind in checksums.CHECKSUM_LIST:
            key = kind + "sum"
            flag = "%s.%s" % (name, key) if name and key not in self.parm else key
            if key in self.parm:
                expected = self.parm[key]
            elif self.type in _CHECKSUM_TYPES:
                expected = d.getVarFlag("SRC_URI", flag)
            else:
                expected = None
            setattr(self, kind + "_name", flag)
            setattr(self, kind + "_expected", expected)

    def _setup_paths(self, d):
        dldir = d.getVar("DL_DIR")
        if "localpath" in self.parm:
            # Given by who wrote the URL, for files that are there already.
            self.localpath = self.parm["localpath"]
        elif self.localfile:
            self.localpath = self.method.localpath(self, d)
            if dldir and self.localpath.startswith(dldir) and \
                    not os.path.normpath(self.localpath).startswith(os.path.normpath(dldir) + "/"):
                # DIFFERS: BitBake writes outside DL_DIR.
                raise ParameterError("the download leads outside DL_DIR: %s" % self.localpath, self.url)
        if not self.needdonestamp:
            return
        if self.localpath and dldir and self.localpath.startswith(dldir):
            base = self.localpath
        elif self.localpath:
            base = (dldir or "") + os.sep + os.path.basename(self.localpath)
        elif self.basepath or self.basename:
            base = (dldir or "") + os.sep + (self.basepath or self.basename)
        else:
            raise ParameterError("no file name can be made of it", self.url)
        self.donestamp = base + ".done"
        self.lockfile = base + ".lock"

    def setup_revisions(self, d):
        """Sets `revision` from SRCREV or the `rev` parameter."""
        self.revision = revisions.srcrev_internal_helper(self, d, self.name)

    def setup_localpath(self, d):
        """Sets `localpath` where the constructor left it open (`file` URLs)."""
        if not self.localpath:
            self.localpath = self.method.localpath(self, d)

    def getSRCDate(self, d):
        """The `srcdate` parameter, or SRCDATE of the recipe."""
        if "srcdate" in self.parm:
            return self.parm["srcdate"]
        pn = d.getVar("PN")
        if pn:
            return d.getVar("SRCDATE_%s" % pn) or d.getVar("SRCDATE") or d.getVar("DATE")
        return d.getVar("SRCDATE") or d.getVar("DATE")
