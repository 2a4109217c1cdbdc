"""`s3://`: objects of Amazon S3, by the aws command line tool."""

import shlex

from .objectstore import ObjectStore


class S3(ObjectStore):
    """Fetcher of S3 objects: `s3://BUCKET/KEY`."""

    schemes = ("s3",)

    def urldata_init(self, ud, d):
        """The name in DL_DIR."""
        super().urldata_init(ud, d)
        ud.basecmd = " ".join(self.tool(d))

    def tool(self, d):
        """FETCHCMD_s3, or aws."""
        return shlex.split(d.getVar("FETCHCMD_s3") or "/usr/bin/env aws s3")
