"""`file://`: files and trees of this machine, found along FILESPATH."""

import os

from .errors import FetchError
from .filechecksums import local_path, search
from .method import FetchMethod
from .url import decodeurl


class Local(FetchMethod):
    """Fetcher of local files: nothing is copied until unpacking."""

    schemes = ("file",)
    local = True

    def urldata_init(self, ud, d):
        """Sets the path as written; the search waits until the file is asked for."""
        ud.basepath = local_path(ud.url, decodeurl(ud.url))
        ud.basename = os.path.basename(ud.basepath)
        ud.needdonestamp = False

    def localpaths(self, ud, d):
        """All places looked at; the last one is the file, where it exists."""
        tried, _ = search(ud.path, (d.getVar("FILESPATH") or "").split(":"))
        return tried

    def localpath(self, ud, d):
        """The file, or where it was looked for last."""
        return self.localpaths(ud, d)[-1]

    def need_update(self, ud, d):
        """Whether the file is missing."""
        if not ud.localpath:
            return False
        return not os.path.exists(ud.localpath)

    def download(self, ud, d):
        """Only checks. Raises FetchError naming the places looked at."""
        if os.path.exists(ud.localpath):
            return True
        tried = self.localpaths(ud, d)
        raise FetchError("Unable to find file %s anywhere. The paths that were searched were:\n    %s"
                         % (ud.url, "\n    ".join(tried)))

    def checkstatus(self, fetch, ud, d):
        """Whether the file exists."""
        return os.path.exists(ud.localpath)

    def clean(self, ud, d):
        """Nothing was put anywhere."""
