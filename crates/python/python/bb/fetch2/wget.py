"""`http`, `https`, `ftp`, `ftps`: single files from web and FTP servers."""

import os
import urllib.parse

from .method import FetchMethod


class Wget(FetchMethod):
    """Fetcher of single files by URL."""

    schemes = ("http", "https", "ftp", "ftps")

    def recommends_checksum(self, urldata):
        """Downloads should have checksums."""
        return True

    def urldata_init(self, ud, d):
        """The name in DL_DIR: `downloadfilename`, or the last part of the path."""
        if "downloadfilename" in ud.parm:
            ud.basename = ud.parm["downloadfilename"]
        else:
            ud.basename = os.path.basename(ud.path)
        ud.localfile = ud.basename or ud.host + ud.path.replace("/", ".")
