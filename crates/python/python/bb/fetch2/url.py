"""URLs of SRC_URI: taking them apart and putting them together.

A URL is `scheme://user:password@host:port/path?query;param=value;...`; for
`file` everything after `file://` is a path, which may be relative.
"""

import collections
import re
import urllib.parse
from functools import lru_cache

from .errors import MalformedUrl, MissingParameterError

_MIRROR_URL = re.compile(
    r"(?P<type>[^:]*)://((?P<user>[^/;]+)@)?(?P<location>[^;]+)(;(?P<parm>.*))?$")

__all__ = ["URI", "decodeurl", "encodeurl", "decodemirrorurl", "mirror_from_string"]


def _split_pairs(text, delimiter):
    pairs = collections.OrderedDict()
    for item in text.split(delimiter):
        if item:
            name, sep, value = item.partition("=")
            pairs[name] = value if sep else None
    return pairs


def _join_pairs(pairs, delimiter):
    return delimiter.join(name if value is None else "%s=%s" % (name, value) for name, value in pairs.items())


class URI:
    """A URL as an object. All parts can be read and set, `str()` gives the text.

    `relative` is true for `scheme:path` URLs, whose path has no leading slash;
    `params` are the `;name=value` parameters, `query` those after `?`, both in
    order. `path` is unquoted, and quoted again in the text.
    """

    def __init__(self, uri=None):
        self.scheme = ""
        self.userinfo = ""
        self.hostname = ""
        self.port = None
        self._path = ""
        self.params = {}
        self.query = {}
        self.relative = False
        if uri:
            self._parse(uri)

    def _parse(self, text):
        main, _, params = text.partition(";")
        self.params = _split_pairs(params, ";")
        # file://name is not of the RFC's form: what would be a host begins the path.
        if main[:7].lower() == "file://" and main[7:8] != "/":
            main = main[:5] + main[7:]
        # URLs of `file` may hold a port-like or user-like part, which is path.
        try:
            parts = urllib.parse.urlsplit(main)
            self.port = parts.port
        except ValueError as error:
            # DIFFERS: BitBake dies of the ValueError, which does not name the URL.
            raise MalformedUrl(text, "The URL: '%s' is invalid: %s" % (text, error)) from error
        self.scheme = parts.scheme
        self.hostname = parts.hostname or ""
        self.path = urllib.parse.unquote(parts.path)
        if self._path and not self._path.startswith("/"):
            self.relative = True
        if parts.username or parts.password:
            self.userinfo = parts.username or ""
            if parts.password:
                self.userinfo += ":" + parts.password
        self.query = _split_pairs(parts.query, "&")

    def __str__(self):
        authority = "%s@" % self.userinfo if self.userinfo else ""
        params = ";" + _join_pairs(self.params, ";") if self.params else ""
        query = "?" + _join_pairs(self.query, "&") if self.query else ""
        if self.relative:
            return "%s:%s%s%s" % (self.scheme, self.path_quoted, query, params)
        return "%s://%s%s%s%s%s" % (self.scheme, authority, self.hostport, self.path_quoted, query, params)

    @property
    def hostport(self):
        """`host` or `host:port`."""
        host = "[%s]" % self.hostname if ":" in self.hostname else self.hostname
        return "%s:%d" % (host, self.port) if self.port else host

    @property
    def path(self):
        """Path, unquoted."""
        return self._path

    @path.setter
    def path(self, path):
        self._path = path
        self.relative = bool(path) and not path.startswith("/")

    @property
    def path_quoted(self):
        """Path as it stands in the text."""
        return urllib.parse.quote(self._path, errors="surrogateescape")

    @path_quoted.setter
    def path_quoted(self, path):
        self.path = urllib.parse.unquote(path)

    @property
    def username(self):
        """Part of `userinfo` before the first colon."""
        return self.userinfo.partition(":")[0]

    @username.setter
    def username(self, username):
        password = self.password
        self.userinfo = username
        if password:
            self.userinfo += ":" + password

    @property
    def password(self):
        """Part of `userinfo` after the first colon."""
        return self.userinfo.partition(":")[2]

    @password.setter
    def password(self, password):
        self.userinfo = "%s:%s" % (self.username, password)


@lru_cache(maxsize=8192)
def _decode(url):
    uri = URI(url)
    return (uri.scheme, uri.hostport, uri.path or "/", uri.username, uri.password), uri.params


def decodeurl(url):
    """`url` as (scheme, host, path, user, password, parameters). The path is unquoted."""
    parts, params = _decode(url)
    return parts + (params.copy(),)


def encodeurl(decoded):
    """The URL of a tuple as decodeurl() gives it."""
    scheme, host, path, user, password, params = decoded
    if not scheme:
        raise MissingParameterError("type", "encoded from the data %s" % str(decoded))
    pieces = [scheme, "://"]
    if scheme != "file":
        if user:
            pieces.append(user)
            if password:
                pieces.append(":" + password)
            pieces.append("@")
        if host:
            pieces.append(host)
    if path:
        pieces.append(urllib.parse.quote(path, errors="surrogateescape"))
    if params:
        pieces.append(";" + _join_pairs(params, ";"))
    return "".join(pieces)


def decodemirrorurl(url):
    """decodeurl() for the left side of a mirror line, whose parts are regular expressions.

    Nothing is unquoted. Raises MalformedUrl for a text without `TYPE://`.
    """
    match = _MIRROR_URL.match(url)
    if not match:
        raise MalformedUrl(url)
    scheme, user, location, parm = match.group("type", "user", "location", "parm")
    password = ""
    if scheme.lower() == "file":
        host, path = "", (user + "@" if user else "") + location
        user = ""
    else:
        host, _, path = location.partition("/")
        path = "/" + path
        user, _, password = (user or "").partition(":")
    params = _split_pairs(parm or "", ";")
    for name, value in params.items():
        if value is None:
            raise MalformedUrl(url, "The URL: '%s' is invalid: parameter %s does not specify a value (missing '=')"
                               % (url, name))
    return (scheme, host, path, user, password, params)


def mirror_from_string(data):
    """The pairs of MIRRORS or PREMIRRORS, as a list of [pattern, replacement]."""
    words = (data or "").replace("\\n", " ").split()
    if len(words) % 2:
        import bb
        bb.warn("Invalid mirror data %s, should have paired members." % data)
    return [list(pair) for pair in zip(words[0::2], words[1::2])]
