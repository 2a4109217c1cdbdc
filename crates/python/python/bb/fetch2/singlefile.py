"""What fetchers of single files share: the name in DL_DIR, and verifying what a tool brought."""

import os

import bb.utils

from . import checksums, command
from .errors import ChecksumError, FetchError, ParameterError
from .method import FetchMethod


class SingleFile(FetchMethod):
    """Base of fetchers whose download is one file with checksums."""

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

    def update_donestamp(self, ud, d):
        """What was computed while downloading need not be computed again."""
        checksums.update_stamp(ud, d, getattr(ud, "found_checksums", None))

    def download_with(self, ud, d, words, temporary, secrets=(), keep_part=False):
        """Runs a tool that writes `temporary`, verifies that and gives it its name.

        With `keep_part` a tool that fails leaves its part, to go on from. Raises FetchError, ChecksumError.
        """
        bb.utils.mkdirhier(os.path.dirname(ud.localpath))
        try:
            command.runfetchcmd(words, d, cleanup=[] if keep_part else [temporary], secrets=secrets)
        finally:
            # An empty part is nothing to go on from.
            if os.path.exists(temporary) and os.path.getsize(temporary) == 0:
                os.unlink(temporary)
        if not os.path.exists(temporary):
            raise FetchError("The fetch resulted in a zero size file?! Deleting and failing since this isn't right.",
                             ud.url)
        try:
            ud.found_checksums = checksums.verify_checksum(ud, d, localpath=temporary, fatal_nochecksum=False)
        except ChecksumError as error:
            os.rename(temporary, "%s_bad-checksum_%s" % (ud.localpath, error.checksum))
            raise
        os.rename(temporary, ud.localpath)
