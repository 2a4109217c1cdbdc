"""`Fetch`: a set of URLs to be fetched, unpacked or looked at together."""

import logging
import os

import bb.utils

from . import command, parameters
from .errors import BBFetchException, ChecksumError, FetchError, NetworkAccess, NoChecksumError, NoMethodError
from .url import mirror_from_string
from .urldata import FetchData

logger = logging.getLogger("BitBake.Fetcher")


class Fetch:
    """The URLs of a recipe.

    `urls` is a list; an empty one stands for SRC_URI. `ud` maps each URL to its
    FetchData. `cache` is accepted for BitBake's sake: nothing is shared between objects.
    """

    def __init__(self, urls, d, cache=True, localonly=False, connection_cache=None):
        if localonly and cache:
            raise Exception("bb.fetch2.Fetch.__init__: cannot set cache and localonly at same time")
        if not urls:
            urls = (d.getVar("SRC_URI") or "").split()
        self.urls = urls
        self.d = d
        self.ud = {}
        self.connection_cache = connection_cache
        for url in urls:
            if url not in self.ud:
                self.ud[url] = FetchData(url, d, localonly)

    def localpath(self, url):
        """Where the download of `url` is or will be."""
        if url not in self.urls:
            self.ud[url] = FetchData(url, self.d)
        ud = self.ud[url]
        ud.setup_localpath(self.d)
        return ud.localpath

    def localpaths(self):
        """Local paths of all URLs, in order."""
        return [self.localpath(url) for url in self.urls]

    def expanded_urldata(self, urls=None):
        """FetchData of the URLs and of those that they stand for (an npm shrinkwrap's packages)."""
        found = []
        for url in urls or self.urls:
            ud = self.ud[url]
            found.append(ud)
            found.extend(ud.method.implicit_urldata(ud, self.d))
        return found

    def download(self, urls=None):
        """Fetches all URLs into DL_DIR.

        Raises NetworkAccess where the network is needed and forbidden, FetchError for
        what cannot be had, BBFetchException for missing checksums (BB_STRICT_CHECKSUM).
        """
        urls = urls or self.urls
        network = self.d.getVar("BB_NO_NETWORK")
        premirror_only = bb.utils.to_boolean(self.d.getVar("BB_FETCH_PREMIRRORONLY"))
        no_checksum = []
        pending = []
        for url in urls:
            ud = self.ud[url]
            ud.setup_localpath(self.d)
            if url not in pending:
                pending.append(url)
                for name, meant in parameters.mistyped(ud.parm):
                    # BitBake ignores it without a word.
                    logger.warning("%s: the parameter `%s` is not known and has no effect; `%s` is" % (url, name, meant))
        if not premirror_only:
            from . import prefetch
            prefetch.download_all(self, [self.ud[url] for url in pending], self.d)
        try:
            for url in pending:
                try:
                    self._download_one(self.ud[url], url, premirror_only)
                except NoChecksumError:
                    no_checksum.append(url)
                finally:
                    if premirror_only:
                        self._set_network(network)
        finally:
            self._set_network(network)
        if no_checksum:
            raise BBFetchException("There was some missing checksums in the recipe")

    def _set_network(self, value):
        if self.d.getVar("BB_NO_NETWORK") != value:
            if value is None:
                self.d.delVar("BB_NO_NETWORK")
            else:
                self.d.setVar("BB_NO_NETWORK", value)

    def _download_one(self, ud, url, premirror_only):
        lock = bb.utils.lockfile(ud.lockfile) if ud.lockfile else None
        try:
            method = ud.method
            if method.verify_donestamp(ud, self.d) and not method.need_update(ud, self.d):
                done = True
            else:
                done = method.try_premirror(ud, self.d) and self._from_premirror(ud)
            if premirror_only:
                self.d.setVar("BB_NO_NETWORK", "1")
            if not done:
                self._from_upstream(ud, url)
            if ud.localpath is None or not os.path.exists(ud.localpath) and not self._has_tarball(ud):
                raise FetchError("Unable to fetch URL from any source.", url)
            method.update_donestamp(ud, self.d)
        except NetworkAccess as error:
            if premirror_only and os.path.exists(ud.localpath or ""):
                logger.debug("the premirror's copy of %s is not recent enough" % url)
            raise error
        except OSError as error:
            if error.errno == 28:
                raise FetchError("No space left on device for %s" % ud.localpath, url) from error
            raise
        finally:
            if lock:
                bb.utils.unlockfile(lock)

    def _has_tarball(self, ud):
        dldir = self.d.getVar("DL_DIR") or ""
        return any(os.path.exists(os.path.join(dldir, name)) for name in ud.mirrortarballs)

    def _from_premirror(self, ud):
        """Whether a premirror has it, rightly."""
        logger.debug("Trying PREMIRRORS")
        lines = mirror_from_string(self.d.getVar("PREMIRRORS"))
        if not lines or not ud.method.try_mirrors(self, ud, self.d, lines):
            return False
        try:
            # Before anything else uses it: a mirror may hold anything.
            ud.method.update_donestamp(ud, self.d)
        except ChecksumError:
            logger.warning("Checksum failure encountered with premirror download of %s - will attempt other sources."
                           % ud.url)
            return False
        return not ud.method.need_update(ud, self.d)

    def _from_upstream(self, ud, url):
        """From where the URL says, else from MIRRORS. Raises FetchError."""
        method = ud.method
        first = None
        try:
            if not command.trusted_network(self.d, ud.url):
                from .errors import UntrustedUrl
                raise UntrustedUrl(ud.url)
            logger.debug("Trying Upstream")
            method.download(ud, self.d)
            if hasattr(method, "build_mirror_data"):
                method.build_mirror_data(ud, self.d)
            method.update_donestamp(ud, self.d)
            return
        except (NetworkAccess, NoChecksumError):
            raise
        except BBFetchException as error:
            if isinstance(error, ChecksumError):
                logger.warning("Checksum failure encountered with download of %s - will attempt other sources if "
                               "available" % url)
            else:
                logger.warning("Failed to fetch URL %s, attempting MIRRORS if available" % url)
            logger.debug(str(error))
            first = error
        if not self._has_clone(ud):
            method.clean(ud, self.d)
        logger.debug("Trying MIRRORS")
        lines = mirror_from_string(self.d.getVar("MIRRORS"))
        found = method.try_mirrors(self, ud, self.d, lines) if lines else None
        if not found:
            logger.error(str(first))
            raise FetchError("Unable to fetch URL from any source.", url)
        try:
            method.update_donestamp(ud, self.d)
        except ChecksumError as error:
            logger.error(str(error))
            raise FetchError("Unable to fetch URL from any source.", url) from error

    @staticmethod
    def _has_clone(ud):
        """A clone is not thrown away because it lacks a revision."""
        return bool(getattr(ud, "clonedir", None)) and os.path.isdir(ud.clonedir)

    def checkstatus(self, urls=None):
        """Raises FetchError unless all URLs could be fetched; nothing is."""
        for url in urls or self.urls:
            ud = self.ud[url]
            ud.setup_localpath(self.d)
            logger.debug("Testing URL %s" % url)
            found = ud.method.try_mirrors(self, ud, self.d, mirror_from_string(self.d.getVar("PREMIRRORS")), True)
            if not found:
                try:
                    found = ud.method.checkstatus(self, ud, self.d)
                except NetworkAccess:
                    raise
                except (FetchError, NoMethodError) as error:
                    logger.debug(str(error))
            if not found:
                found = ud.method.try_mirrors(self, ud, self.d, mirror_from_string(self.d.getVar("MIRRORS")), True)
            if not found:
                raise FetchError("URL doesn't work", url)

    def unpack(self, root, urls=None, update=False):
        """Unpacks all URLs below `root`. Raises UnpackError."""
        from . import tracing

        tracer = tracing.tracer(self.d)
        tracer.start(root, self.ud, self.d)
        for url in urls or self.urls:
            ud = self.ud[url]
            ud.setup_localpath(self.d)
            lock = bb.utils.lockfile(ud.lockfile) if ud.lockfile else None
            tracer.start_url(url)
            try:
                if update:
                    ud.method.unpack_update(ud, root, self.d)
                else:
                    ud.method.unpack(ud, root, self.d)
            finally:
                tracer.finish_url(url)
                if lock:
                    bb.utils.unlockfile(lock)
        tracer.complete()

    def unpack_update(self, root, urls=None):
        """Updates checkouts below `root` in place, keeping local commits (Git only)."""
        self.unpack(root, urls, update=True)

    def clean(self, urls=None):
        """Removes all URLs from DL_DIR."""
        for url in urls or self.urls:
            ud = self.ud.get(url) or FetchData(url, self.d)
            ud.setup_localpath(self.d)
            if not ud.localfile and ud.localpath is None:
                continue
            lock = bb.utils.lockfile(ud.lockfile) if ud.lockfile else None
            try:
                ud.method.clean(ud, self.d)
                if ud.donestamp:
                    bb.utils.remove(ud.donestamp)
            finally:
                if lock:
                    bb.utils.unlockfile(lock)


def localpath(url, d):
    """Where the download of `url` is or will be."""
    return Fetch([url], d).localpath(url)


class FetchConnectionCache:
    """Connections kept open between status checks, by host and port."""

    def __init__(self):
        self.cache = {}

    def get_connection_name(self, host, port):
        """The key of a connection."""
        return "%s:%s" % (host, port)

    def add_connection(self, host, port, connection):
        """Keeps a connection unless there is one."""
        self.cache.setdefault(self.get_connection_name(host, port), connection)

    def get_connection(self, host, port):
        """The connection kept, None if there is none."""
        return self.cache.get(self.get_connection_name(host, port))

    def remove_connection(self, host, port):
        """Closes and forgets a connection."""
        connection = self.cache.pop(self.get_connection_name(host, port), None)
        if connection is not None:
            connection.close()

    def close_connections(self):
        """Closes and forgets all."""
        for connection in self.cache.values():
            connection.close()
        self.cache.clear()
