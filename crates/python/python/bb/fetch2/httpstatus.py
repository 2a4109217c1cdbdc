"""Asking a web server whether it has something, without fetching it."""

import base64
import http.client
import logging
import netrc
import os
import ssl
import urllib.parse
import urllib.request

from . import command, download
from .errors import BBFetchException

logger = logging.getLogger("BitBake.Fetcher")

_REDIRECTS = (301, 302, 303, 307, 308)


class _Request:
    """One question: where to, with which credentials, through which connections."""

    def __init__(self, url, authorization, cache, settings):
        self.url = url
        self.authorization = authorization
        self.cache = cache
        self.settings = settings

    def _context(self):
        context = ssl.create_default_context(cafile=self.settings["ca_file"])
        if self.settings["insecure"]:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _connect(self, parts):
        timeout = min(self.settings["timeout"], 30)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        proxy = download.proxy(parts, self.settings)
        if proxy:
            via = urllib.parse.urlsplit(proxy if "://" in proxy else "http://" + proxy)
            if parts.scheme == "https":
                connection = http.client.HTTPSConnection(via.hostname, via.port or 3128, timeout=timeout,
                                                         context=self._context())
                connection.set_tunnel(parts.hostname, port)
                return connection
            return http.client.HTTPConnection(via.hostname, via.port or 3128, timeout=timeout)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.hostname, port, timeout=timeout, context=self._context())
        return http.client.HTTPConnection(parts.hostname, port, timeout=timeout)

    def ask(self, verb):
        """(status, where a redirection leads)."""
        parts = urllib.parse.urlsplit(self.url)
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        if download.proxy(parts, self.settings) and parts.scheme == "http":
            target = self.url
        headers = {"User-Agent": "bitzel", "Accept": "*/*"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        host, port = parts.hostname, parts.port or parts.scheme
        kept = self.cache.get_connection(host, port) if self.cache else None
        for connection in ([kept] if kept else []) + [None]:
            fresh = connection is None
            connection = connection or self._connect(parts)
            try:
                connection.request(verb, target, headers=headers)
                response = connection.getresponse()
                if verb == "HEAD":
                    response.read()
                location = response.headers.get("Location")
                keep = self.cache and verb == "HEAD" and not response.will_close
                if keep and fresh:
                    self.cache.add_connection(host, port, connection)
                elif not keep:
                    self._close(connection, host, port)
                return response.status, location
            except (http.client.HTTPException, ConnectionError, BrokenPipeError):
                # The server closed a connection that was kept.
                self._close(connection, host, port)
                if fresh:
                    raise
        raise AssertionError("the loop ends by return or raise")

    def _close(self, connection, host, port):
        if self.cache and self.cache.get_connection(host, port) is connection:
            self.cache.remove_connection(host, port)
        else:
            connection.close()


def _origin(url):
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _authorization(ud, url, settings):
    if ud.user:
        return "Basic " + download.basic_credentials(ud)
    path = settings["netrc"]
    if path and os.path.exists(path):
        try:
            login = netrc.netrc(path).authenticators(urllib.parse.urlsplit(url).hostname or "")
        except (netrc.NetrcParseError, OSError):
            return None
        if login:
            return "Basic " + base64.b64encode(("%s:%s" % (login[0], login[2])).encode()).decode("ascii")
    return None


def exists(method, fetch, ud, d, url=None):
    """Whether the server has it. Raises NetworkAccess and UntrustedUrl; whatever else fails means no."""
    url = url or method.request_url(ud)
    command.check_network_access(d, "status check of %s" % url, url)
    settings = download.options(d)
    if url.startswith(("ftp://", "ftps://")):
        return _ftp_exists(url, settings)
    cache = fetch.connection_cache if fetch is not None else None
    authorization = _authorization(ud, url, settings)
    verb = "HEAD"
    tries = 2
    try:
        for _ in range(10):
            try:
                status, location = _Request(url, authorization, cache, settings).ask(verb)
            except (http.client.HTTPException, OSError):
                tries -= 1
                if tries:
                    continue
                raise
            if status in _REDIRECTS and location:
                target = urllib.parse.urljoin(url, location)
                if not target.startswith(("http://", "https://")) or not command.trusted_network(d, target):
                    return False
                if _origin(target) != _origin(url):
                    # Credentials are for the server they were given for.
                    authorization = None
                url = target
            elif status in (403, 405) and verb == "HEAD":
                # Some servers answer only GET.
                verb = "GET"
            else:
                return 200 <= status < 300
        logger.debug("checkstatus: too many redirections for %s" % url)
    except (http.client.HTTPException, OSError, ValueError) as error:
        logger.debug("checkstatus() for %s failed: %s" % (url, error))
    except BBFetchException:
        raise
    return False


def _ftp_exists(url, settings):
    try:
        with urllib.request.urlopen(url, timeout=min(settings["timeout"], 30)):
            return True
    except OSError as error:
        logger.debug("checkstatus() for %s failed: %s" % (url, error))
        return False
