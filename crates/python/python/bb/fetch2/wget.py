"""`http`, `https`, `ftp`, `ftps`: single files from web and FTP servers.

http and https go through bitzel's own downloader; FTP, and a FETCHCMD_wget that is
no plain wget, through the tool.
"""

import logging
import os
import shlex

import bb.utils

from . import checksums, command, download
from .errors import ChecksumError, FetchError, ParameterError
from .method import FetchMethod

logger = logging.getLogger("BitBake.Fetcher")


class Wget(FetchMethod):
    """Fetcher of single files by URL."""

    schemes = ("http", "https", "ftp", "ftps")

    def recommends_checksum(self, urldata):
        """Downloads should have checksums."""
        return True

    def urldata_init(self, ud, d):
        """The name in DL_DIR: `downloadfilename`, or the last part of the path."""
        if ud.parm.get("protocol") == "git":
            raise ParameterError("Invalid protocol - if you wish to fetch from a git repository using http, you need "
                                 "to instead use the git:// prefix with protocol=http", ud.url)
        if "downloadfilename" in ud.parm:
            ud.basename = ud.parm["downloadfilename"]
            if os.path.isabs(ud.basename) or ".." in ud.basename.split("/"):
                # DIFFERS: BitBake writes outside DL_DIR.
                raise ParameterError("downloadfilename leads outside DL_DIR: %s" % ud.basename, ud.url)
        else:
            ud.basename = os.path.basename(ud.path)
        ud.localfile = ud.basename or ud.host + ud.path.replace("/", ".")
        if ud.localfile in (".", ".."):
            raise ParameterError("no file name can be made of it", ud.url)

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
            found = download.fetch_file(ud, d, url, target)
        else:
            found = self._download_with_tool(ud, d, tool or download.default_tool(d), url, target)
        ud.found_checksums = found
        return True

    def _download_with_tool(self, ud, d, tool, url, target):
        temporary = target + ".tmp"
        words = shlex.split(tool)
        words += ["--output-document=%s" % temporary, "--continue", "--directory-prefix=%s" % d.getVar("DL_DIR")]
        if ud.user:
            words += ["--auth-no-challenge"]
            if ud.parm.get("redirectauth", "1") == "1":
                words += ["--user=%s" % ud.user, "--password=%s" % ud.pswd]
            else:
                words += ["--header=Authorization: Basic %s" % download.basic_credentials(ud)]
        words += ["--progress=dot", "--verbose", "--", url]
        shown = [word if not word.startswith(("--password=", "--header=Auth")) else "--password=***" for word in words]
        command.check_network_access(d, " ".join(shown), url)
        try:
            command.runfetchcmd(words, d)
        except FetchError as error:
            raise FetchError(str(error.args[0]).replace(ud.pswd, "***") if ud.pswd else error.args[0],
                             error.url) from error
        if not os.path.exists(temporary) or os.path.getsize(temporary) == 0:
            bb.utils.remove(temporary)
            raise FetchError("The fetch of %s resulted in a zero size file?! Deleting and failing since this isn't "
                             "right." % url, url)
        try:
            found = checksums.verify_checksum(ud, d, localpath=temporary, fatal_nochecksum=False)
        except ChecksumError as error:
            os.rename(temporary, "%s_bad-checksum_%s" % (target, error.checksum))
            raise
        os.rename(temporary, target)
        return found

    def update_donestamp(self, ud, d):
        """What was computed while downloading need not be computed again."""
        checksums.update_stamp(ud, d, getattr(ud, "found_checksums", None))

    def checkstatus(self, fetch, urldata, d):
        """Whether the server has it, by a HEAD request."""
        from . import httpstatus
        return httpstatus.exists(self, fetch, urldata, d)

    def latest_versionstring(self, ud, d):
        """The newest version on the server: UPSTREAM_CHECK_URI, UPSTREAM_CHECK_REGEX."""
        from . import upstream
        return (upstream.latest_version(self, ud, d), "")
