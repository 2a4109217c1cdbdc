"""`ssh://`: single files or trees by scp."""

import os
import re

import bb.utils

from . import command
from .errors import FetchError, MalformedUrl, ParameterError
from .method import FetchMethod

_URL = re.compile(r"ssh://(?:(?P<user>[^:@/]*)(?::(?P<pass>[^@/]*))?@)?(?P<host>[^:/]+|\[[^\]]*\])(?::(?P<port>\d+))?"
                  r"/(?P<path>[^;]+)(?:;|$)")


class SSH(FetchMethod):
    """Fetcher by scp. A path that begins with `~` is below the user's home, others below the root."""

    schemes = ("ssh",)

    def supports_checksum(self, urldata):
        """What comes may be a tree."""
        return False

    def urldata_init(self, ud, d):
        """The name in DL_DIR."""
        if ud.parm.get("protocol") == "git":
            raise ParameterError("Invalid protocol - if you wish to fetch from a git repository using ssh, you need "
                                 "to use git:// prefix with protocol=ssh", ud.url)
        match = _URL.match(ud.url)
        if not match or match.group("host").startswith("-") or (match.group("user") or "").startswith("-"):
            raise MalformedUrl(ud.url)
        ud.localfile = os.path.basename(ud.path.rstrip("/"))

    def _parts(self, ud):
        match = _URL.match(ud.url)
        user = match.group("user")
        host = "%s@%s" % (user, match.group("host")) if user else match.group("host")
        path = ud.path[1:] if ud.path.startswith("/~") else ud.path
        return host, match.group("port"), path

    def download(self, ud, d):
        """Copies to DL_DIR. Raises FetchError."""
        host, port, path = self._parts(ud)
        target = ud.localpath
        temporary = target + ".tmp"
        bb.utils.mkdirhier(os.path.dirname(target))
        bb.utils.remove(temporary, True)
        words = ["scp", "-B", "-r", *(["-P", port] if port else []), "--", "%s:%s" % (host, path), temporary]
        command.check_network_access(d, "scp from %s" % host, ud.url)
        command.runfetchcmd(words, d, cleanup=[temporary])
        if not os.path.lexists(temporary):
            raise FetchError("scp brought nothing", ud.url)
        bb.utils.remove(target, True)
        os.rename(temporary, target)

    def checkstatus(self, fetch, urldata, d):
        """Whether there is something readable."""
        import shlex
        host, port, path = self._parts(urldata)
        words = ["ssh", "-o", "BatchMode=yes", *(["-p", port] if port else []), "--", host,
                 "test -r %s" % shlex.quote(path)]
        command.check_network_access(d, "ssh to %s" % host, urldata.url)
        try:
            command.runfetchcmd(words, d)
            return True
        except FetchError:
            return False
