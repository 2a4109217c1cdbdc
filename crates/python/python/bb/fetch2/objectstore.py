"""Objects of cloud storage, by the command line tools of its providers."""

from . import command
from .errors import FetchError
from .singlefile import SingleFile


class ObjectStore(SingleFile):
    """Base of fetchers of `SCHEME://BUCKET/KEY`; `tool` gives the words of a tool with `cp` and `ls`."""

    def tool(self, d):
        """The tool's command line."""
        raise NotImplementedError

    def _object(self, ud):
        return "%s://%s%s" % (ud.type, ud.host, ud.path)

    def download(self, ud, d):
        """Copies to DL_DIR and verifies. Raises FetchError."""
        temporary = ud.localpath + ".tmp"
        words = [*self.tool(d), "cp", self._object(ud), temporary]
        command.check_network_access(d, " ".join(words), ud.url)
        self.download_with(ud, d, words, temporary)
        return True

    def checkstatus(self, fetch, urldata, d):
        """Whether the object is listed."""
        words = [*self.tool(d), "ls", self._object(urldata)]
        command.check_network_access(d, " ".join(words), urldata.url)
        try:
            return bool(command.runfetchcmd(words, d).strip())
        except FetchError:
            return False
