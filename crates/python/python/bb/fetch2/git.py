"""`git://`: bare clones in DL_DIR/git2 and checkouts from them."""

import os
import re

from . import revisions
from .errors import ParameterError
from .method import FetchMethod

_PROTOCOLS = ("git", "file", "ssh", "http", "https", "rsync")
_HEX40 = re.compile(r"[0-9a-f]{40}")


def is_full_revision(text):
    """Whether `text` is a full SHA-1 object name."""
    return bool(text) and _HEX40.fullmatch(text) is not None


class Git(FetchMethod):
    """Fetcher of Git repositories."""

    schemes = ("git",)

    def supports_checksum(self, urldata):
        """The revision is the checksum."""
        return False

    def supports_srcrev(self):
        """SRCREV applies."""
        return True

    def urldata_init(self, ud, d):
        """Parameters, revision, names of clone and mirror tarballs."""
        ud.proto = ud.parm.get("protocol") or ("file" if not ud.host else "git")
        if ud.proto not in _PROTOCOLS:
            raise ParameterError("Invalid protocol type: '%s'" % ud.proto, ud.url)
        ud.nocheckout = 1 if ud.parm.get("nocheckout", "0") == "1" else False
        ud.rebaseable = ud.parm.get("rebaseable", "0") == "1"
        ud.nobranch = ud.parm.get("nobranch", "0") == "1"
        ud.usehead = ud.parm.get("usehead", "0") == "1"
        if ud.usehead and ud.proto != "file":
            raise ParameterError("The usehead option is only for use with local ('protocol=file') git repositories",
                                 ud.url)
        if ud.usehead:
            ud.nobranch = True
        ud.bareclone = ud.parm.get("bareclone", "0") == "1"
        if ud.bareclone:
            ud.nocheckout = 1
        ud.branch = ud.parm.get("branch", "")
        if not ud.branch and not ud.nobranch:
            raise ParameterError("The url does not set any branch parameter or set nobranch=1.", ud.url)
        ud.unresolvedrev = "HEAD" if ud.usehead else ud.branch
        ud.setup_revisions(d)
        if not is_full_revision(ud.revision):
            # A tag or branch name: what it stands for now.
            ud.unresolvedrev = ud.revision
            ud.revision = self.latest_revision(ud, d, ud.name)
        self._setup_names(ud, d)

    def _setup_names(self, ud, d):
        name = (ud.host.replace(":", ".") + ud.path.replace("/", ".").replace("*", ".")
                .replace(" ", "_").replace("(", "_").replace(")", "_"))
        if name.startswith("."):
            name = name[1:]
        if ud.rebaseable:
            # The branch may be rewritten: a clone for each revision.
            name += "_" + ud.revision
        dldir = d.getVar("DL_DIR")
        gitdir = d.getVar("GITDIR") or os.path.join(dldir, "git2")
        ud.clonedir = os.path.join(gitdir, name)
        ud.localfile = ud.clonedir
        mirror = "git2_%s.tar.gz" % name
        ud.fullmirror = os.path.join(dldir, mirror)
        ud.mirrortarballs = [mirror]

    def localpath(self, ud, d):
        """The clone."""
        return ud.clonedir
