"""`sftp://`: single files by sftp."""

from . import command
from .singlefile import SingleFile


class SFTP(SingleFile):
    """Fetcher by sftp; keys and hosts as ssh knows them, no passwords."""

    schemes = ("sftp",)

    def urldata_init(self, ud, d):
        """The name in DL_DIR."""
        self.refuse_options(ud, host=ud.host, user=ud.user)
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
        self.download_with(ud, d, words, temporary)
        return True
