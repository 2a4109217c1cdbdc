"""Downloads over http and https: what bitzel's downloader is asked to do, and what it answers."""

import base64
import json
import logging
import os
import shlex
import time
import urllib.parse

import bb
import bb.build
import bb.event
import bb.utils

from . import _native, checksums
from .errors import ChecksumError, FetchError

logger = logging.getLogger("BitBake.Fetcher")

_DEFAULT_TOOL = "/usr/bin/env wget --tries=2 --timeout=100"
# Options of wget the downloader has too: name -> (what it is, takes a value).
_KNOWN = {
    "-t": ("tries", True), "--tries": ("tries", True),
    "-T": ("timeout", True), "--timeout": ("timeout", True),
    "--no-check-certificate": ("insecure", False),
    "--passive-ftp": (None, False), "-nv": (None, False), "-q": (None, False), "--no-verbose": (None, False),
    "-4": (None, False), "--inet4-only": (None, False),
}


def default_tool(d):
    """The command line for FTP."""
    tool = d.getVar("FETCHCMD_wget") or _DEFAULT_TOOL
    if not _check_certificates(d):
        tool += " --no-check-certificate"
    return tool


def _check_certificates(d):
    return bb.utils.to_boolean(d.getVar("BB_CHECK_SSL_CERTS") or "1")


def _parse_tool(text):
    """Options of a plain wget command line as a dictionary, None for any other command."""
    words = shlex.split(text)
    if words[:1] == ["/usr/bin/env"]:
        words = words[1:]
    if not words or os.path.basename(words[0]) != "wget":
        return None
    options = {}
    rest = iter(words[1:])
    for word in rest:
        name, sep, value = word.partition("=")
        known = _KNOWN.get(name)
        if known is None:
            return None
        if known[1] and not sep:
            value = next(rest, "")
        if known[0]:
            options[known[0]] = value if known[1] else True
    return options


def custom_tool(d):
    """FETCHCMD_wget where it asks for something the downloader does not do; else None."""
    text = d.getVar("FETCHCMD_wget")
    if not text or _parse_tool(text) is not None:
        return None
    return default_tool(d)


def through_proxy(url, settings):
    """Whether a plain `http` URL is to be asked of a proxy, which the tool does better: the downloader tunnels."""
    return url.startswith("http://") and proxy(urllib.parse.urlsplit(url), settings) is not None


def proxy(parts, settings):
    """The proxy for a URL taken apart, None where it needs none."""
    host = parts.hostname or ""
    for entry in settings["no_proxy"].replace(",", " ").split():
        entry = entry.lstrip("*").lstrip(".")
        if not entry or host == entry or host.endswith("." + entry):
            return None
    return settings["proxies"].get(parts.scheme) or settings["proxies"].get("all")


def _number(text, default):
    try:
        return int(float(text))
    except (TypeError, ValueError):
        return default


def options(d):
    """How to download: tries, seconds without an answer, TLS, proxies."""
    tool = _parse_tool(d.getVar("FETCHCMD_wget") or _DEFAULT_TOOL) or {}
    origenv = d.getVar("BB_ORIGENV", False)

    def setting(name):
        return d.getVar(name) or (origenv.getVar(name) if origenv else None)

    proxies = {}
    for scheme in ("http", "https", "all"):
        value = setting(scheme + "_proxy") or setting(scheme.upper() + "_PROXY")
        if value:
            proxies[scheme] = value
    home = setting("HOME") or os.environ.get("HOME")
    return {
        "tries": max(1, _number(tool.get("tries"), 2)),
        "timeout": max(1, _number(tool.get("timeout"), 100)),
        "insecure": bool(tool.get("insecure")) or not _check_certificates(d),
        "ca_file": setting("SSL_CERT_FILE") or None,
        "proxies": proxies,
        "no_proxy": setting("no_proxy") or setting("NO_PROXY") or "",
        "netrc": os.path.join(home, ".netrc") if home else None,
        "threads": max(1, _number(d.getVar("BB_FETCH_THREADS"), 8)),
    }


