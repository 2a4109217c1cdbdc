"""The newest version upstream: UPSTREAM_CHECK_URI, UPSTREAM_CHECK_REGEX, UPSTREAM_CHECK_GITTAGREGEX."""

import html.parser
import logging
import os
import re
import tempfile
import urllib.parse

import bb.utils

from . import command, download
from .errors import FetchError
from .url import decodeurl, encodeurl

logger = logging.getLogger("BitBake.Fetcher")

_SUFFIX = r"(?:\.tar\.(?:gz|bz2|xz|zst|lz|Z)|\.tgz|\.tbz2?|\.txz|\.zip|\.rpm|\.deb|\.7z|\.jar|\.crate)"
_VERSION = r"(?:\d+[.\-_]?)+(?:[a-z]+\d*)?"
# A folder named after a version: v2.23, 1.6.0.
_VERSION_FOLDER = re.compile(r"^(?P<prefix>[^0-9/]*?)(?P<version>\d+(?:[._]\d+)+)(?P<suffix>[^/]*)$")
_PRERELEASE = re.compile(r"(?:alpha|beta|rc|pre|dev|snapshot)\d*", re.IGNORECASE)


class _Links(html.parser.HTMLParser):
    """Collects the targets of links."""

    def __init__(self):
        super().__init__()
        self.targets = []

    def handle_starttag(self, tag, attrs):
        """Notes where a link leads."""
        if tag == "a":
            target = dict(attrs).get("href")
            if target:
                self.targets.append(urllib.parse.unquote(target))


def fetch_text(ud, d, url):
    """The text of a page. Raises FetchError."""
    command.check_network_access(d, "version check at %s" % url, url)
    with tempfile.TemporaryDirectory(prefix="bitzel-versions-") as folder:
        target = os.path.join(folder, "index")
        job = download.job(ud, url.partition(";")[0], target)
        job["expected"] = {}
        answer = download.run([job], download.options(d), d)[0]
        if "found" not in answer:
            raise FetchError(answer.get("error") or "cannot be fetched", url)
        with open(target, encoding="utf-8", errors="replace") as stream:
            return stream.read()


def _links(ud, d, url):
    parser = _Links()
    parser.feed(fetch_text(ud, d, url))
    return parser.targets


def newer(version, than):
    """Whether a version is newer than another; anything is newer than none."""
    return not than or bb.utils.vercmp(("0", version, ""), ("0", than, "")) > 0


def _file_pattern(name):
    """A pattern for other versions of the file `name`, and the version it has; (None, None) if it has none."""
    version = r"(?P<pver>\d[\d.\-_]*(?:[a-z]{1,2}\d*)?[\d.\-_]*)(?P<rest>.*?)(?P<type>%s)$" % _SUFFIX
    # A number may be part of the name (libxml2-2.9): the version comes after a dash.
    match = re.match(r"(?P<name>.*?[a-zA-Z0-9+][\-_]v?)" + version, name) \
        or re.match(r"(?P<name>.*?[^0-9])" + version, name)
    if not match:
        return None, None
    stem = re.escape(match.group("name"))
    pattern = re.compile(r"%s(?P<pver>\d[\d.\-_]*(?:[a-z]{1,2}\d*)?)%s%s$"
                         % (stem, r"[\w.\-]*?" if match.group("rest") else "", _SUFFIX))
    return pattern, match.group("pver").strip(".-_")


def _clean(version):
    return version.strip(".-_").replace("_", ".")


def _newest_folder(ud, d, url):
    """`url` with each folder that is named after a version replaced by its newest sibling."""
    scheme, host, path, user, password, _ = decodeurl(url)
    parts = path.strip("/").split("/")
    for index, part in enumerate(parts):
        match = _VERSION_FOLDER.match(part)
        if not match:
            continue
        parent = encodeurl((scheme, host, "/" + "/".join(parts[:index]) + "/", user, password, {}))
        try:
            targets = _links(ud, d, parent)
        except FetchError:
            return url
        best, version = part, match.group("version")
        for target in targets:
            other = _VERSION_FOLDER.match(target.strip("/").split("/")[-1])
            if other and other.group("prefix") == match.group("prefix") and not other.group("suffix") \
                    and newer(other.group("version"), version):
                best, version = other.group(0), other.group("version")
        if best != part:
            # Folders below are of the old version.
            parts = parts[:index] + [best]
            return encodeurl((scheme, host, "/" + "/".join(parts) + "/", user, password, {}))
    return url


def latest_version(method, ud, d):
    """The newest version of the file of `ud` on its server, empty if none is found."""
    name = ud.parm.get("downloadfilename") or os.path.basename(ud.path)
    pattern, current = _file_pattern(name)
    regex = d.getVar("UPSTREAM_CHECK_REGEX")
    if regex:
        pattern = re.compile(regex)
    if pattern is None:
        return ""
    page = d.getVar("UPSTREAM_CHECK_URI")
    if not page:
        scheme, host, path, user, password, _ = decodeurl(ud.url)
        folder = encodeurl((scheme, host, os.path.dirname(path) + "/", user, password, {}))
        page = _newest_folder(ud, d, folder)
    best = ""
    for target in _links(ud, d, page):
        # A link may be relative or not, with a query or not.
        match = pattern.search(target) if regex else pattern.search(os.path.basename(target.partition("?")[0]))
        if not match:
            continue
        version = _clean(match.group("pver"))
        if _PRERELEASE.search(version) and not _PRERELEASE.search(current or ""):
            continue
        if version and newer(version, best):
            best = version
    return best or (current or "")


def latest_tag(method, ud, d):
    """(newest version, its revision) among the tags of a repository, empty if there is none."""
    pattern = re.compile(d.getVar("UPSTREAM_CHECK_GITTAGREGEX") or r"(?P<pver>([0-9][\.|_]?)+)")
    best = ("", "")
    try:
        listing = method._lsremote(ud, d, "refs/tags/*")
    except FetchError as error:
        logger.debug("Could not list remote: %s" % error)
        return best
    for line in listing.splitlines():
        revision, _, ref = line.partition("\t")
        tag = ref[len("refs/tags/"):]
        peeled = tag.endswith("^{}")
        tag = tag[:-3] if peeled else tag
        if re.search(r"(alpha|beta|rc|final)+", tag):
            continue
        match = pattern.search(tag)
        if not match:
            continue
        version = match.group("pver").replace("_", ".")
        if newer(version, best[0]) or peeled and version == best[0]:
            best = (version, revision)
    return best
