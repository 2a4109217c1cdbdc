"""The base class of fetchers."""

import os

from . import revisions
from .errors import NoMethodError


class FetchMethod:
    """Fetches URLs of some schemes. Subclasses give at least `urldata_init` and `download`.

    Metadata may define its own fetchers: subclass this and append an object to
    `bb.fetch2.methods`.
    """

    # URL schemes, for the default supports().
    schemes = ()
    # True: no network, file checksums apply.
    local = False

    def __init__(self, urls=None):
        self.urls = urls or []

    def supports(self, urldata, d):
        """Whether this fetcher serves the URL."""
        return urldata.type in self.schemes

    def urldata_init(self, ud, d):
        """Sets what the fetcher needs on `ud`, `localfile` at least. Called once for each URL."""

    def localpath(self, urldata, d):
        """Where the download is or will be."""
        return os.path.join(d.getVar("DL_DIR"), urldata.localfile)

    def supports_checksum(self, urldata):
        """Whether the download is one file that can have a checksum."""
        return not (urldata.localpath and os.path.isdir(urldata.localpath))

    def recommends_checksum(self, urldata):
        """Whether it should have one: a missing one is reported."""
        return False

    def supports_srcrev(self):
        """Whether URLs have a revision."""
        return False

    def need_update(self, ud, d):
        """Whether something must be fetched although the download may exist."""
        return not os.path.exists(ud.localpath)

    def try_premirror(self, urldata, d):
        """Whether PREMIRRORS are to be asked."""
        return True

    def latest_versionstring(self, ud, d):
        """(newest upstream version, its revision), empty where unknown."""
        return ("", "")

    def latest_revision(self, ud, d, name):
        """The head revision, looked up once in a build."""
        lookup = getattr(self, "_latest_revision", None)
        if lookup is None:
            raise NoMethodError(ud.url)
        return revisions.remember(self.generate_revision_key(ud, d, name), d, lambda: lookup(ud, d, name))

    def sortable_revision(self, ud, d, name):
        """(whether the PR service has to count it up, revision)."""
        return True, str(ud.revision)

    def generate_revision_key(self, ud, d, name):
        """The name under which a head revision is remembered."""
        key = self._revision_key(ud, d, name)
        return "%s-%s" % (key, d.getVar("PN") or "")
