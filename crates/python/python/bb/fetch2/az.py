"""`az://`: blobs of Azure storage accounts, over https, with a shared access signature."""

from . import httpstatus
from .wget import Wget


class Az(Wget):
    """Fetcher of Azure blobs: `az://ACCOUNT.blob.core.windows.net/CONTAINER/BLOB`, AZ_SAS."""

    schemes = ("az",)

    def urldata_init(self, ud, d):
        """The name in DL_DIR, and the signature, which is never shown."""
        super().urldata_init(ud, d)
        sas = d.getVar("AZ_SAS") or ""
        ud.az_signature = "?" + sas.lstrip("?") if sas else ""
        # What the blob service wants to hear to take a signature (its REST documentation).
        ud.http_headers = {"x-ms-version": "2019-12-12"}

    def request_url(self, ud):
        """The blob's https URL, signature included."""
        return "https://%s%s%s" % (ud.host, ud.path, getattr(ud, "az_signature", ""))

    def checkstatus(self, fetch, urldata, d):
        """Whether the blob can be had."""
        return httpstatus.exists(self, fetch, urldata, d)

    def latest_versionstring(self, ud, d):
        """A container has no page with links."""
        return ("", "")
