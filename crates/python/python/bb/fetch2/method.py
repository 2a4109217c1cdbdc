"""The base class of fetchers."""

import os

import bb.utils

from . import checksums, mirrors, revisions, unpack
from .errors import MissingParameterError, NoMethodError, ParameterError


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

    def download(self, urldata, d):
        """Fetches from upstream to `localpath`. Raises FetchError."""
        raise NoMethodError(urldata.url)

    def verify_donestamp(self, ud, d):
        """Whether the download is complete and right."""
        return checksums.verify_donestamp(ud, d)

    def update_donestamp(self, ud, d):
        """Verifies the download and notes that it is right."""
        checksums.update_stamp(ud, d)

    def done(self, ud, d):
        """Whether the download is there."""
        return os.path.exists(ud.localpath)

    def implicit_urldata(self, ud, d):
        """FetchData of URLs that this one stands for."""
        return []

    def try_mirrors(self, fetch, urldata, d, mirror_lines, check=False):
        """Fetches from a mirror: where it then lies, or None."""
        return mirrors.try_mirrors(fetch, d, urldata, mirror_lines, check)

    def checkstatus(self, fetch, urldata, d):
        """Whether upstream has it."""
        return True

    def update_mirror_links(self, ud, origud):
        """Links what a mirror's fetcher put to DL_DIR to where the URL's own is looked for."""
        mirrors.ensure_symlink(ud.localpath, origud.localpath)

    @staticmethod
    def required_parameter(ud, name):
        """A parameter the URL has to have. Raises MissingParameterError."""
        if name not in ud.parm:
            raise MissingParameterError(name, ud.url)
        return ud.parm[name]

    @staticmethod
    def refuse_options(ud, **texts):
        """Raises ParameterError for a text that begins with a dash: a tool would take it for an option."""
        for what, text in texts.items():
            if text and text.startswith("-"):
                raise ParameterError("The %s '%s' begins with a dash" % (what, text), ud.url)

    def ensure_symlink(self, target, link_name):
        """Makes `link_name` a link to `target`, unless something is there."""
        mirrors.ensure_symlink(target, link_name)

    def unpack(self, urldata, rootdir, data):
        """Unpacks the download below `rootdir`. Raises UnpackError."""
        unpack.unpack(urldata, rootdir, data)

    def unpack_update(self, urldata, rootdir, data):
        """Updates a checkout in place."""
        raise RuntimeError("No support for updating an unpacked '%s' URL in place" % urldata.type)

    def clean(self, urldata, d):
        """Removes the download."""
        bb.utils.remove(urldata.localpath)

    def cleanup_upon_failure(self):
        """Whether a failed download leaves something to be removed."""
        return True

    def _strip_leading_slashes(self, relpath):
        return relpath.lstrip("/")

    def getUrls(self):
        """URLs, as an old interface has it."""
        return self.urls

    def setUrls(self, urls):
        """URLs, as an old interface has it."""
        self.urls = urls