def basic_credentials(ud):
    """User and password as the Authorization header has them."""
    return base64.b64encode(("%s:%s" % (ud.user, ud.pswd)).encode("utf-8")).decode("ascii")


def job(ud, url, target, lock=None):
    """One file to download, for the downloader."""
    return {
        "url": url,
        "target": target,
        "user": ud.user or None,
        "password": ud.pswd or "",
        "redirect_auth": ud.parm.get("redirectauth", "1") == "1",
        "headers": getattr(ud, "http_headers", {}),
        "lock": lock,
        "done": ud.donestamp if lock else None,
        # Go's hash is of the files in an archive.
        "expected": {} if ud.ignore_checksums else
                    {kind: value for kind, value in checksums.expected(ud).items() if kind != "goh1"},
    }


def run(jobs, settings, d):
    """Downloads the jobs at the same time; the answers, in order.

    Progress goes to the user interface, and to the log: one line for each file that takes long.
    """
    return json.loads(_native.fetch_files(json.dumps(jobs), json.dumps(settings), _Report(d)))


class Downloads(bb.event.Event):
    """How far the downloads of a task are: names, bytes, rates, as the downloader tells them.

    For bitzel's own user interface; handlers of metadata do not see it.
    """

    def __init__(self, downloads):
        self.downloads = downloads
        bb.event.Event.__init__(self)


class _Report:
    """Told what is going on several times a second; passes on what people want to know."""

    # Seconds between lines of one file in the log.
    _EVERY = 10

    def __init__(self, d):
        self.d = d
        self.began = time.monotonic()
        self.logged = {}
        # Bytes of downloads that ended: they are told once.
        self.had = 0

    def __call__(self, text):
        downloads = json.loads(text)
        if bb.event.worker_fire:
            bb.event.worker_fire(Downloads(downloads), self.d)
        going = [one for one in downloads if one["stage"] == "active"]
        self.had += sum(one["done"] for one in downloads if one["stage"] == "done")
        total = sum(one["total"] or 0 for one in going)
        if total:
            total += self.had
            done = self.had + sum(one["done"] for one in going if one["total"])
            rate = "%s/s" % _bytes(sum(one["rate"] for one in going))
            bb.event.fire(bb.build.TaskProgress(int(100 * done / total), rate), self.d)
        now = time.monotonic()
        for one in going:
            if now - self.logged.setdefault(one["name"], self.began) >= self._EVERY:
                self.logged[one["name"]] = now
                size = " of %s" % _bytes(one["total"]) if one["total"] else ""
                logger.info("%s: %s%s, %s/s" % (one["name"], _bytes(one["done"]), size, _bytes(one["rate"])))
        return True


def _bytes(count):
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return "%.4g %s" % (count, unit)
        count /= 1024
    return "%.4g GiB" % count


def complete(found, path):
    """All checksums of a finished download: those computed while downloading, and Go's."""
    found = dict(found)
    found["goh1"] = checksums._goh1(path, found["sha256"])
    return {kind: found[kind] for kind in checksums.CHECKSUM_LIST}


def fetch_file(ud, d, url, target):
    """Downloads one file and returns its checksums. Raises FetchError, ChecksumError."""
    answer = getattr(ud, "prefetched", None)
    ud.prefetched = None
    if answer is None or answer.get("url") != url:
        answer = run([job(ud, url, target)], options(d), d)[0]
    return result(ud, answer, target)


def result(ud, answer, target):
    """The checksums in an answer. Raises what it says went wrong."""
    if "found" in answer:
        return complete(answer["found"], target)
    if answer.get("bad_checksum"):
        _raise_mismatch(ud, answer["computed"], target)
    raise FetchError(answer["error"], ud.url)


def _raise_mismatch(ud, found, target):
    found = dict(found, goh1="")
    error = checksums.mismatch(ud, target, found, [kind for kind in found if kind != "goh1"])
    raise error if error else ChecksumError("Checksum mismatch!", ud.url, found["sha256"])
