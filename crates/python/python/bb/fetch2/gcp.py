"""`gs://`: objects of Google Cloud Storage, by the gcloud or gsutil command line tool."""

import os
import shlex
import shutil

import bb.utils

from . import command
from .errors import FetchError
from .sftp import finish
from .wget import Wget


class GCP(Wget):
    """Fetcher of Google Cloud objects: `gs://BUCKET/NAME`.

    DIFFERS: BitBake uses Google's Python client; the tools take the same credentials.
    """

    schemes = ("gs",)

    def _tool(self, d):
        text = d.getVar("FETCHCMD_gs")
        if text:
            return shlex.split(text)
        path = d.getVar("PATH")
        if shutil.which("gsutil", path=path):
            return ["gsutil"]
        return ["gcloud", "storage"]

    def _object(self, ud):
        return "gs://%s%s" % (ud.host, ud.path)

    def download(self, ud, d):
        """Copies to DL_DIR and verifies. Raises FetchError."""
        temporary = ud.localpath + ".tmp"
        bb.utils.mkdirhier(os.path.dirname(ud.localpath))
        words = [*self._tool(d), "cp", self._object(ud), temporary]
        command.check_network_access(d, " ".join(words), ud.url)
        command.runfetchcmd(words, d, cleanup=[temporary])
        finish(ud, d, temporary)
        return True

    def checkstatus(self, fetch, urldata, d):
        """Whether the object is listed."""
        words = [*self._tool(d), "ls", self._object(urldata)]
        command.check_network_access(d, " ".join(words), urldata.url)
        try:
            return bool(command.runfetchcmd(words, d).strip())
        except FetchError:
            return False

    def latest_versionstring(self, ud, d):
        """Unknown."""
        return ("", "")
