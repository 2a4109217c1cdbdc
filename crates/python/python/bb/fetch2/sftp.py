"""`sftp://`: single files by sftp."""

import os

from . import checksums, command
from .errors import ChecksumError, FetchError, MalformedUrl
from .wget import Wget


class SFTP(Wget):
    """Fetcher by sftp; keys and hosts as ssh knows them, no passwords."""

    schemes = ("sftp",)

    def urldata_init(self, ud, d):
        """The name in DL_DIR."""
        if ud.host.startswith("-") or ud.user.startswith("-"):
            raise MalformedUrl(ud.url)
        super().urldata_init(ud, d)

    def download(self, ud, d):
        """Copies to DL_DIR and verifies. Raises FetchError."""
        host, _, port = ud.host.rpartition(":") if ":" in ud.host else (ud.host, "", "")
        user = ud.user + "@" if ud.user else ""
        # A path that begins with /~/ is below the user's home.
        path = ud.path[3:] if ud.path.startswith("/~/") else ud.path
        temporary = ud.localpath + ".tmp"
        options = (d.getVar("FETCHCMD_sftp") or "").split()[1:]
        words = ["sftp", "-oBatchMode=yes", *(["-P", port] if port else []), *options, "--",
                 "%s%s:%s" % (user, host, path), temporary]
        command.check_network_access(d, "sftp from %s" % ud.host, ud.url)
        command.runfetchcmd(words, d, cleanup=[temporary])
        finish(ud, d, temporary)
        return True

    def checkstatus(self, fetch, urldata, d):
        """sftp has no way to ask; it is tried."""
        return True

    def latest_versionstring(self, ud, d):
        """Unknown."""
        return ("", "")


def finish(ud, d, temporary):
    """Verifies what a tool has brought and gives it its name. Raises FetchError, ChecksumError."""
    if not os.path.exists(temporary) or os.path.getsize(temporary) == 0:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise FetchError("The fetch resulted in a zero size file?! Deleting and failing since this isn't right.",
                         ud.url)
    try:
        ud.found_checksums = checksums.verify_checksum(ud, d, localpath=temporary, fatal_nochecksum=False)
    except ChecksumError as error:
        os.rename(temporary, "%s_bad-checksum_%s" % (ud.localpath, error.checksum))
        raise
    os.rename(temporary, ud.localpath)
