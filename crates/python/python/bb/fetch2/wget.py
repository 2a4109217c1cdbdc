"""`http`, `https`, `ftp`, `ftps`: single files from web and FTP servers.

http and https go through bitzel's own downloader; FTP, and a FETCHCMD_wget that is
no plain wget, through the tool.
"""

import os
import shlex

import bb.utils

from . import checksums, command, download
from .singlefile import SingleFile


class Wget(SingleFile):
    """Fetcher of single files by URL."""

    schemes = ("http", "https", "ftp", "ftps")

    def request_url(self, ud):
        """The URL to ask for, without parameters and credentials."""
        url = ud.url.partition(";")[0]
        scheme, sep, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        return scheme + sep + authority.rpartition("@")[2] + slash + path

    def download(self, ud, d):
        """Fetches to `localpath`, verified on the way."""
        url = self.request_url(ud)
        target = ud.localpath
        bb.utils.mkdirhier(os.path.dirname(target))
        tool = download.custom_tool(d)
        if tool is None and ud.type not in ("ftp", "ftps") and not download.through_proxy(url, download.options(d)):
            command.check_network_access(d, "download of %s" % url, url)
            ud.found_checksums = download.fetch_file(ud, d, url, target)
        else:
            self._download_with_tool(ud, d, tool or download.default_tool(d), url)
        return True

    def _download_with_tool(self, ud, d, tool, url):
        temporary = ud.localpath + ".tmp"
        words = shlex.split(tool)
        words += ["--output-document=%s" % temporary, "--continue", "--directory-prefix=%s" % d.getVar("DL_DIR")]
        if ud.user:
            words += ["--auth-no-challenge"]
            if ud.parm.get("redirectauth", "1") == "1":
                words += ["--user=%s" % ud.user, "--password=%s" % ud.pswd]
            else:
                words += ["--header=Authorization: Basic %s" % download.basic_credentials(ud)]
        words += ["--progress=dot", "--verbose", "--", url]
        if not checksums.expected(ud):
            # The part may be of another version of the file, and no checksum would tell.
            bb.utils.remove(temporary)
        command.check_network_access(d, "download of %s" % url, url)
        self.download_with(ud, d, words, temporary, [ud.pswd, download.basic_credentials(ud)], keep_part=True)

    def checkstatus(self, fetch, urldata, d):
        """Whether the server has it, by a HEAD request."""
        from . import httpstatus
        return httpstatus.exists(self, fetch, urldata, d)

    def latest_versionstring(self, ud, d):
        """The newest version on the server: UPSTREAM_CHECK_URI, UPSTREAM_CHECK_REGEX."""
        from . import upstream
        return (upstream.latest_version(self, ud, d), "")
