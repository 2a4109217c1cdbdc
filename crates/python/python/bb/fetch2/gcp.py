"""`gs://`: objects of Google Cloud Storage, by the gcloud or gsutil command line tool."""

import shlex
import shutil

from .objectstore import ObjectStore


class GCP(ObjectStore):
    """Fetcher of Google Cloud objects: `gs://BUCKET/NAME`.

    DIFFERS: BitBake uses Google's Python client; the tools take the same credentials.
    """

    schemes = ("gs",)

    def tool(self, d):
        """FETCHCMD_gs, or what is installed."""
        text = d.getVar("FETCHCMD_gs")
        if text:
            return shlex.split(text)
        return ["gsutil"] if shutil.which("gsutil", path=d.getVar("PATH")) else ["gcloud", "storage"]
