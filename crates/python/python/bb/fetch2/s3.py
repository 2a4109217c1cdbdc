"""`s3://`: objects of Amazon S3, by the aws command line tool."""

import os
import shlex

import bb.utils

from . import command
from .errors import FetchError
from .sftp import finish
from .wget import Wget


class S3(Wget):
    """Fetcher of S3 objects: `s3://BUCKET/KEY`."""

    schemes = ("s3",)

    def urldata_init(self, ud, d):
        """The name in DL_DIR."""
        super().urldata_init(ud, d)
        ud.basecmd = d.getVar("FETCHCMD_s3") or "/usr/bin/env aws s3"

    def _object(self, ud):
        return "s3://%s%s" % (ud.host, ud.path)

    def download(self, ud, d):
        """Copies to DL_DIR and verifies. Raises FetchError."""
        temporary = ud.localpath + ".tmp"
        bb.utils.mkdirhier(os.path.dirname(ud.localpath))
        words = [*shlex.split(ud.basecmd), "cp", self._object(ud), temporary]
        command.check_network_access(d, " ".join(words), ud.url)
        command.runfetchcmd(words, d, cleanup=[temporary])
        finish(ud, d, temporary)
        return True

    def checkstatus(self, fetch, urldata, d):
        """Whether the object is listed."""
        words = [*shlex.split(urldata.basecmd), "ls", self._object(urldata)]
        command.check_network_access(d, " ".join(words), urldata.url)
        try:
            return bool(command.runfetchcmd(words, d).strip())
        except FetchError:
            return False

    def latest_versionstring(self, ud, d):
        """Unknown."""
        return ("", "")
